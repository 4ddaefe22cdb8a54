"""Energies over imagined futures: they add, and each declares its risk over hypotheses."""

from monde.costs.base import BaseCost, Sum
from monde.costs.effort import ControlEffort
from monde.costs.latent import LatentDistance
from monde.costs.risk import MEAN, WORST, Risk

__all__ = ["MEAN", "WORST", "BaseCost", "ControlEffort", "LatentDistance", "Risk", "Sum"]
