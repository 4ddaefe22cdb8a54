"""What a planner is given (`Problem`) and what it returns (`Plan`). A planner owns no model and knows no goal."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Generator, Tensor

from monde.errors import ContractError
from monde.types.actions import ActionSpec
from monde.types.beliefs import Rollout
from monde.types.checks import check_leading, check_rank, describe

Imagine = Callable[[Tensor], Rollout]
"""Action blocks [B, S, H, A] to their imagined futures."""

Energy = Callable[[Rollout, Tensor], Tensor]
"""Futures and the actions [B, S, H, A] that led there to energies [B, S]; lower is better."""

Propose = Callable[[int, int, Generator], Tensor]
"""Number of samples S, horizon H and a generator to proposed action blocks [B, S, H, A]."""


@dataclass(frozen=True)
class Problem:
    """One planning problem for each of `batch` rows, as callables over action blocks.

    Args:
        imagine: [B, S, H, A] to Rollout.
        cost: (Rollout, [B, S, H, A]) to [B, S]; goal already bound.
        actions: Bounds, block length and kind of the action blocks.
        batch: B.
        propose: Optional source of good first guesses (an actor).
    """

    imagine: Imagine
    cost: Energy
    actions: ActionSpec
    batch: int
    propose: Propose | None = None

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ContractError("Problem.batch must be positive", got=self.batch, expected="at least one row")


@dataclass(frozen=True, repr=False)
class Plan:
    """What to do, what is expected to come of it, and what it took to find out.

    Args:
        actions: [B, H, A] action blocks, within bounds.
        rollout: The imagined future of `actions` (S = 1).
        cost_before: [B] energy of the first guess.
        cost_after: [B] energy of `actions`; never above `cost_before` by more than rounding.
        samples: Action sequences evaluated, per row.
        seconds: Wall time of the whole call (all rows together).
        deadline_hit: Whether the deadline cut the search short.
        success_probability: [B], or none where nothing is calibrated to tell.
    """

    actions: Float[Tensor, "B H A"]
    rollout: Rollout
    cost_before: Float[Tensor, " B"]
    cost_after: Float[Tensor, " B"]
    samples: int
    seconds: float
    deadline_hit: bool = False
    success_probability: Float[Tensor, " B"] | None = None

    def __post_init__(self) -> None:
        check_rank("Plan", "actions", self.actions, "B H A")
        B = self.actions.shape[:1]
        check_leading("Plan", "cost_before", self.cost_before, B, "B")
        check_leading("Plan", "cost_after", self.cost_after, B, "B")

    def __repr__(self) -> str:
        cut = ", cut short by its deadline" if self.deadline_hit else ""
        return (
            f"Plan(actions={describe(self.actions)}, cost {self.cost_before.mean().item():.4g} to "
            f"{self.cost_after.mean().item():.4g}, {self.samples} samples in {self.seconds * 1e3:.3g} ms{cut})"
        )
