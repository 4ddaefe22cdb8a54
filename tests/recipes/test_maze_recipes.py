"""The recipes of mazes record what they say."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from monde.data import open_recording
from monde.recipes import RECIPES
from monde.worlds import MAZES, MazeWorld, make


def test_every_maze_has_a_recipe_for_its_own_world() -> None:
    for name in MAZES:
        recipe = RECIPES[name](Path("somewhere"))
        assert recipe.world == name
        assert recipe.actor is not None
        assert RECIPES[name](Path("somewhere"), planner="cem").actor is None


def test_a_recipe_records_the_navigator_in_its_maze(tmp_path: Path) -> None:
    recipe = RECIPES["pointmaze_medium"](tmp_path)
    replace(recipe, episodes=3, steps=150).record()
    recording = open_recording(recipe.data)
    assert recording.lengths == (151, 151, 151)
    assert recording.source["world"] == "pointmaze_medium"
    states = np.concatenate([recording.read(e, 0, 151).streams["state"].values[0].numpy() for e in range(3)]).astype(
        np.float64
    )
    world = make("pointmaze_medium", 1)
    assert isinstance(world, MazeWorld)
    assert (world.layout.clearance(states) > 0.3).all()
    # It goes places: through a third of the maze's cells in three short episodes.
    cells = {tuple(cell) for cell in world.layout.cell_of(states).tolist()}
    assert len(cells) >= len(world.layout.cells) / 3
