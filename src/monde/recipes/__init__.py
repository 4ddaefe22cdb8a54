"""The configurator: one typed recipe sets recording, training and planning for a task."""

from collections.abc import Mapping
from functools import partial

from monde.recipes.mazes import EPISODES, maze
from monde.recipes.physics import PhysicsRecipe, physics
from monde.recipes.strategies import PLANNERS, strategy
from monde.recipes.task import MakeRecipe, Recipe
from monde.recipes.tworoom import tworoom, tworoom_doors

RECIPES: Mapping[str, MakeRecipe] = {
    "tworoom": tworoom,
    "tworoom_doors": tworoom_doors,
    **{world: partial(maze, world) for world in EPISODES},
}
"""Recipes by task."""

__all__ = [
    "PLANNERS",
    "RECIPES",
    "MakeRecipe",
    "PhysicsRecipe",
    "Recipe",
    "maze",
    "physics",
    "strategy",
    "tworoom",
    "tworoom_doors",
]
