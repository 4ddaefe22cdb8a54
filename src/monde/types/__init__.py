"""What passes between rooms: frozen, checked once at construction, printed by shape and not by pixel.

Axis legend, everywhere: B batch, T time, N tokens, D latent, A action, S samples, K hypotheses, H horizon,
C h w image channels and size, P points.
"""

from monde.types.actions import ActionSpec
from monde.types.beliefs import Belief, Latents, Rollout
from monde.types.geometry import Geometry, GridGeometry, Intrinsics, Mount, ScanGeometry
from monde.types.goals import FrameGoal, Goal, LatentGoal, PictureGoal, PredicateGoal, ReadoutGoal
from monde.types.plans import Plan, Problem
from monde.types.streams import Clip, Sensor, SensorKind, Stream
from monde.types.trust import Forecast, OutOfDistribution, Reason, TooUncertain, Unreachable

__all__ = [
    "ActionSpec",
    "Belief",
    "Clip",
    "Forecast",
    "FrameGoal",
    "Geometry",
    "Goal",
    "GridGeometry",
    "Intrinsics",
    "LatentGoal",
    "Latents",
    "Mount",
    "OutOfDistribution",
    "PictureGoal",
    "Plan",
    "PredicateGoal",
    "Problem",
    "ReadoutGoal",
    "Reason",
    "Rollout",
    "ScanGeometry",
    "Sensor",
    "SensorKind",
    "Stream",
    "TooUncertain",
    "Unreachable",
]
