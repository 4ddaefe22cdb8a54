"""Energies over imagined futures: they add, and each declares its risk over hypotheses."""

from monde.costs.base import BaseCost, Sum
from monde.costs.clearance import Clearance
from monde.costs.constraint import Constraint
from monde.costs.effort import ControlEffort
from monde.costs.keep_out import KeepOut
from monde.costs.latent import LatentDistance
from monde.costs.limit import Limit
from monde.costs.risk import MEAN, WORST, Risk
from monde.costs.temporal import TimeToGoal
from monde.costs.user import UserCost
from monde.costs.wanted import PredicateMiss, ReadoutDistance

__all__ = [
    "MEAN",
    "WORST",
    "BaseCost",
    "Clearance",
    "Constraint",
    "ControlEffort",
    "KeepOut",
    "LatentDistance",
    "Limit",
    "PredicateMiss",
    "ReadoutDistance",
    "Risk",
    "Sum",
    "TimeToGoal",
    "UserCost",
]
