"""Adapting a trained run to its world as it is now, from a few new episodes: what did not change stays as it is."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import torch

from monde.actors import Actor
from monde.errors import TrainingError, UsageError, unknown_name
from monde.models import JEPA, load_model
from monde.models.load import weights_hash
from monde.perception import FrozenPerception, ThingPerception
from monde.readouts import TemporalDistance
from monde.store import RunFolder
from monde.training.adapting.adapt_sources import NewClips
from monde.training.adapting.adapt_tasks import dynamics_task, look_task
from monde.training.checkpoint import Position, load_checkpoint, save_checkpoint
from monde.training.device import choose_device
from monde.training.schedule import share_done
from monde.training.setup import Setup, claim_run, prepare, reopen
from monde.training.signals import StopOnSignal
from monde.training.sizes import check_not_negative, check_sizes

WARM_UP_STEPS = 20

Changed = Literal["look", "dynamics"]

AdaptProgress = Callable[[float, float, dict[str, float]], None]
"""Told of the share that is done, of all (1), and of the losses."""


@dataclass(frozen=True, kw_only=True)
class AdaptConfig:
    """How a run is adapted.

    Args:
        run: Folder of the run; it is left as it is.
        out: Folder of the adapted run.
        data: Recording of the same world as it is now; none to see through looks of any kind.
        changed: "look": the encoder is adapted, the dynamics stay; "dynamics": the other way round.
        minutes: Time for it, or none.
        steps: Optimiser steps; with `minutes`, whichever ends first.
        batch: Old frames in a step, each shown as it is and in another look; new clips, where dynamics changed.
        learning_rate: Peak rate of AdamW.
        seed: Of batches and looks.
        device: "auto", "cpu", "cuda", …
        checkpoint_seconds: Wall time between checkpoints: what a kill at any moment can lose at most.

    Raises:
        UsageError: No budget, an empty size, or no number.
    """

    run: str
    out: str
    data: str | None = None
    changed: Changed = "look"
    minutes: float | None = 2.0
    steps: int | None = None
    batch: int = 64
    learning_rate: float = 5e-4
    seed: int = 0
    device: str = "auto"
    checkpoint_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.minutes is None and self.steps is None:
            raise UsageError("adapting needs an end", remedy="give minutes or steps")
        check_sizes(self, "minutes", "steps", "learning_rate")
        check_not_negative(self, "checkpoint_seconds")
        if self.batch < 2:
            raise UsageError("AdaptConfig.batch is an empty size", got=self.batch, expected="2 or more")
        if self.changed not in get_args(Changed):
            raise unknown_name("change", self.changed, list(get_args(Changed)))
        if self.changed == "dynamics" and self.data is None:
            raise UsageError("other dynamics must be seen to be learned", remedy="give a recording of new episodes")
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
        left_behind: What `run` has, is bound to its weights and was not taken over, by name, with the command that
            makes it again; see `left_behind`.
    """

    out: Path
    step: int
    seconds: float
    finished: bool
    losses: dict[str, float]
    before: float | None
    after: float | None
    carried: tuple[str, ...]
    left_behind: dict[str, str] = field(default_factory=dict)


def adapt(config: AdaptConfig, progress: AdaptProgress | None = None, resume: bool = False) -> AdaptSummary:
    """Adapt a run to its world as it looks or moves now.

    Another look: its encoder is taught so that all its other parts go on working. With `data`, the old frames are
    painted in the new look (`repaint.py`); without, they are shown in looks of any kind. The old encoder says what its
    latents should be. Other dynamics: these are trained on the new episodes, and latents stay what they
    were. The result is a run of its own; actor and temporal distance are taken over, bound to the new weights (fit them
    again with `fit_actor` where distances have changed). What else the run had is left behind, and the summary says so.

    Raises:
        UsageError: A run whose encoder is frozen or sees no camera, or a folder that holds something else.
        DataError: A recording that does not fit the run's sensors or actions, or is gone.
        StoreError: `run` is not a run, or was altered.
        TrainingError: A loss that is not finite; the last checkpoint is from before that batch.
    """
    began = time.perf_counter()
    source, old = reopen(Path(config.run))
    teacher = load_model(config.run, choose_device(config.device)).requires_grad_(False)
    _check_adaptable(teacher, config.run)
    now = replace(source, run=config.out)
    if config.data is not None:
        now = replace(now, data=config.data, also=(), rate_hz=None, train_episodes=0)
    new = None if config.data is None else prepare(now)
    if new is not None:
        _check_fits(teacher, new, config)
    parent = {"run": str(Path(config.run).resolve()), "weights": weights_hash(config.run)}
    settings = {name: getattr(config, name) for name in ("changed", "batch", "learning_rate", "seed")}
    folder = claim_run(now, new or old, resume, {"adapted": parent | settings})
    return _Adapter(config, teacher, old, new, source.window, folder).run(began, progress)


