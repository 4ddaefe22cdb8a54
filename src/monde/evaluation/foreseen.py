"""What a model foresees along a recorded episode, as places: imagined under the recorded actions, and planned."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.agents import device_of, fit_clip
from monde.costs import LatentDistance
from monde.data import read_blocks
from monde.errors import DataError
from monde.evaluation.goals import fit_readouts, readable_states
from monde.models import JEPA
from monde.planning import CEMConfig, CEMPlanner
from monde.training.setup import Setup
from monde.types import Belief, LatentGoal, Problem

_AXES = ("x", "y", "z")


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """Futures from some steps of one episode, read out as values of a recorded state.

    Args:
        readout: The state that is read ("state").
        axes: Which of its components are places.
        frames: [n] the recorded frame that each future begins at.
        block_seconds: From one imagined step to the next.
        imagined: [n, H + 1, k] values under the recorded actions, the first read from what was seen.
        planned: [n, H + 1, k] values under the plan to what was seen H blocks later; none where nobody acts.
    """

    readout: str
    axes: tuple[int, ...]
    frames: tuple[int, ...]
    block_seconds: float
    imagined: Float[Tensor, "n H1 k"]
    planned: Float[Tensor, "n H1 k"] | None


def foresee(
    model: JEPA, setup: Setup, episode: int, *, horizon: int = 5, every: int = 5, context: int = 3, seed: int = 0
) -> tuple[Foreseen, ...]:
    """Imagine and plan from every so many model steps of an episode; one result for each recorded state.

    Args:
        model: Trained.
        setup: What on.
        episode: Of the recording.
        horizon: H, model steps that are looked ahead.
        every: Model steps from one future to the next.
        context: Steps that the model sees before.
        seed: Of the planner's noise.

    Returns:
        Nothing where no state was recorded.

    Raises:
        DataError: The episode is too short.
    """
    states = readable_states(setup)
    block, length = model.actions.block, setup.recording.lengths[episode]
    steps = (length - 2) // block + 1
    starts = range(context - 1, steps - horizon, every)
    if not starts:
        raise DataError(
            f"episode {episode} is too short to look {horizon} steps ahead",
            got=f"{steps} model steps",
            expected=f"more than {horizon + context}",
        )
    if not states:
        return ()
    _, readouts = fit_readouts(model, setup, tuple(states))
    clip = read_blocks(setup.recording, model.actions, episode, 0, steps, [sensor.name for sensor in model.sensors])
    seen = fit_clip(clip, model.sensors).to(device_of(model))
    imagined, planned = [], []
    generator = Generator(device_of(model)).manual_seed(seed)
    with torch.no_grad():
        observed = model.encode(seen).values[0]
        for start in starts:
            belief = model.begin(seen.window(start - context + 1, start + 1))
            if seen.actions is None:
                taken = torch.zeros(1, 1, horizon, 0, device=observed.device)
            else:
                taken = seen.actions.values[:, None, start : start + horizon].float()
            future = model.imagine(belief, taken).latents[0, 0].mean(0)
            imagined.append(torch.cat([observed[start : start + 1], future.to(observed)]))
            if not model.actions.unactuated:
                way = _planned(model, belief, observed[start + horizon], horizon, generator)
                planned.append(torch.cat([observed[start : start + 1], way.to(observed)]))
    return tuple(
        Foreseen(
            readout=name,
            axes=_places(sensor.names, sensor.shape[0]),
            frames=tuple(start * block for start in starts),
            block_seconds=model.actions.block_seconds,
            imagined=readouts[name](torch.stack(imagined)).float().cpu(),
            planned=readouts[name](torch.stack(planned)).float().cpu() if planned else None,
        )
        for name, sensor in states.items()
        if len(_places(sensor.names, sensor.shape[0])) >= 2
    )


def _planned(
    model: JEPA, belief: Belief, wanted: Float[Tensor, "N D"], horizon: int, generator: Generator
) -> Float[Tensor, "H N D"]:
    """The latents of a plan that is to end at some latent."""
    goal, cost = LatentGoal(wanted[None]), LatentDistance(reduce="last")
    problem = Problem(
        imagine=lambda actions: model.imagine(belief, actions),
        cost=lambda rollout, actions: cost(rollout, actions, goal),
        actions=model.actions,
        batch=1,
    )
    return CEMPlanner(CEMConfig(horizon=horizon)).plan(problem, generator).rollout.latents[0, 0].mean(0)


def _places(names: tuple[str, ...], count: int) -> tuple[int, ...]:
    """The components called x, y and z (whatever comes before an axis), or else the first two."""
    found = [next((i for i, name in enumerate(names) if name.split("_")[-1] == axis), None) for axis in _AXES]
    places = tuple(index for index in found if index is not None)
    return places if len(places) >= 2 else tuple(range(min(2, count)))
