"""Bounds on a readout: a joint's range, a speed, a height."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from monde.costs.constraint import Constraint
from monde.errors import PlanningError
from monde.types import Goal, Rollout


@dataclass(frozen=True, kw_only=True)
class Limit(Constraint):
    """Keeps each component of a readout between `low` and `high`; the amount of violation is how far it lies beyond,
    in the readout's unit, summed over components and imagined states.

    A range is convex: on the straight way between two states within it nothing is beyond it.

    Args:
        low: Lower bound of each component; -Inf for none.
        high: Upper bounds, likewise; +Inf for none.

    Raises:
        PlanningError: Bounds that are reversed, NaN, of unequal number, or that bound nothing.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.low) != len(self.high) or not self.low:
            raise PlanningError("Limit bounds differ in number", got=f"{len(self.low)} low, {len(self.high)} high")
        for index, (low, high) in enumerate(zip(self.low, self.high, strict=True)):
            if not (low <= high and low < math.inf and high > -math.inf):
                raise PlanningError(
                    f"Limit component {index} has unusable bounds", got=f"{low} to {high}", expected="low ≤ high"
                )
        if all(math.isinf(bound) for bound in (*self.low, *self.high)):
            raise PlanningError("Limit bounds nothing", got="infinite bounds only", expected="one finite bound")

    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """Energy of each action sequence, whatever the goal.

        Raises:
            PlanningError: A readout of another width than the bounds.
        """
        values, _ = self.values(rollout, len(self.low))
        low, high = values.new_tensor(self.low), values.new_tensor(self.high)
        return self.energy(((low - values).clamp_min(0) + (values - high).clamp_min(0)).sum(-1))
