"""Keeping clear of whatever a laser scanner would see."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from monde.costs.constraint import Constraint
from monde.errors import PlanningError
from monde.types import Goal, Rollout
from monde.types.checks import describe


@dataclass(frozen=True, kw_only=True)
class Clearance(Constraint):
    """Keeps all ranges of a predicted scan above `least_metres`; the amount of violation is by how much the nearest
    thing is nearer, in metres, summed over imagined states.

    The readout reads ranges (`monde.readouts.ScanReadout`), however many.

    Args:
        least_metres: From the scanner to the nearest thing: the body's radius and a margin.

    Raises:
        PlanningError: A distance that is not positive.
    """

    least_metres: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.least_metres < math.inf:
            raise PlanningError("Clearance.least_metres is unusable", got=self.least_metres, expected="finite and > 0")

    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """Energy of each action sequence, whatever the goal.

        Raises:
            PlanningError: A readout that reads nothing for each imagined state.
        """
        latents = rollout.latents if self.blocks is None else rollout.latents[:, :, :, : self.blocks]
        ranges = self.readout(latents)
        if ranges.ndim != 5 or ranges.shape[:4] != latents.shape[:4]:
            raise PlanningError(
                "the readout of Clearance has the wrong shape",
                got=describe(ranges),
                expected=f"[B, S, K, H, R] = {[*latents.shape[:4], 'R']}",
                remedy="give a readout of ranges, such as a ScanReadout",
            )
        return self.energy((self.least_metres - ranges.amin(-1)).clamp_min(0))
