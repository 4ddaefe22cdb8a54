"""The configurator: one typed recipe sets recording, training and planning for a task."""

from monde.recipes.planners import PLANNERS, PlannerWithCost, planner
from monde.recipes.task import Recipe
from monde.recipes.tworoom import tworoom

__all__ = ["PLANNERS", "PlannerWithCost", "Recipe", "planner", "tworoom"]
