"""The configurator: one typed recipe sets recording, training and planning for a task."""

from monde.recipes.strategies import PLANNERS, strategy
from monde.recipes.task import Recipe
from monde.recipes.tworoom import tworoom

__all__ = ["PLANNERS", "Recipe", "strategy", "tworoom"]
