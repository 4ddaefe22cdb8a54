"""Searches over action blocks. A planner sees a `Problem` of callables and owns no model."""

from monde.planning.cem import CEMConfig, CEMPlanner
from monde.planning.far.choosing import ChoosingConfig, ChoosingGuide
from monde.planning.far.guiding import Guide, Journey, Lead, Outcome, latent_goal
from monde.planning.far.landmark_guide import LandmarkConfig, LandmarkGuide
from monde.planning.far.landmarks import Landmarks
from monde.planning.far.level_guide import LevelGuide, LevelStrategy
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
    "ChoosingConfig",
    "ChoosingGuide",
    "GradientConfig",
    "GradientPlanner",
    "Guide",
    "HybridConfig",
    "HybridPlanner",
    "ICEMConfig",
    "ICEMPlanner",
    "Journey",
    "LandmarkConfig",
    "LandmarkGuide",
    "Landmarks",
    "Lead",
    "LevelGuide",
    "LevelStrategy",
    "MPPIConfig",
    "MPPIPlanner",
    "Outcome",
    "ProposalConfig",
    "ProposalPlanner",
    "RandomShootingConfig",
    "RandomShootingPlanner",
    "Search",
    "latent_goal",
    "pose",
    "shift_plan",
]
