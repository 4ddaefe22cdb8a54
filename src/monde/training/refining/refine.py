"""Dynamics trained further on the latents of a finished encoder, which are computed once.

While both learn, the dynamics chase an encoder that changes at every step, and most of the time goes into encoding.
With the encoder at rest, several times as many windows fit into a second.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from monde.dynamics import Dynamics
from monde.errors import TrainingError, UsageError
from monde.models import JEPA
from monde.objectives import Losses, Objective, ObjectiveConfig
from monde.store import RunFolder, write_json
from monde.store.typed import to_json
from monde.training.checkpoint import load_checkpoint, save_checkpoint
from monde.training.device import choose_device, choose_precision
from monde.training.guard import check_gradients, check_losses
from monde.training.loop import optimiser_for
from monde.training.muon import Muon
from monde.training.refining.config import RefineConfig
from monde.training.refining.films import Encoded, Looked, check_windows, drawing, encode_episodes
from monde.training.schedule import learning_rate, share_done
from monde.training.setup import reopen
from monde.training.signals import StopOnSignal
from monde.training.step import TrainStep
from monde.types import Latents

_FUTURES = 3
"""Of a film that is learned from as a whole, beside the one from a frame alone."""

_MUON = 1.5
"""Learning rate of Muon as a multiple of AdamW's."""

_TOLD = 20
"""Steps between two that are told."""

RefineProgress = Callable[[int, float, dict[str, float]], None]
"""Told the step, the share that is done, and the losses: `loss`, and the parts that it is the sum of."""


class Futures(NamedTuple):
    """Frames that are seen before futures are imagined, one number for each future.

    Attributes:
        starts: With all of them in mind.
        alone: With the newest of them alone.
    """

    starts: tuple[int, ...]
    alone: tuple[int, ...]


Spend = Callable[[Latents, Futures], float]
"""Told each batch before it is learned from; says how much of a budget is used up with it, of compute, say: at 1 and
more that step is the last."""


@dataclass(frozen=True, kw_only=True)
class RefineSummary:
    """What came of it.

    Args:
        checkpoint: The one that was written.
        steps: Optimiser steps.
        step: Those of the training before included.
        seconds: All of it, the time in which films were looked at included.
        losses: As `RefineProgress` has them, of the last step.
        finished: Whether it came to its end; no, where a signal stopped it.
    """

    checkpoint: Path
    steps: int
    step: int
    seconds: float
    losses: dict[str, float]
    finished: bool


@dataclass(frozen=True)
class _Learned:
    steps: int
    losses: dict[str, float]
    finished: bool


def refine(
    run: Path | str,
    config: RefineConfig | None = None,
    progress: RefineProgress | None = None,
    spend: Spend | None = None,
    looked: Looked | None = None,
) -> RefineSummary:
    """Train the dynamics of a run further, its encoder frozen; the new checkpoint lies beside the earlier one.

    Films are augmented as they were for training, each in one way. With `spend` it ends once that budget is used up, if
    minutes and steps do not end it before. A signal (SIGINT, SIGTERM) stops it after the step that it is at, and what
    was learned is saved; while films are still looked at there is nothing to save, and it is stopped at once.

    Raises:
        UsageError: A run in which somebody acts, or whose encoder was frozen from the start.
        StoreError: Not a run, or the disk is full.
        DataError: The recording is gone or altered, or has no film as long as the windows.
        TrainingError: A loss or a gradient that is not finite, or no time left for a step once the films were looked
            at; nothing is saved then.
    """
    config = config or RefineConfig()
    began = time.perf_counter()
    folder = RunFolder(Path(run))
    trained, setup = reopen(folder.root)
    if not setup.model.actions.unactuated or trained.backbone is not None:
        raise UsageError(
            f"{run} cannot be refined",
            got="a frozen encoder" if trained.backbone is not None else "a run in which somebody acts",
            expected="a run without actions and with an encoder of its own",
            remedy="train one with --action-free and without --backbone",
        )
    check_windows(setup, config)
    device = choose_device(config.device)
    module = TrainStep(JEPA(setup.model), trained.minimised)
    whole = optimiser_for(module, trained)
    generator = torch.Generator()
    position = load_checkpoint(folder.latest(), module, whole, generator)
    model = module.model.to(device).eval()
    model.autocast = choose_precision(config.precision, device)

    def look(done: int, wanted: int) -> None:
        if share_done(0, None, time.perf_counter() - began, config.minutes) >= 1:
            raise TrainingError(
                f"{run} was not refined",
                got=f"{config.minutes} minutes, all of which went into looking at {done} of {wanted} films",
                expected="time for at least one step",
                remedy="give more minutes, or look at fewer frames (most_frames, phases)",
            )
        if looked is not None:
            looked(done, wanted)

    data = encode_episodes(model, setup, trained, config, look)
    learned = refine_dynamics(model, data, trained.minimised, config, began, progress, spend)
    seconds = time.perf_counter() - began
    ended = replace(position, step=position.step + learned.steps, seconds=position.seconds + seconds)
    saved = save_checkpoint(folder, module, optimiser_for(module, trained), generator, ended)
    if learned.finished:  # who did not come to the end is refined again
        write_json(folder.config, folder.read_config() | {"refined": to_json(config)})
    return RefineSummary(
        checkpoint=saved,
        steps=learned.steps,
        step=ended.step,
        seconds=seconds,
        losses=learned.losses,
        finished=learned.finished,
    )


