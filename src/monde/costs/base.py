"""Costs that add: `LatentDistance() + 0.1 * ControlEffort()`."""

import math
from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor

from monde.errors import PlanningError
from monde.protocols import Cost
from monde.types import Goal, Rollout


class BaseCost(ABC):
    """Base of the costs of this package; anything that satisfies `monde.protocols.Cost` can be added to it."""

    @abstractmethod
    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """Energy of each action sequence; lower is better.

        Raises:
            PlanningError: A goal of a kind or shape that this cost cannot judge.
        """

    def __add__(self, other: Cost) -> "Sum":
        return Sum(((1.0, self), (1.0, other)))

    def __radd__(self, other: Cost) -> "Sum":
        return Sum(((1.0, other), (1.0, self)))

    def __mul__(self, weight: float) -> "Sum":
        return Sum(((weight, self),))

    __rmul__ = __mul__


class Sum(BaseCost):
    """A weighted sum of costs. Each term has reduced its hypotheses by its own risk before they are added.

    Args:
        terms: Weight and cost of each term; nested sums are flattened.

    Raises:
        PlanningError: A weight that is negative or not finite: it would reward what the cost punishes.
    """

    def __init__(self, terms: tuple[tuple[float, Cost], ...]) -> None:
        flat: list[tuple[float, Cost]] = []
        for weight, cost in terms:
            if not (math.isfinite(weight) and weight >= 0):
                raise PlanningError("a cost has an unusable weight", got=weight, expected="a finite weight ≥ 0")
            inner = cost.terms if isinstance(cost, Sum) else ((1.0, cost),)
            flat += [(weight * part, term) for part, term in inner]
        if not flat:
            raise PlanningError("a sum of costs holds none", remedy="give at least one cost")
        self.terms: tuple[tuple[float, Cost], ...] = tuple(flat)

    def __call__(self, rollout: Rollout, actions: Float[Tensor, "B S H A"], goal: Goal) -> Float[Tensor, "B S"]:
        """The weighted sum of the energies of the terms."""
        (weight, cost), *rest = self.terms
        total = weight * cost(rollout, actions, goal)
        for weight, cost in rest:
            total = total + weight * cost(rollout, actions, goal)
        return total

    def __repr__(self) -> str:
        return " + ".join(repr(cost) if weight == 1 else f"{weight:g} * {cost!r}" for weight, cost in self.terms)