class _Adapter:
    def __init__(
        self, config: AdaptConfig, teacher: JEPA, old: Setup, new: Setup | None, window: int, folder: RunFolder
    ) -> None:
        self.config, self.teacher, self.folder = config, teacher, folder
        self.generator = torch.Generator().manual_seed(config.seed)
        self.new = None if new is None else NewClips(new, window, teacher)
        if config.changed == "dynamics" and self.new is not None:
            self.task = dynamics_task(teacher, self.new, config.batch)
        else:
            self.task = look_task(teacher, old, self.new, config.batch, self.generator)
        self.weights = list(self.task.trained.parameters())
        for weight in self.weights:
            weight.requires_grad_(True)
        self.optimiser = torch.optim.AdamW(self.weights, lr=config.learning_rate, weight_decay=0.0)
        self.position = Position(step=0, seconds=0.0, sampler={})
        if folder.steps():
            self.position = load_checkpoint(folder.latest(), self.task.module, self.optimiser, self.generator)

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
        model = self.task.model.eval()
        return AdaptSummary(
            out=self.folder.root,
            step=self.position.step,
            seconds=self.position.seconds,
            finished=done >= 1,
            losses=told,
            before=before,
            after=None if self.new is None else self.new.judge(model),
            carried=carry_heads(Path(self.config.run), self.folder.root) if done >= 1 else (),
            left_behind=left_behind(Path(self.config.run), self.folder.root),
        )

    def _done(self, seconds: float) -> float:
        return min(1.0, share_done(self.position.step, self.config.steps, seconds, self.config.minutes))

    def _step(self, done: float) -> dict[str, torch.Tensor]:
        rate = self.config.learning_rate * min(1.0, (self.position.step + 1) / WARM_UP_STEPS)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * (0.5 * (1 + math.cos(math.pi * done)) + 1e-2)
        self.task.trained.train()
        total, parts = self.task.loss(self.generator)
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
        save_checkpoint(self.folder, self.task.module, self.optimiser, self.generator, self.position)


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


def left_behind(source: Path, out: Path) -> dict[str, str]:
    """What a run has beside its model and `out` lacks, by name, with the command that makes it there.

    Landmarks, levels of time, trust and the head of motion were made with the old weights, and are refused with others.
    """
    here, there = RunFolder(source), RunFolder(out)
    found: dict[str, str] = {}
    if here.motion.exists() and not there.motion.exists():
        found["motion"] = f'python -c "from monde.training import fit_body_motion; fit_body_motion({str(out)!r})"'
    if here.landmarks.exists() and not there.landmarks.exists():
        found["landmarks"] = f"monde far {out}"
    if len(here.levels()) > len(there.levels()):
        found["levels of time"] = f"monde far {out} --landmarks 0 --levels {here.levels()[-1]}"
    if here.trust.exists() and not there.trust.exists():
        found["trust"] = f"monde trust {out}"
    return found


def _check_adaptable(teacher: JEPA, run: str) -> None:
    if isinstance(teacher.perception, FrozenPerception):
        raise UsageError(f"the encoder of {run} is frozen", got="a pretrained backbone", remedy="adapt another run")
    if isinstance(teacher.perception, ThingPerception):
        raise UsageError(f"{run} has no encoder to adapt", got="size things", remedy="train it on the new look")
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
