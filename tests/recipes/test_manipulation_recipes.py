"""The recipes of arms and pushers record what they say, and score what they declare."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monde.data import open_recording
from monde.recipes import RECIPES


@pytest.mark.parametrize("name", ["reacher", "pusht", "cube_single"])
def test_every_recipe_is_for_its_own_world_and_planner(name: str) -> None:
    recipe = RECIPES[name](Path("somewhere"), seed=3)
    assert recipe.world == name
    assert recipe.actor is not None
    assert (recipe.train.seed, recipe.actor.seed, recipe.score.seed) == (3, 3, 3)
    assert RECIPES[name](Path("somewhere"), planner="cem").actor is None


def test_each_is_seen_as_it_needs() -> None:
    reacher, pusht = (RECIPES[name](Path("somewhere")) for name in ("reacher", "pusht"))
    assert reacher.actor is not None
    assert reacher.actor.goals.standing == (("before", "top"),)  # an arm that keeps its velocity
    assert pusht.actor is not None
    assert (pusht.train.encoder, pusht.actor.goals.standing) == ("focus", ())


@pytest.mark.parametrize(("name", "moving"), [("reacher", slice(6, 8)), ("pusht", slice(2, 4))])
def test_a_recipe_records_what_the_task_is_about(name: str, moving: slice, tmp_path: Path) -> None:
    recipe = RECIPES[name](tmp_path)
    replace(recipe, episodes=4, steps=60).record()
    recording = open_recording(recipe.data)
    assert recording.lengths == (61,) * 4
    assert recording.source["world"] == name
    for episode in range(4):
        state = recording.read(episode, 0, 61).streams["state"].values[0].numpy()
        spread = np.ptp(state[:, moving].astype(np.float64), axis=0).max()
        assert spread > (0.02 if name == "reacher" else 10)
