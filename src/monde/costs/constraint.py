"""What a constraint makes of its violations, whatever it constrains."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from monde.costs.base import BaseCost
from monde.costs.risk import WORST, Risk
from monde.errors import PlanningError, unknown_name
from monde.types import Rollout
from monde.types.checks import describe
from monde.types.plans import RolloutFrom

Violation = Literal["reject", "least", "graded"]

LARGER_THAN_ANY_COST = 1e6
"""What any violation costs under "least": more than all other costs together, yet small enough for float32 to order."""


Readout = Callable[[Tensor], Tensor]
"""Latents [..., N, D] to what is read off them, [..., n]: a `LinearReadout`, or a function of one's own."""


@dataclass(frozen=True, kw_only=True)
class Constraint(BaseCost):
    """Base of costs that forbid something at imagined states.

    Args:
        readout: What is constrained, of the latents of a frame.
        violation: "reject": a violating sequence has energy +Inf, and where all violate there is no plan;
            "least": any violation costs more than all else together (`LARGER_THAN_ANY_COST` × (1 + its amount)), so
            that the least violation is chosen where none can be avoided; "graded": `penalty` × its amount.
        penalty: Energy of one unit of violation, for "graded".
        blocks: Only the first so many action blocks are judged, or all. A plan is made again after its first blocks:
            what is imagined far ahead may not matter yet.
        discount: Factor of the amount of violation for each further block, in (0, 1].
        risk: Over hypotheses, of the amount. "reject" rejects what violates in any of those that the risk looks at.

    Raises:
        PlanningError: A setting out of range.
    """

    readout: Readout
    violation: Violation = "least"
    penalty: float = 1.0
    blocks: int | None = None
    discount: float = 1.0
    risk: Risk = WORST

    def __post_init__(self) -> None:
        owner = type(self).__name__
        if self.violation not in get_args(Violation):
            raise unknown_name("answer to a violation", self.violation, list(get_args(Violation)), PlanningError)
        if not 0 < self.penalty < math.inf:
            raise PlanningError(f"{owner}.penalty is unusable", got=self.penalty, expected="finite and > 0")
        if self.blocks is not None and self.blocks < 1:
            raise PlanningError(f"{owner}.blocks is unusable", got=self.blocks, expected="at least 1, or none")
        if not 0 < self.discount <= 1:
            raise PlanningError(f"{owner}.discount is unusable", got=self.discount, expected="0 < discount ≤ 1")

    def values(self, rollout: Rollout, width: int) -> tuple[Float[Tensor, "B S K H n"], Float[Tensor, "B n"] | None]:
        """The readout at the imagined states that are judged, and at the state where they begin (if that is known).

        Raises:
            PlanningError: A readout of another width.
        """
        latents = rollout.latents if self.blocks is None else rollout.latents[:, :, :, : self.blocks]
        values = self.readout(latents)
        if values.shape != (*latents.shape[:4], width):
            raise PlanningError(
                f"the readout of {type(self).__name__} has the wrong shape",
                got=describe(values),
                expected=f"[B, S, K, H, n] = {[*latents.shape[:4], width]}",
                remedy="give one bound for each component that the readout reads",
            )
        start = rollout.start if isinstance(rollout, RolloutFrom) else None
        return values, None if start is None else self.readout(start)

    def energy(self, amounts: Float[Tensor, "B S K H"]) -> Float[Tensor, "B S"]:
        """Energies of amounts of violation ≥ 0."""
        if self.discount < 1:
            amounts = amounts * self.discount ** torch.arange(amounts.shape[-1], device=amounts.device)
        total = self.risk.reduce(amounts.sum(-1))
        if self.violation == "graded":
            return self.penalty * total
        # NaN is no violation and no permission: it goes through, and the search refuses it.
        if self.violation == "reject":
            return torch.where(total > 0, torch.inf, total)
        return torch.where(total > 0, LARGER_THAN_ANY_COST * (1 + total), total)
