"""Planners by name, each with the cost that it is used with and settings that work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monde.costs import LatentDistance
from monde.errors import unknown_name
from monde.planning import CEMConfig, CEMPlanner, RandomShootingConfig, RandomShootingPlanner
from monde.protocols import Cost, Planner


@dataclass(frozen=True)
class PlannerWithCost:
    """A planner and the cost that it searches under."""

    planner: Planner
    cost: Cost


def _cem() -> PlannerWithCost:
    # As good on TwoRoom as the literature's 300 × 10 at a sixth of its time (docs/log.md).
    return PlannerWithCost(CEMPlanner(CEMConfig(horizon=6, samples=128, rounds=5, elites=16)), LatentDistance())


def _cem_large() -> PlannerWithCost:
    return PlannerWithCost(CEMPlanner(CEMConfig(horizon=5, samples=300, rounds=10, elites=30)), LatentDistance())


def _random_shooting() -> PlannerWithCost:
    return PlannerWithCost(RandomShootingPlanner(RandomShootingConfig(horizon=6, samples=640)), LatentDistance())


PLANNERS: Mapping[str, Callable[[], PlannerWithCost]] = {
    "cem": _cem,
    "cem-300x10": _cem_large,
    "random-shooting": _random_shooting,
}
"""cem: 128 × 5, latent distance summed over imagined states. cem-300x10: LeWM's planner settings."""


def planner(name: str) -> PlannerWithCost:
    """The planner called `name`.

    Raises:
        UsageError: There is none.
    """
    if name not in PLANNERS:
        raise unknown_name("planner", name, sorted(PLANNERS))
    return PLANNERS[name]()