def refine_dynamics(
    model: JEPA,
    data: Encoded,
    objective: ObjectiveConfig,
    config: RefineConfig,
    began: float,
    progress: RefineProgress | None = None,
    spend: Spend | None = None,
) -> _Learned:
    """Train the dynamics on latents that are there already: one step at least.

    Raises:
        DataError: No episode is as long as the windows.
        TrainingError: A loss or a gradient that is not finite.
    """
    spaced = replace(objective, regulariser_weight=0.0, within_weight=0.0, rollout_steps=config.rollout_steps)
    error = Objective(spaced, model.latent, 0, model.dynamics.error, model.dynamics.counts)
    rng, generator = np.random.default_rng(config.seed), torch.Generator().manual_seed(config.seed)
    weights = list(model.dynamics.parameters())
    optimisers = optimisers_of(model.dynamics, config)
    model.dynamics.train()
    draw = drawing(data, config, rng)
    step, spent = 0, 0.0

    def share() -> float:
        return min(1.0, max(spent, share_done(step, config.steps, time.perf_counter() - began, config.minutes)))

    # Of the time some went into encoding: the rate falls over what is left of it.
    before = min(share(), 0.999)
    with StopOnSignal() as signals:
        while True:
            for optimiser, rate in optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate(rate, step, 100, (share() - before) / (1 - before))
            latents = draw()
            B, T = latents.values.shape[:2]
            futures = Futures(spaced.starts(T), ()) if config.windows else _futures(T, rng)
            spent = spend(latents, futures) if spend is not None else 0.0
            actions = latents.values.new_zeros(B, T - 1, 0)
            predicted = model.predict(latents, actions, futures.starts, config.rollout_steps, futures.alone)
            losses = error(latents.values, actions, predicted, generator)
            check_losses(losses.total, losses.parts, lambda: f"step {step} of refining")  # noqa: B023
            model.dynamics.zero_grad(set_to_none=True)
            losses.total.backward()
            norm = torch.nn.utils.clip_grad_norm_(weights, 1.0)
            check_gradients(norm, model.dynamics, lambda: f"step {step} of refining")  # noqa: B023
            for optimiser, _ in optimisers:
                optimiser.step()
            step += 1
            finished = share() == 1
            if progress is not None and step % _TOLD == 1:
                progress(step, share(), _numbers(losses))
            if finished or signals.asked:
                break
    model.dynamics.eval()
    return _Learned(step, _numbers(losses), finished)


def _numbers(losses: Losses) -> dict[str, float]:
    return {"loss": float(losses.total.detach()), **{name: float(value) for name, value in losses.parts.items()}}


def optimisers_of(dynamics: Dynamics, config: RefineConfig) -> list[tuple[torch.optim.Optimizer, float]]:
    """Optimisers of all weights, and their peak rates."""
    rate, rest = config.learning_rate, list(dynamics.parameters())
    made = list[tuple[torch.optim.Optimizer, float]]()
    if config.optimiser == "muon":
        last = {id(layer.weight) for layer in dynamics.outputs()}
        matrices = [weight for weight in rest if weight.ndim == 2 and id(weight) not in last]
        taken = {id(weight) for weight in matrices}
        rest = [weight for weight in rest if id(weight) not in taken]
        muon = Muon(matrices, lr=_MUON * rate, weight_decay=1e-4)
        made.append((muon, _MUON * rate))
    made.append((torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.95), weight_decay=1e-4), rate))
    return made


def _futures(steps: int, rng: np.random.Generator) -> Futures:
    """After how many frames of a film futures are imagined, with all that was seen before in mind and without: whoever
    judges by what memory adds (`monde.evaluation.physics.surprise`) asks for both."""
    seen = np.arange(1, steps - 1)
    drawn = rng.choice(seen, min(_FUTURES, len(seen)), replace=False)
    return Futures(tuple(sorted(drawn.tolist())), (int(rng.choice(seen)),))
