"""What acting itself costs."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from monde.costs.base import BaseCost
from monde.errors import PlanningError
from monde.types import ActionSpec, Goal, Rollout


@dataclass(frozen=True, kw_only=True)
class ControlEffort(BaseCost):
    """Mean squared deviation of box actions from `rest`, in half-ranges: 0 at rest, 1 at the bounds of a symmetric box.

    Args:
        actions: The action blocks that are judged.
        rest: Value of each of the `dim` components that costs nothing; by default 0, or the nearest bound to it.

    Raises:
        PlanningError: Discrete actions, or a `rest` of the wrong width.
    """

    actions: ActionSpec
    rest: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.actions.discrete:
            raise PlanningError("control effort has no meaning for discrete actions", expected="a box of actions")
        if len(self.rest) not in {0, self.actions.dim}:
            raise PlanningError("ControlEffort.rest has the wrong width", got=len(self.rest), expected=self.actions.dim)

    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """Energy of each action sequence, whatever the goal."""
        if actions.shape[-1] != self.actions.width:
            raise PlanningError(
                "actions have the wrong width", got=actions.shape[-1], expected=f"{self.actions.width} (A of a block)"
            )
        low, high = self.actions.bounds(actions.device)
        if self.rest:
            rest = actions.new_tensor(self.rest * self.actions.block)
        else:
            rest = low.new_zeros(()).clamp(low, high)
        return ((actions - rest) / ((high - low) / 2)).square().mean((-2, -1))
