"""Searches over action blocks. A planner sees a `Problem` of callables and owns no model."""

from monde.planning.cem import CEMConfig, CEMPlanner
from monde.planning.gradient import GradientConfig, GradientPlanner
from monde.planning.hybrid import HybridConfig, HybridPlanner
from monde.planning.icem import ICEMConfig, ICEMPlanner
from monde.planning.mppi import MPPIConfig, MPPIPlanner
from monde.planning.opening import shift_plan
from monde.planning.pose import pose
from monde.planning.proposal import ProposalConfig, ProposalPlanner
from monde.planning.random_shooting import RandomShootingConfig, RandomShootingPlanner
from monde.planning.search import Search

__all__ = [
    "CEMConfig",
    "CEMPlanner",
    "GradientConfig",
    "GradientPlanner",
    "HybridConfig",
    "HybridPlanner",
    "ICEMConfig",
    "ICEMPlanner",
    "MPPIConfig",
    "MPPIPlanner",
    "ProposalConfig",
    "ProposalPlanner",
    "RandomShootingConfig",
    "RandomShootingPlanner",
    "Search",
    "pose",
    "shift_plan",
]
