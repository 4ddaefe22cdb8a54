"""How the dynamics of a run are trained further."""

from dataclasses import dataclass
from typing import Literal, get_args

from monde.errors import UsageError, unknown_name
from monde.training.sizes import check_not_negative, check_sizes

Optimiser = Literal["adamw", "muon"]


@dataclass(frozen=True, kw_only=True)
class RefineConfig:
    """How the dynamics of a run are trained further.

    Args:
        minutes: Time for it, encoding included; or none.
        steps: Optimiser steps, or none; with `minutes`, whichever ends first.
        windows: Lengths of the windows in model steps, one of which is drawn for each batch; none for whole films,
            which are told apart by length and by how many tokens they fill, so that a batch has no padding. Of whole
            films the moments from which on more than one step is foreseen are drawn, too.
        rollout_steps: As `ObjectiveConfig.rollout_steps`: how far ahead it learns to imagine.
        batch: Windows in a batch.
        optimiser: "adamw", or "muon": orthogonalised momentum for all matrices but those of the last layers (Muon,
            Jordan et al. 2024; its updates scaled as AdamW's are: arXiv 2502.16982), AdamW for the rest.
        learning_rate: Peak rate of AdamW; Muon's is one and a half times that.
        most_frames: Episodes are drawn at random until they have that many frames, and all of them looked at.
        phases: First frames of a step that each episode is seen from, drawn at random; none for every one of them. Who
            sees it from fewer encodes that share of its frames.
        seed: Of batches.
        device: "auto", "cpu", "cuda", …
        precision: "auto", "fp32" or "bf16".

    Raises:
        UsageError: No end, an empty size, no number, or an unknown optimiser.
    """

    minutes: float | None = 10.0
    steps: int | None = None
    windows: tuple[int, ...] = (8, 13)
    rollout_steps: int = 5
    batch: int = 128
    optimiser: Optimiser = "adamw"
    learning_rate: float = 1e-3
    most_frames: int = 1_000_000
    phases: int | None = None
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.minutes is None and self.steps is None:
            raise UsageError("refining needs an end", remedy="give minutes or steps")
        if self.optimiser not in get_args(Optimiser):
            raise unknown_name("optimiser", self.optimiser, list(get_args(Optimiser)), UsageError)
        check_sizes(self, "minutes", "steps", "rollout_steps", "learning_rate", "most_frames", "phases")
        check_not_negative(self, "seed")
        if min(self.windows, default=1) < 1 or self.batch < 2:
            got = f"windows {self.windows}, batch {self.batch}"
            raise UsageError("RefineConfig has an empty size", got=got, expected="windows ≥ 1, batch ≥ 2")
