"""The configurator: one typed recipe sets recording, training and planning for a task."""

from collections.abc import Mapping
from functools import partial

from monde.recipes.cube import cube_single
from monde.recipes.laser import ScanRecipe, laser_rooms, laser_yard
from monde.recipes.mazes import EPISODES, maze
from monde.recipes.physics import PhysicsRecipe, physics
from monde.recipes.pusht import pusht
from monde.recipes.reacher import reacher
from monde.recipes.strategies import PLANNERS, strategy
from monde.recipes.tabletop import tabletop
from monde.recipes.task import MakeRecipe, Recipe
from monde.recipes.tworoom import tworoom, tworoom_doorless, tworoom_doors

RECIPES: Mapping[str, MakeRecipe] = {
    "tworoom": tworoom,
    "tworoom_doorless": tworoom_doorless,
    "tworoom_doors": tworoom_doors,
    "reacher": reacher,
    "pusht": pusht,
    "cube_single": cube_single,
    "laser_rooms": laser_rooms,
    "tabletop_reach": partial(tabletop, "reach"),
    "tabletop_push": partial(tabletop, "push"),
    **{world: partial(maze, world) for world in EPISODES},
}
"""Recipes by task."""

__all__ = [
    "PLANNERS",
    "RECIPES",
    "MakeRecipe",
    "PhysicsRecipe",
    "Recipe",
    "ScanRecipe",
    "cube_single",
    "laser_rooms",
    "laser_yard",
    "maze",
    "physics",
    "pusht",
    "reacher",
    "strategy",
    "tabletop",
    "tworoom",
    "tworoom_doorless",
    "tworoom_doors",
]
