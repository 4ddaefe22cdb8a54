"""How far a plan can be trusted: a probability for each row, and why a goal is given up."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from monde.errors import ContractError
from monde.types.checks import check_rank


@dataclass(frozen=True, kw_only=True)
class Unreachable:
    """Imagination never gets near the goal.

    Args:
        blocks_now: Learned time to the goal from here, in action blocks.
        blocks_closest: The least that imagination came to within the budget.
        furthest_blocks: Where the learned time saturates: further is "far".
    """

    blocks_now: float
    blocks_closest: float
    furthest_blocks: float

    def __str__(self) -> str:
        if self.blocks_now >= SATURATED * self.furthest_blocks:
            start = f"it lies beyond the {self.furthest_blocks:g} blocks that the learned time knows"
        else:
            start = f"it seems {self.blocks_now:.1f} blocks away"
        return f"unreachable: {start}, and imagination comes no nearer than {self.blocks_closest:.1f} blocks"


@dataclass(frozen=True, kw_only=True)
class OutOfDistribution:
    """The goal, or what is seen now, is unlike anything that was trained on.

    Args:
        what: Which of the two.
        distance: Of its latent from what was trained on, in units of the limit's.
        limit: What 99.9% of held-out frames stay below.
    """

    what: Literal["goal", "present"]
    distance: float
    limit: float

    def __str__(self) -> str:
        shown = "the goal's picture" if self.what == "goal" else "what is seen now"
        measured = f"{self.distance:.3g}, limit {self.limit:.3g}"
        return f"out of distribution: {shown} is unlike all that was trained on ({measured})"


@dataclass(frozen=True, kw_only=True)
class TooUncertain:
    """It may be reached, but probably not.

    Args:
        probability: Of success.
        least: That is asked for.
    """

    probability: float
    least: float

    def __str__(self) -> str:
        return f"too uncertain: success has a probability of {self.probability:.2f}, {self.least:.2f} is asked for"


Reason = Unreachable | OutOfDistribution | TooUncertain
"""Why a goal is given up: "cannot be reached, because"."""

SATURATED = 0.9
"""Share of its furthest from which on a learned time is no longer a time."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What is expected of each row before it acts.

    Args:
        probability: [B] of success within the budget.
        reasons: Why a row would better not act, or none; B of them.

    Raises:
        ContractError: Not one reason (or none) for each row.
    """

    probability: Float[Tensor, " B"]
    reasons: tuple[Reason | None, ...]

    def __post_init__(self) -> None:
        check_rank("Forecast", "probability", self.probability, "B")
        if len(self.reasons) != len(self.probability):
            raise ContractError(
                "Forecast rows do not line up", got=f"{len(self.reasons)} reasons", expected=len(self.probability)
            )
