from pathlib import Path

import pytest

from monde.errors import UsageError
from monde.recipes import RECIPES, tabletop
from monde.recipes.tabletop import BESIDE, SENSES
from monde.worlds import make


@pytest.mark.parametrize("senses", list(SENSES))
def test_every_sense_is_one_that_the_world_shows(senses: str) -> None:
    recipe = tabletop("push", Path("somewhere"), seed=3, senses=senses)
    world = make(recipe.world, 1)
    shown = {sensor.name: sensor.kind for sensor in world.sensors}
    world.close()
    assert set(recipe.train.sensors) <= set(shown)
    assert recipe.train.sensors == (*SENSES[senses], *BESIDE)
    assert not {"object", "gap"} & set(recipe.train.sensors)  # for judging only
    assert (recipe.train.seed, recipe.score.seed) == (3, 3)
    assert senses in recipe.run.name


def test_both_tasks_have_a_recipe() -> None:
    for name in ("tabletop_reach", "tabletop_push"):
        assert RECIPES[name](Path("somewhere")).world == name
    with pytest.raises(UsageError, match="did you mean 'rgb'"):
        tabletop("reach", Path("somewhere"), senses="rbg")
