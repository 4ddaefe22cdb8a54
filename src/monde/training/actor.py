"""Fitting the fast path of a trained model: its actor, and the temporal distance that a search minimises."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from monde.actors import Actor, ActorConfig
from monde.dynamics.time_level import TimeLevel
from monde.errors import TrainingError, UsageError
from monde.models import JEPA, PlacedModel, load_acting
from monde.models.load import weights_hash
from monde.readouts import TemporalDistance, TemporalDistanceConfig
from monde.store import RunFolder, remove_artefact
from monde.training.actor_step import GoalShares, attempt, draw_tasks, losses
from monde.training.device import choose_device, choose_precision
from monde.training.frame_latents import FrameLatents, encode_frames
from monde.training.schedule import share_done
from monde.training.setup import Setup, reopen
from monde.training.sizes import check_not_negative, check_sizes

SLOW_RATE = 0.03
"""Share by which the distance's slow copy follows it at every step."""

WARM_UP_STEPS = 100
FINAL_RATE = 0.02
"""Last learning rate as a share of the first."""

ActorProgress = Callable[[float, float, dict[str, float]], None]
"""Told of the share that is done, of all (1), and of the losses."""


@dataclass(frozen=True, kw_only=True)
class FitActorConfig:
    """How the actor and the temporal distance of a run are fitted.

    Args:
        minutes: Time for it, encoding the frames not included; or none.
        steps: Optimiser steps; with `minutes`, whichever ends first.
        frames: Frames in a step.
        goals_each: Goals of each of them; for each goal the actor proposes a block that is tried.
        recorded: Blocks of the recording that are tried beside those.
        learning_rate: Of AdamW, after warm-up; it falls along a cosine.
        temperature: Of the weights of what was tried, in action blocks.
        imitation: Share of the block that was really taken in what the actor is moved towards, for goals which the
            recording reached from there; 0 for what leads nearest in imagination alone. For recordings of somebody who
            knows what to do, in whose finest moves (a grasp) a short model is not to be trusted (behaviour cloning
            beside a learned value: TD3+BC, arXiv 2106.06860, section 4).
        hidden: Width of both networks.
        depth: Their hidden layers.
        furthest_blocks: Distances are at most this.
        most_frames: Learn from the first episodes that have so many frames in all, and not fewer; 0 takes all.
        goals: Where goals come from.
        seed: Of weights and batches.
        device: "auto", "cpu", "cuda", …
        precision: "auto", "fp32" or "bf16", of imagining and of both networks.

    Raises:
        UsageError: No end, an empty size, or no number.
    """

    minutes: float | None = 1.0
    steps: int | None = None
    frames: int = 64
    goals_each: int = 8
    recorded: int = 8
    learning_rate: float = 1e-3
    temperature: float = 0.1
    imitation: float = 0.0
    hidden: int = 256
    depth: int = 3
    furthest_blocks: float = 25.0
    most_frames: int = 0
    goals: GoalShares = field(default_factory=GoalShares)
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.minutes is None and self.steps is None:
            raise UsageError("fitting an actor needs an end", remedy="give minutes or steps")
        check_sizes(self, "minutes", "steps", "frames", "goals_each", "recorded", "hidden", "depth")
        check_sizes(self, "learning_rate", "temperature", "furthest_blocks")
        check_not_negative(self, "most_frames")
        if not 0 <= self.imitation <= 1:
            raise UsageError("FitActorConfig.imitation is no share", got=self.imitation, expected="0 to 1")


@dataclass(frozen=True, kw_only=True)
class ActorSummary:
    """What was fitted.

    Args:
        actor: The actor.
        distance: The temporal distance.
        steps: Optimiser steps taken.
        seconds: Wall time of them.
        losses: The last ones, by name.
    """

    actor: Actor
    distance: TemporalDistance
    steps: int
    seconds: float
    losses: dict[str, float]


