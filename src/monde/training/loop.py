"""The loop: one batch, one loss, one step; logged, checked and saved as it goes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.nn.parallel import DistributedDataParallel

from monde.data import Sampler
from monde.errors import TrainingError
from monde.models import initialised
from monde.store import RunFolder
from monde.training.augment import augmented
from monde.training.checkpoint import Position, load_checkpoint, save_checkpoint
from monde.training.config import TrainConfig, default_learning_rate
from monde.training.device import choose_device, choose_precision
from monde.training.distributed import Ranks, agree_to_stop, process_group
from monde.training.guard import check_clip, check_gradients, check_losses
from monde.training.latent_windows import standardise_tokens
from monde.training.log import MetricsLog
from monde.training.moments import standardise_senses
from monde.training.probe import Probe
from monde.training.schedule import learning_rate, share_done
from monde.training.setup import Setup, block_moments, claim_run, prepare, untrained_floor
from monde.training.signals import StopOnSignal
from monde.training.step import TrainStep


@dataclass(frozen=True, kw_only=True)
class TrainProgress:
    """What is told at every log line.

    Args:
        step: Optimiser steps taken.
        done: Share of the budget used, 0 to 1.
        frames_per_second: Frames through forward, backward, step and loading, since the last line.
        seconds_left: Estimated.
        metrics: The line itself.
        alarms: Signs of collapse with advice.
    """

    step: int
    done: float
    frames_per_second: float
    seconds_left: float
    metrics: Mapping[str, float]
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrainSummary:
    """What a call of `train` did.

    Args:
        run: Run folder.
        checkpoint: Newest checkpoint.
        step: Steps taken in all.
        seconds: Training time in all.
        frames_per_second: Over this call.
        finished: Whether the budget was used up (false after a signal).
        alarms: Signs of collapse at the end.
        left_out: Recorded sensors of large samples that the model does not read.
    """

    run: Path
    checkpoint: Path
    step: int
    seconds: float
    frames_per_second: float
    finished: bool
    alarms: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


PROBE_SHARE = 0.05
"""Share of the wall time that probing while training may take."""

ProgressCallback = Callable[[TrainProgress], None]


def train(config: TrainConfig, progress: ProgressCallback | None = None, resume: bool = False) -> TrainSummary:
    """Train a world model on a recording.

    A kill at any moment loses at most `checkpoint_seconds`; SIGINT and SIGTERM leave a loadable checkpoint first. With
    `steps` alone as the budget a resumed run is bit-equal to an uninterrupted one on a CPU (a budget in minutes makes
    the learning rate follow the clock).

    Raises:
        UsageError: Settings that make no training, or a run folder that holds another run.
        DataError: The recording cannot be trained on.
        TrainingError: NaN or infinity in data, loss or gradient; weights are as before that batch, and saved.
    """
    device = choose_device(config.device)
    with process_group(device) as ranks:
        setup = prepare(config)
        if ranks.first:
            claim_run(config, setup, resume)
        return _Trainer(config, setup, device, ranks).run(progress)


@dataclass
class _Tally:
    """Counts since the last log line."""

    started: float
    frames: int = 0
    alarms: tuple[str, ...] = ()
    metrics: dict[str, float] = field(default_factory=dict)


class _Trainer:
    def __init__(self, config: TrainConfig, setup: Setup, device: torch.device, ranks: Ranks) -> None:
        self.config, self.setup, self.device, self.ranks = config, setup, device, ranks
        self.folder = RunFolder(Path(config.run))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)  # for the objective's own layers
            self.module = TrainStep(initialised(setup.model, config.seed), config.minimised, config.sensor_dropout)
        mean, std = block_moments(setup.moments, setup.model.actions)
        self.module.model.action_mean.copy_(mean)
        self.module.model.action_std.copy_(std)
        standardise_senses(self.module.model, setup.cache, setup.split.train)
        standardise_tokens(self.module.model, setup.cache, setup.split.train)
        self.module.to(device)
        self.module.model.autocast = choose_precision(config.precision, device)
        self.optimiser = optimiser_for(self.module, config)
        self.generator = torch.Generator().manual_seed(config.seed + 1)
        self.sampler = Sampler(
            len(setup.train), config.batch, config.seed, rank=ranks.rank, world_size=ranks.world_size
        )
        self.position = Position(step=0, seconds=0.0, sampler=self.sampler.state())
        self.probe = None if setup.probed is None else Probe(setup.train, setup.held_out, setup.probed)
        self.untrained = self.probe(untrained_floor(setup, config.seed)) if self.probe and ranks.first else None
        self.probe_due = 0.0
        if self.folder.steps():
            self.position = load_checkpoint(self.folder.latest(), self.module, self.optimiser, self.generator)
            self.sampler.restore(self.position.sampler)
        self.stepper: torch.nn.Module = self.module
        if ranks.world_size > 1:
            self.stepper = DistributedDataParallel(self.module)

    def run(self, progress: ProgressCallback | None) -> TrainSummary:
        """Until the budget is used up or a signal asks to stop."""
        before = self.position
        with StopOnSignal() as signals, MetricsLog(self.folder, before.step) as log:
            clock = time.perf_counter()
            saved = clock
            tally = _Tally(clock)
            while True:
                now = time.perf_counter()
                elapsed = before.seconds + now - clock
                done = self._done(elapsed)
                stop = agree_to_stop(signals.asked or done >= 1, self.ranks, self.device)
                if tally.frames and (stop or now - tally.started >= self.config.log_seconds):
                    tally = self._log(log, tally, elapsed, done, progress)
                if stop:
                    break
                if now - saved >= self.config.checkpoint_seconds:
                    self._save(elapsed)
                    saved = time.perf_counter()
                due = time.perf_counter() - tally.started >= self.config.log_seconds / 2
                before_step = self._side_state()
                try:
                    self._step(done, tally, measure=due or self.position.step == 0)
                except TrainingError:
                    self._restore_side_state(before_step)
                    self._save(elapsed)
                    raise
            seconds = before.seconds + time.perf_counter() - clock
        checkpoint = self._save(seconds)
        frames = (self.position.step - before.step) * self.config.batch * self.config.window * self.ranks.world_size
        return TrainSummary(
            run=self.folder.root,
            checkpoint=checkpoint,
            step=self.position.step,
            seconds=seconds,
            frames_per_second=frames / max(seconds - before.seconds, 1e-9),
            finished=done >= 1,
            alarms=tally.alarms,
            left_out=self.setup.left_out,
        )

    def _done(self, elapsed: float) -> float:
        return min(1.0, share_done(self.position.step, self.config.steps, elapsed, self.config.minutes))

    def _step(self, done: float, tally: _Tally, measure: bool) -> None:
        index = self.sampler.next()
        position = self.position

        def where() -> str:
            episode, start = self.setup.train.locate(index[:1])
            return (
                f"step {position.step}, windows {index[:4].tolist()}… of the sampler's state {dict(position.sampler)}, "
                f"the first from episode {int(episode[0])} step {int(start[0])}"
            )

        clip = self.setup.train.clip(index)
        check_clip(clip, where)
        clip = augmented(clip, self.config, self.generator)
        clip = clip.to(self.device)
        rate = learning_rate(
            self.config.learning_rate or default_learning_rate(self.config.size),
            position.step,
            self.config.warmup_steps,
            done,
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        losses = self.stepper(clip, self.generator, measure)
        check_losses(losses.total, losses.parts, where)
        self.optimiser.zero_grad(set_to_none=True)
        losses.total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), self.config.gradient_norm)
        check_gradients(norm, self.module, where)
        self.optimiser.step()
        self.position = Position(step=position.step + 1, seconds=position.seconds, sampler=self.sampler.state())
        tally.frames += self.config.batch * self.config.window * self.ranks.world_size
        if measure:
            tally.metrics = {"loss": float(losses.total.detach()), "gradient_norm": float(norm), "learning_rate": rate}
            tally.metrics |= {f"loss/{name}": float(value) for name, value in losses.parts.items()}

    def _side_state(self) -> tuple[list[torch.Tensor], torch.Tensor]:
        """What a step changes before its loss is known to be finite: running statistics and the generator."""
        return [buffer.clone() for buffer in self.module.buffers()], self.generator.get_state()

    def _restore_side_state(self, state: tuple[list[torch.Tensor], torch.Tensor]) -> None:
        for buffer, value in zip(self.module.buffers(), state[0], strict=True):
            buffer.copy_(value)
        self.generator.set_state(state[1])

    def _log(
        self, log: MetricsLog, tally: _Tally, elapsed: float, done: float, progress: ProgressCallback | None
    ) -> _Tally:
        speed = tally.frames / max(time.perf_counter() - tally.started, 1e-9)
        metrics = {"seconds": elapsed, "frames_per_second": speed, **tally.metrics}
        alarms: tuple[str, ...] = ()
        meters = self.module.meters
        if meters is not None:
            metrics |= {
                "latent/effective_rank": meters.effective_rank,
                "latent/std": meters.latent_std,
                "latent/motion_share": meters.motion_share,
            }
            # A network that has only just begun looks collapsed: alarms wait until the warm-up is over.
            if self.position.step > 2 * self.config.warmup_steps:
                alarms = tuple(meters.alarms(self.module.model.latent))
        probed, worse = self._probe(done)
        metrics |= probed
        alarms += worse
        if self.ranks.first:
            log.write(self.position.step, metrics | ({"alarm": " | ".join(alarms)} if alarms else {}))
            if progress is not None:
                left = elapsed * (1 - done) / done if done > 0 else float("inf")
                progress(
                    TrainProgress(
                        step=self.position.step,
                        done=done,
                        frames_per_second=speed,
                        seconds_left=left,
                        metrics=metrics,
                        alarms=alarms,
                    )
                )
        return _Tally(time.perf_counter(), alarms=alarms, metrics=tally.metrics)

    def _probe(self, done: float) -> tuple[dict[str, float], tuple[str, ...]]:
        if self.probe is None or self.untrained is None or (time.perf_counter() < self.probe_due and done < 1):
            return {}, ()
        started = time.perf_counter()
        score = self.probe(self.module.model)
        ended = time.perf_counter()
        self.probe_due = ended + (ended - started) / PROBE_SHARE
        worse: tuple[str, ...] = ()
        if self.position.step > 2 * self.config.warmup_steps and done >= 0.25 and score < self.untrained:
            worse = (
                f"the state is read worse (R² {score:.3f}) than from an untrained network ({self.untrained:.3f}): "
                "raise the regulariser's weight, or add inverse dynamics",
            )
        return {"probe/r2": score, "probe/untrained_r2": self.untrained}, worse

    def _save(self, seconds: float) -> Path:
        self.position = Position(step=self.position.step, seconds=seconds, sampler=self.position.sampler)
        if not self.ranks.first:
            return self.folder.checkpoint(self.position.step)
        return save_checkpoint(self.folder, self.module, self.optimiser, self.generator, self.position)


def optimiser_for(module: TrainStep, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW as a run is trained with."""
    # Gains, biases and codes are not decayed: decay towards zero is meant for matrices.
    named = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
    matrices = [parameter for _, parameter in named if parameter.ndim >= 2]
    others = [parameter for _, parameter in named if parameter.ndim < 2]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), fused=True)
