"""A user's own function as a cost, with errors that name it."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from monde.costs.base import BaseCost
from monde.errors import PlanningError
from monde.types import Goal, Rollout
from monde.types.checks import describe


class UserCost(BaseCost):
    """Wraps a function so that it adds to other costs, and so that what goes wrong in it is told by its name.

    Args:
        function: (rollout, actions [B, S, H, A], goal) to energies [B, S]; lower is better, +Inf rejects.
        name: What it is called in errors; by default the function's own name.
    """

    def __init__(self, function: Callable[[Rollout, Tensor, Goal], Tensor], name: str = "") -> None:
        self.function = function
        self.name = name or getattr(function, "__name__", type(function).__name__)

    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """The function's energies, as they are.

        Raises:
            PlanningError: It raised (the cause is kept), or returned no tensor of real numbers, another shape, NaN or
                -Inf.
        """
        try:
            energies: object = self.function(rollout, actions, goal)
        except PlanningError:
            raise
        except Exception as error:
            raise PlanningError(
                f"the cost {self.name!r} failed",
                got=f"{type(error).__name__}: {error}",
                expected=f"energies [B, S] = {list(actions.shape[:2])} of a rollout, {describe(rollout.latents)}",
                remedy="the cause is shown above",
            ) from error
        wanted = actions.shape[:2]
        if not isinstance(energies, Tensor) or not energies.is_floating_point() or energies.shape != wanted:
            raise PlanningError(
                f"the cost {self.name!r} returned something else than energies",
                got=describe(energies) if isinstance(energies, Tensor) else type(energies).__name__,
                expected=f"a float tensor [B, S] = {list(wanted)}",
                remedy="return one energy for each row and action sequence",
            )
        if not bool((energies.detach() > -torch.inf).all()):
            raise PlanningError(
                f"the cost {self.name!r} is not a number",
                got=describe(energies),
                expected="finite energies, or +Inf to reject a sequence",
            )
        return energies

    def __repr__(self) -> str:
        return f"UserCost({self.name})"