def fit_actor(
    run: Path | str, config: FitActorConfig | None = None, progress: ActorProgress | None = None
) -> ActorSummary:
    """Fit both on the frozen latents of a run's newest model, and keep them in its folder.

    Raises:
        UsageError: A model without actions.
        StoreError: Not a run, or the disk is full or read-only.
        DataError: The recording is gone or altered.
        TrainingError: A loss that is not finite.
    """
    config = config or FitActorConfig()
    run = Path(run)
    _, setup = reopen(run)
    device = choose_device(config.device)
    model = load_acting(run, device).requires_grad_(False)
    if model.actions.unactuated:
        raise UsageError(f"{run} was learned without actions: there is nothing to act with")
    model.autocast = choose_precision(config.precision, device)
    data = encode_frames(model, setup, _episodes(setup, config.most_frames), dict(config.goals.standing))
    summary = fit_heads(model, data, config, progress)
    folder, of = RunFolder(run), weights_hash(run)
    remove_artefact(folder.trust)  # it foretells what the actor that was there would have done
    for place, head in ((folder.actor, summary.actor), (folder.temporal_distance, summary.distance)):
        remove_artefact(place)
        head.save(place, of)
    return summary


def _episodes(setup: Setup, most_frames: int) -> tuple[int, ...]:
    """Those trained on, or the first of them that have so many frames."""
    counts = np.cumsum([setup.recording.lengths[episode] for episode in setup.split.train])
    wanted = len(counts) if most_frames == 0 else int(np.searchsorted(counts, most_frames)) + 1
    return tuple(setup.split.train[:wanted])


def fit_heads(
    model: JEPA | PlacedModel | TimeLevel,
    data: FrameLatents,
    config: FitActorConfig,
    progress: ActorProgress | None = None,
) -> ActorSummary:
    """Fit an actor and a temporal distance on latents that are there already, for a model or for a level above it.

    Raises:
        TrainingError: A loss that is not finite.
    """
    device = data.latents.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(config.seed)
        actor, distance = _heads(model, data, config)
    slow = copy.deepcopy(distance)
    generator = torch.Generator(device).manual_seed(config.seed)
    weights = [*actor.parameters(), *distance.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=1e-4)
    began, step, told = time.perf_counter(), 0, dict[str, float]()
    while (done := share_done(step, config.steps, time.perf_counter() - began, config.minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * rate_share(step, done)
        tasks = draw_tasks(data, config.frames, config.goals_each, config.goals, generator)
        with torch.autocast(device.type, torch.bfloat16, enabled=model.autocast):
            tried = attempt(model, data, actor, tasks, config.recorded, generator)
            found = losses(data, tasks, tried, (actor, distance, slow), config.temperature, config.imitation)
        optimiser.zero_grad(set_to_none=True)
        found.total().backward()
        norm = nn.utils.clip_grad_norm_(weights, 1.0)
        if not bool(torch.isfinite(norm)):
            raise TrainingError("the actor's gradient is not finite", got=found, remedy="lower the learning rate")
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(slow.parameters()), list(distance.parameters()), SLOW_RATE)
        step += 1
        if progress is not None and step % 50 == 1:
            told = {name: float(value.detach()) for name, value in vars(found).items()}
            progress(done, 1.0, told)
    seconds = time.perf_counter() - began
    return ActorSummary(actor=actor.eval(), distance=distance.eval(), steps=step, seconds=seconds, losses=told)


def _heads(
    model: JEPA | PlacedModel | TimeLevel, data: FrameLatents, config: FitActorConfig
) -> tuple[Actor, TemporalDistance]:
    features, placed = data.latents[0].numel(), isinstance(model, PlacedModel)
    actor = Actor(
        ActorConfig(features=features, actions=model.actions, hidden=config.hidden, depth=config.depth, placed=placed)
    )
    distance = TemporalDistance(
        TemporalDistanceConfig(
            features=features,
            hidden=config.hidden,
            depth=config.depth,
            furthest_blocks=config.furthest_blocks,
            placed=placed,
        )
    )
    actor.trunk.standardise(data.latents.flatten(1))
    distance.standardise(data.latents)
    return actor.to(data.latents.device), distance.to(data.latents.device)


def rate_share(step: int, done: float) -> float:
    """Learning rate as a share of the highest: warm-up, then a cosine."""
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return warm * (0.5 * (1 + math.cos(math.pi * min(done, 1.0))) * (1 - FINAL_RATE) + FINAL_RATE)
