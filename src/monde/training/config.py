"""What one training run is asked to do."""

import math
from dataclasses import dataclass, field
from typing import Literal

from monde.errors import UsageError
from monde.objectives import ObjectiveConfig


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One training run.

    Args:
        data: Path of the recording.
        run: Folder to write.
        size: "nano", "tiny", "small" or "base".
        sensors: Names of the sensors that the model reads; empty takes every camera.
        frame: Side to which frames are resized, in pixels.
        block: Control steps in an action block, and the frame skip.
        window: Model steps in a training clip.
        batch: Clips in a batch, per process.
        steps: Optimiser steps, or none.
        minutes: Wall time, or none; with `steps`, whichever ends first.
        learning_rate: Peak rate of AdamW; none takes the size's default.
        weight_decay: AdamW's.
        warmup_steps: Steps over which the rate rises linearly before it falls as a cosine.
        gradient_norm: Gradients are clipped to this norm.
        seed: Seeds weights, batches and SIGReg's directions.
        held_out: Share of the episodes that is never trained on.
        device: "auto", "cpu", "cuda", "cuda:1", …
        precision: "auto", "fp32" or "bf16".
        objective: What is minimised.
        log_seconds: Wall time between log lines.
        checkpoint_seconds: Wall time between checkpoints: what a kill at any moment can lose at most.

    Raises:
        UsageError: No budget, an empty one, or sizes that make no training.
    """

    data: str
    run: str
    size: str = "nano"
    sensors: tuple[str, ...] = ()
    frame: int = 64
    block: int = 5
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
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
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
        if self.window < 2 or self.batch < 2 or self.block < 1:
            raise UsageError(
                "there is nothing to predict in windows this small",
                got=f"window {self.window}, batch {self.batch}, block {self.block}",
                expected="window ≥ 2, batch ≥ 2, block ≥ 1",
            )
        if self.window <= self.objective.context:
            raise UsageError(
                "the window leaves nothing to predict after its context",
                got=f"window {self.window}, context {self.objective.context}",
                remedy="make --window larger than the objective's context",
            )


def default_learning_rate(size: str) -> float:
    """The peak rate that each size is trained with unless told otherwise."""
    return {"nano": 2e-3, "tiny": 3e-4, "small": 2e-4, "base": 1e-4}.get(size, 3e-4)
