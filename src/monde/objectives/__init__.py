"""What training minimises, and the meters that tell when it is being cheated."""

from monde.objectives.inverse import InverseDynamics
from monde.objectives.meters import CollapseMeters, effective_rank, measure_collapse
from monde.objectives.objective import Imagined, Losses, Objective, ObjectiveConfig, Predictions
from monde.objectives.sigreg import SIGReg
from monde.objectives.variance import variance_covariance

__all__ = [
    "CollapseMeters",
    "Imagined",
    "InverseDynamics",
    "Losses",
    "Objective",
    "ObjectiveConfig",
    "Predictions",
    "SIGReg",
    "effective_rank",
    "measure_collapse",
    "variance_covariance",
]
