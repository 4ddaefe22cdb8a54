"""Searches over action blocks. A planner sees a `Problem` of callables and owns no model."""

from monde.planning.cem import CEMConfig, CEMPlanner
from monde.planning.common import Search, shift_plan
from monde.planning.pose import pose
from monde.planning.random_shooting import RandomShootingConfig, RandomShootingPlanner

__all__ = [
    "CEMConfig",
    "CEMPlanner",
    "RandomShootingConfig",
    "RandomShootingPlanner",
    "Search",
    "pose",
    "shift_plan",
]
