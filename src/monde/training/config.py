"""What one training run is asked to do."""

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from monde.errors import UsageError
from monde.limits import MAX_CLOUD_POINTS
from monde.objectives import ObjectiveConfig
from monde.training.sizes import check_not_negative, check_sizes


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One training run.

    Args:
        data: Path of the recording.
        also: Paths of further recordings to learn from at once (see `monde.data.Mixture`); needs `step_seconds`.
        run: Folder to write.
        size: "nano", "memory", "things", "tiny", "small" or "base".
        encoder: What sees, for the small sizes: "conv", or "focus" for frames of few small things (places to a fraction
            of a pixel, before anything is learned); none takes the size's own.
        sensors: Names of the sensors that the model reads; empty takes every camera.
        frame: Side to which frames are resized, in pixels.
        block: Control steps in an action block, and the frame skip.
        step_seconds: Duration of a model step; sets `block` from the recording's declared rate. None takes `block`.
        rate_hz: Frames per second of `data`, where its layout does not store it; none takes what is declared.
        action_free: Leave actions out, even where they were recorded: predict what comes of time alone.
        window: Model steps in a training clip.
        batch: Clips in a batch, per process.
        steps: Optimiser steps, or none.
        minutes: Wall time, or none; with `steps`, whichever ends first.
        learning_rate: Peak rate of AdamW; none takes the size's default.
        weight_decay: AdamW's.
        warmup_steps: Steps over which the rate rises linearly before it falls as a cosine.
        gradient_norm: Gradients are clipped to this norm.
        seed: Seeds weights, batches and SIGReg's directions.
        held_out: Share of the episodes (of the time, where there is only one) that is never trained on.
        folds: Number of parts of a k-fold split, one of which is held out; 0 holds out the share `held_out`.
        fold: Which part, from 0.
        train_episodes: Learn from so many of the episodes that are not held out, the same ones and more where it is
            larger (for learning curves); 0 takes all.
        device: "auto", "cpu", "cuda", "cuda:1", …
        precision: "auto", "fp32" or "bf16".
        objective: What is minimised.
        backbone: A frozen pretrained encoder in place of one that is trained: folder, or name on the hub.
        grid: Tokens a side that are kept of each frame of `backbone`.
        tokens: In which precision they are cached.
        shift: Largest random offset of a clip's frames, as a share of their side; 0 leaves them where they are.
        mirror: Show half of the clips in a mirror, left for right; for recordings in which nobody acts.
        channels: Show each clip with its colour channels in a random order.
        sensor_dropout: Probability that a whole sensor is hidden from a clip; never all of them, and only where there
            are several.
        points: Most points of a cloud that the model reads; of larger ones an even part is taken.
        log_seconds: Wall time between log lines.
        checkpoint_seconds: Wall time between checkpoints: what a kill at any moment can lose at most.

    Raises:
        UsageError: No budget, an empty one, sizes that make no training, or no number.
    """

    data: str
    run: str
    also: tuple[str, ...] = ()
    size: str = "nano"
    encoder: Literal["conv", "focus"] | None = None
    sensors: tuple[str, ...] = ()
    frame: int = 64
    block: int = 5
    step_seconds: float | None = None
    rate_hz: float | None = None
    action_free: bool = False
    window: int = 4
    batch: int = 128
    steps: int | None = None
    minutes: float | None = None
    learning_rate: float | None = None
    weight_decay: float = 1e-4
    warmup_steps: int = 50
    gradient_norm: float = 1.0
    seed: int = 0
    held_out: float = 0.1
    folds: int = 0
    fold: int = 0
    train_episodes: int = 0
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    backbone: str | None = None
    grid: int = 4
    tokens: Literal["float16", "float32"] = "float16"
    shift: float = 0.0
    mirror: bool = False
    channels: bool = False
    sensor_dropout: float = 0.2
    points: int = 1024
    log_seconds: float = 5.0
    checkpoint_seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.steps is None and self.minutes is None:
            raise UsageError("training needs a budget", remedy="give --minutes 4, or --steps 2000")
        if self.steps is not None and self.steps < 1:
            raise UsageError("training for no steps trains nothing", got=self.steps, remedy="give --steps 1 or more")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise UsageError(
                "training for no time trains nothing", got=f"--minutes {self.minutes:g}", remedy="give --minutes 4, say"
            )
        check_sizes(self, "learning_rate", "rate_hz", "gradient_norm")
        check_not_negative(self, "weight_decay", "log_seconds", "checkpoint_seconds")
        if self.window < 2 or self.batch < 2 or self.block < 1:
            raise UsageError(
                "there is nothing to predict in windows this small",
                got=f"window {self.window}, batch {self.batch}, block {self.block}",
                expected="window ≥ 2, batch ≥ 2, block ≥ 1",
            )
        if self.folds and not (self.folds >= 2 and 0 <= self.fold < self.folds):
            raise UsageError(
                "there is no such fold",
                got=f"fold {self.fold} of {self.folds}",
                expected="at least 2 folds, numbered from 0",
            )
        if not 0 <= self.sensor_dropout < 1:
            raise UsageError(
                "a sensor cannot be hidden that often", got=self.sensor_dropout, expected="a probability below 1"
            )
        if not 1 <= self.points <= MAX_CLOUD_POINTS:
            raise UsageError(
                "clouds cannot have this size", got=self.points, expected=f"1 to {MAX_CLOUD_POINTS} points"
            )
        if not 0 <= self.shift < 0.5:
            raise UsageError("frames cannot be shifted that far", got=self.shift, expected="0 to 0.5 of their side")
        changed = bool(self.shift or self.mirror or self.channels)
        if self.backbone is not None and (changed or self.objective.inverse_weight):
            raise UsageError(
                "a frozen encoder learns nothing",
                got=f"--backbone with augmentation or inverse {self.objective.inverse_weight:g}",
                remedy="leave --shift, --mirror, --channels and --inverse out: they teach an encoder",
            )
        if self.also and self.step_seconds is None:
            raise UsageError(
                "several recordings need a common model step",
                got=f"{1 + len(self.also)} recordings",
                remedy="give --step-seconds 0.2, say",
            )
        if self.step_seconds is not None and not 0 < self.step_seconds < math.inf:
            raise UsageError("a model step takes no time", got=self.step_seconds, remedy="give --step-seconds 0.2, say")
        if self.action_free and self.objective.inverse_weight:
            raise UsageError(
                "inverse dynamics cannot be learned without actions",
                got=f"inverse_weight {self.objective.inverse_weight:g} and action_free",
                remedy="leave one of them out",
            )
        if self.window <= self.objective.context:
            raise UsageError(
                "the window leaves nothing to predict after its context",
                got=f"window {self.window}, context {self.objective.context}",
                remedy="make --window larger than the objective's context",
            )

    @property
    def minimised(self) -> ObjectiveConfig:
        """The objective; latents of what learns nothing cannot collapse, and are not regularised. Things' errors are
        likelihoods, in which outliers have their place."""
        if self.backbone is None and self.size != "things":
            return self.objective
        plain = replace(self.objective, regulariser_weight=0.0, within_weight=0.0, kept_weight=0.0)
        return replace(plain, outliers=None) if self.size == "things" else plain


def default_learning_rate(size: str) -> float:
    """The peak rate that each size is trained with unless told otherwise."""
    return {"nano": 2e-3, "memory": 2e-3, "things": 1e-3, "tiny": 3e-4, "small": 2e-4, "base": 1e-4}.get(size, 3e-4)
