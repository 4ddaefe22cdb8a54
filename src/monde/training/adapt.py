"""Adapting a trained run to another look, from a few new episodes: its heads and its dynamics stay as they are."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from monde.actors import Actor
from monde.data import Windows
from monde.errors import TrainingError, UsageError
from monde.models import JEPA, load_model
from monde.models.load import weights_hash
from monde.perception import FrozenPerception
from monde.readouts import TemporalDistance
from monde.store import RunFolder
from monde.training.adapt_sources import LookedFrames, NewLook, OldLook, inverse_model
from monde.training.adapt_step import AdaptStep, AdaptWeights
from monde.training.checkpoint import Position, load_checkpoint, save_checkpoint
from monde.training.setup import Setup, claim_run, prepare, reopen
from monde.training.signals import StopOnSignal

WARM_UP_STEPS = 20

AdaptProgress = Callable[[float, float, dict[str, float]], None]
"""Told of the share that is done, of all (1), and of the losses."""


@dataclass(frozen=True, kw_only=True)
class AdaptConfig:
    """How a run is adapted.

    Args:
        run: Folder of the run; it is left as it is.
        out: Folder of the adapted run.
        data: Recording of the same world in its new look; none to see through looks of any kind.
        minutes: Time for it, or none.
        steps: Optimiser steps; with `minutes`, whichever ends first.
        batch: Old frames in a step; each is shown as it is and in another look.
        clips: Windows of the new recording in a step.
        window: Their model steps.
        learning_rate: Peak rate of AdamW.
        weights: Of what is minimised.
        seed: Of batches and looks.
        checkpoint_seconds: Wall time between checkpoints: what a kill at any moment can lose at most.

    Raises:
        UsageError: No budget, or an empty size.
    """

    run: str
    out: str
    data: str | None = None
    minutes: float | None = 2.0
    steps: int | None = None
    batch: int = 64
    clips: int = 32
    window: int = 4
    learning_rate: float = 5e-4
    weights: AdaptWeights = field(default_factory=AdaptWeights)
    seed: int = 0
    checkpoint_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.minutes is None and self.steps is None:
            raise UsageError("adapting needs an end", remedy="give minutes or steps")
        ends = [end for end in (self.minutes, self.steps) if end is not None]
        if min(*ends, self.batch - 1, self.clips - 1, self.window - 1, self.learning_rate) <= 0:
            raise UsageError("AdaptConfig has an empty size", got=self, expected="everything > 0, sizes ≥ 2")
        if Path(self.run).resolve() == Path(self.out).resolve():
            raise UsageError(
                "a run cannot be adapted in its own folder", got=self.out, remedy="choose another folder for the result"
            )


@dataclass(frozen=True, kw_only=True)
class AdaptSummary:
    """What came of it.

    Args:
        out: Folder of the adapted run.
        step: Optimiser steps taken in all.
        seconds: Wall time in all.
        finished: Whether the budget was used up (false after a signal; heads are carried over at the end only).
        losses: The last ones, by name.
        before: Error of the next latent on held-out new episodes, as a share of "nothing changes", with the old
            encoder; none without new episodes.
        after: The same with the adapted one.
        carried: Heads that were taken over.
    """

    out: Path
    step: int
    seconds: float
    finished: bool
    losses: dict[str, float]
    before: float | None
    after: float | None
    carried: tuple[str, ...]


def adapt(config: AdaptConfig, progress: AdaptProgress | None = None, resume: bool = False) -> AdaptSummary:
    """Adapt the encoder of a run so that its other parts go on working in another look of the same world.

    With `data`, the old frames are painted in the new look (`monde.training.repaint`); without, they are shown in
    looks of any kind. The old encoder says what its latents should be. The result is a run of its own: its dynamics
    are those of `run`, and actor and temporal distance are taken over, bound to the new weights.

    Raises:
        UsageError: A run whose encoder is frozen or sees no camera, or a folder that holds something else.
        DataError: A recording that does not fit the run's sensors or actions, or is gone.
        StoreError: `run` is not a run, or was altered.
        TrainingError: A loss that is not finite; the last checkpoint is from before that batch.
    """
    began = time.perf_counter()
    source, old = reopen(Path(config.run))
    teacher = load_model(config.run).requires_grad_(False)
    _check_adaptable(teacher, config.run)
    new_config = replace(
        source, run=config.out, data=config.data or source.data, also=() if config.data else source.also
    )
    new = None if config.data is None else prepare(replace(new_config, train_episodes=0))
    if new is not None:
        _check_fits(teacher, new, config)
    parent = {"run": str(Path(config.run).resolve()), "weights": weights_hash(config.run)}
    settings = {name: getattr(config, name) for name in ("batch", "clips", "window", "learning_rate", "seed")}
    settings |= {"weights": vars(config.weights)}
    folder = claim_run(new_config, new or old, resume, {"adapted": parent | settings})
    return _Adapter(config, teacher, old, new, folder).run(began, progress)


class _Adapter:
    def __init__(self, config: AdaptConfig, teacher: JEPA, old: Setup, new: Setup | None, folder: RunFolder) -> None:
        self.config, self.teacher, self.folder = config, teacher, folder
        names = [sensor.name for sensor in teacher.sensors]
        self.generator = torch.Generator().manual_seed(config.seed)
        self.old = OldLook(Windows(old.cache, old.split.train, names, 1, teacher.actions), teacher)
        if new is None:
            self.new, self.looked = None, LookedFrames()
        else:
            self.new = NewLook(new, names, config.window, teacher)
            self.looked = LookedFrames.like(self.old.windows, self.new.singles, names, self.generator)
        pairs = Windows(old.cache, old.split.train, names, 2, teacher.actions)
        inverse = inverse_model(teacher, pairs if new is not None else None, self.generator)
        self.module = AdaptStep(copy.deepcopy(teacher), inverse)
        self.weights = list(self.module.model.perception.parameters())
        for weight in self.weights:
            weight.requires_grad_(True)
        self.optimiser = torch.optim.AdamW(self.weights, lr=config.learning_rate, weight_decay=0.0)
        self.position = Position(step=0, seconds=0.0, sampler={})
        if folder.steps():
            self.position = load_checkpoint(folder.latest(), self.module, self.optimiser, self.generator)

    def run(self, began: float, progress: AdaptProgress | None) -> AdaptSummary:
        before = None if self.new is None else self.new.judge(self.teacher)
        told: dict[str, float] = {}
        earlier, saved = self.position.seconds, time.perf_counter()
        with StopOnSignal() as signals:
            while (done := self._done(earlier + time.perf_counter() - began)) < 1 and not signals.asked:
                found = self._step(done)
                if progress is not None and self.position.step % 10 == 1:
                    told = {name: float(value) for name, value in found.items()}
                    progress(done, 1.0, told)
                if time.perf_counter() - saved >= self.config.checkpoint_seconds:
                    self._save(earlier + time.perf_counter() - began)
                    saved = time.perf_counter()
        self._save(earlier + time.perf_counter() - began)
        model = self.module.model.eval()
        return AdaptSummary(
            out=self.folder.root,
            step=self.position.step,
            seconds=self.position.seconds,
            finished=done >= 1,
            losses=told,
            before=before,
            after=None if self.new is None else self.new.judge(model),
            carried=carry_heads(Path(self.config.run), self.folder.root) if done >= 1 else (),
        )

    def _done(self, seconds: float) -> float:
        by_steps = self.position.step / self.config.steps if self.config.steps else 0.0
        by_time = seconds / (60 * self.config.minutes) if self.config.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    def _step(self, done: float) -> dict[str, torch.Tensor]:
        rate = self.config.learning_rate * min(1.0, (self.position.step + 1) / WARM_UP_STEPS)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * (0.5 * (1 + math.cos(math.pi * done)) + 1e-2)
        self.module.model.perception.train()
        kept, wanted = self.old.draw(self.config.batch, self.generator)
        looked = self.looked(kept, self.generator)
        new = None if self.new is None else self.new.draw(self.config.clips, self.generator)
        total, parts = self.module(kept, looked, wanted, new, self.config.weights, self.generator)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        if not bool(torch.isfinite(norm)):
            told = ", ".join(f"{name} {float(value):.4g}" for name, value in parts.items())
            raise TrainingError("the loss or its gradient is not finite", got=told, remedy="lower the learning rate")
        self.optimiser.step()
        self.position = replace(self.position, step=self.position.step + 1)
        return dict(parts)

    def _save(self, seconds: float) -> None:
        self.position = replace(self.position, seconds=seconds)
        save_checkpoint(self.folder, self.module, self.optimiser, self.generator, self.position)


def carry_heads(source: Path, out: Path) -> tuple[str, ...]:
    """Take a run's actor and temporal distance over to one whose latents were made to mean the same.

    They are bound to the new weights on purpose; nothing of `source` changes, and heads that `out` has stay.

    Raises:
        StoreError: They belong to other weights than the newest of `source`, or were altered.
    """
    of, now, carried = weights_hash(source), weights_hash(out), []
    here, there = RunFolder(source), RunFolder(out)
    if here.actor.exists() and not there.actor.exists():
        Actor.load(here.actor, of).save(there.actor, now)
        carried.append("actor")
    if here.temporal_distance.exists() and not there.temporal_distance.exists():
        TemporalDistance.load(here.temporal_distance, of).save(there.temporal_distance, now)
        carried.append("temporal_distance")
    return tuple(carried)


def _check_adaptable(teacher: JEPA, run: str) -> None:
    if isinstance(teacher.perception, FrozenPerception):
        raise UsageError(f"the encoder of {run} is frozen", got="a pretrained backbone", remedy="adapt another run")
    if not any(sensor.kind == "rgb" for sensor in teacher.sensors):
        raise UsageError(
            f"{run} sees no camera", got=[s.name for s in teacher.sensors], expected="a camera to look with"
        )


def _check_fits(teacher: JEPA, new: Setup, config: AdaptConfig) -> None:
    seen = [(sensor.name, sensor.kind, sensor.shape) for sensor in new.model.sensors]
    known = [(sensor.name, sensor.kind, sensor.shape) for sensor in teacher.sensors]
    if seen != known or new.model.actions != teacher.actions:
        got, expected = (seen, known) if seen != known else (new.model.actions, teacher.actions)
        raise UsageError(
            f"{config.data} is not of the world that {config.run} knows",
            got=got,
            expected=expected,
            remedy="record new episodes of the same world, with the same camera and actions",
        )
