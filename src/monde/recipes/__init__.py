"""The configurator: one typed recipe sets recording, training and planning for a task."""

from collections.abc import Mapping

from monde.recipes.physics import PhysicsRecipe, physics
from monde.recipes.strategies import PLANNERS, strategy
from monde.recipes.task import MakeRecipe, Recipe
from monde.recipes.tworoom import tworoom, tworoom_doorless, tworoom_doors

RECIPES: Mapping[str, MakeRecipe] = {
    "tworoom": tworoom,
    "tworoom_doorless": tworoom_doorless,
    "tworoom_doors": tworoom_doors,
}
"""Recipes by task."""

__all__ = [
    "PLANNERS",
    "RECIPES",
    "MakeRecipe",
    "PhysicsRecipe",
    "Recipe",
    "physics",
    "strategy",
    "tworoom",
    "tworoom_doorless",
    "tworoom_doors",
]
