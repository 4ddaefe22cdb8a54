"""`monde train DATA`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from monde.cli.progress import Reporter
from monde.cli.verb import INTERRUPTED, Data, Outcome, Rate

if TYPE_CHECKING:
    from monde.training import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a world model on a recording. Give --minutes or --steps; a kill at any moment loses at most a minute."""

    data: Data
    """Folder of the recording."""
    also: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="DATA ...", help_behavior_hint="")] = ()
    """Further recordings to learn from at once, each with its own rate and actions; needs --step-seconds."""
    run: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: runs/NAME)")] = None
    """Folder to write."""
    name: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="(default: that of DATA)")] = None
    """Name of the run."""
    size: Literal["nano", "memory", "things", "tiny", "small", "base"] = "nano"
    """The one dial: nano trains in CPU minutes, memory keeps in mind what is hidden, things sees plain films as
    objects, tiny has 15 M parameters."""
    encoder: Annotated[
        Literal["conv", "focus"] | None, tyro.conf.arg(help_behavior_hint="(default: that of the size)")
    ] = None
    """What nano and memory see with: focus places few small things to a fraction of a pixel."""
    minutes: Annotated[float | None, tyro.conf.arg(metavar="F", help_behavior_hint="")] = None
    """Training time."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None
    """Optimiser steps; with --minutes, whichever ends first."""
    batch: int = 128
    """Clips in a batch, per process."""
    block: int = 5
    """Control steps in one action block, and the frame skip."""
    step_seconds: Annotated[float | None, tyro.conf.arg(metavar="F", help_behavior_hint="")] = None
    """Duration of a model step; sets --block from the recording's rate."""
    rate: Rate = None
    """Frames per second, where DATA does not store it (RLDS, HDF5, Zarr); steps per second of a log."""
    action_free: bool = False
    """Leave the actions out, even where they were recorded."""
    folds: int = 0
    """Hold out one of so many parts of the episodes (k-fold); 0 holds out a tenth of them."""
    fold: int = 0
    """Which part, from 0."""
    window: int = 4
    """Frames in a training clip."""
    frame: int = 64
    """Side to which frames are resized, in pixels."""
    sensors: Annotated[
        tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help_behavior_hint="(default: all cameras)")
    ] = ()
    """Sensors that the model reads."""
    regulariser: float = 0.1
    """Weight of SIGReg, which keeps the latents from collapsing."""
    inverse: float = 0.0
    """Weight of inverse dynamics, which keeps in the latents what actions control; 10 suits small robot logs."""
    within: float = 0.0
    """Weight of variety within clips, which keeps in the latents what changes; 1 suits films of scenes at rest."""
    keep: float = 0.0
    """Weight of telling what the untrained encoder told, which keeps in the latents what lies still; 3 suits tables."""
    rollout_context: int = 1
    """Frames that the prediction of several steps is given; memory wants 2 or more."""
    rollout_steps: int = 0
    """Steps after which that prediction begins anew from what was seen; 0 never."""
    outliers: Annotated[float | None, tyro.conf.arg(metavar="F", help_behavior_hint="(default: none)")] = None
    """Squared error from which on errors count by their size (what nobody can foresee); memory learns well with 0.1."""
    backbone: Annotated[str | None, tyro.conf.arg(metavar="MODEL", help_behavior_hint="")] = None
    """A frozen pretrained encoder (DINOv2, DINOv3, V-JEPA 2): its folder, or its name on the Hugging Face Hub."""
    grid: int = 4
    """Tokens a side that are kept of what --backbone makes of a frame."""
    shift: float = 0.0
    """Move a clip's frames about by up to this share of their side: for recordings of a few thousand frames."""
    mirror: bool = False
    """Show half of the clips in a mirror; where nobody acts."""
    channels: bool = False
    """Show each clip with its colour channels in a random order."""
    sensor_dropout: float = 0.2
    """Probability that a sensor is hidden from a clip, where there are several: so any of them may be missing later."""
    points: int = 1024
    """Most points of a cloud that the model reads."""
    seed: int = 0
    """Seed of weights and batches."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, …"""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto takes bf16 where the machine is fast at it."""
    resume: bool = False
    """Go on with the run that is in the folder."""

    @property
    def folder(self) -> Path:
        """Where the run is written."""
        return self.run or Path("runs") / (self.name or self.data.resolve().name)

    def execute(self, reporter: Reporter) -> Outcome:
        """Train; see `monde.training.train`."""
        from monde.objectives import ObjectiveConfig
        from monde.training import TrainConfig, TrainProgress, train

        config = TrainConfig(
            data=str(self.data),
            also=tuple(map(str, self.also)),
            run=str(self.folder),
            size=self.size,
            encoder=self.encoder,
            sensors=self.sensors,
            frame=self.frame,
            block=self.block,
            step_seconds=self.step_seconds,
            rate_hz=self.rate,
            action_free=self.action_free,
            folds=self.folds,
            fold=self.fold,
            window=self.window,
            batch=self.batch,
            steps=self.steps,
            minutes=self.minutes,
            objective=ObjectiveConfig(
                regulariser_weight=self.regulariser,
                inverse_weight=self.inverse,
                within_weight=self.within,
                kept_weight=self.keep,
                context=self.rollout_context,
                rollout_steps=self.rollout_steps,
                outliers=self.outliers,
            ),
            backbone=self.backbone,
            grid=self.grid,
            shift=self.shift,
            mirror=self.mirror,
            channels=self.channels,
            sensor_dropout=self.sensor_dropout,
            points=self.points,
            seed=self.seed,
            device=self.device,
            precision=self.precision,
        )
        if self.backbone is not None:
            encode_frames(config, reporter)
        told: set[str] = set()
        with reporter.track(f"training {self.folder}") as advance:

            def progress(now: TrainProgress) -> None:
                advance(now.done, 1.0, note(now.step, now.metrics))
                for alarm in (alarm for alarm in now.alarms if alarm not in told):
                    told.add(alarm)
                    reporter.say(f"alarm at step {now.step:,}: {alarm}")

            summary = train(config, progress, resume=self.resume)
        if summary.left_out:
            reporter.say(f"not read: {', '.join(summary.left_out)} (name sensors with --sensors)")
        document = {
            "verb": "train",
            "run": str(summary.run),
            "checkpoint": str(summary.checkpoint),
            "step": summary.step,
            "seconds": summary.seconds,
            "frames_per_second": summary.frames_per_second,
            "finished": summary.finished,
            "alarms": list(summary.alarms),
            "left_out": list(summary.left_out),
        }
        done = f"{summary.run}: {summary.step:,} steps in {summary.seconds:.0f} s"
        speed = f" ({summary.frames_per_second:,.0f} frames/s)"
        if summary.finished:
            return Outcome(done + speed, document)
        return Outcome(f"{done}{speed}, stopped by a signal. {self.kept()}", document, status=INTERRUPTED)

    def kept(self) -> str:
        """Checkpoints."""
        return f"The last checkpoint is kept in {self.folder}; the same command with --resume goes on from it."


def encode_frames(config: "TrainConfig", reporter: Reporter) -> None:
    """Make the cache of a frozen encoder's tokens, where it is not there yet, and say so while it takes."""
    from monde.training.setup import prepare

    with reporter.track(f"encoding frames with {config.backbone}", "frames") as advance:
        prepare(config, progress=advance)


def note(step: int, metrics: Mapping[str, float]) -> str:
    """What a training line shows beside the bar."""
    shown = {"loss": "loss {:.3g}", "frames_per_second": "{:,.0f} frames/s", "latent/effective_rank": "rank {:.1f}"}
    parts = [text.format(metrics[key]) for key, text in shown.items() if key in metrics]
    return ", ".join([f"step {step:,}", *parts])
