"""What refining a model of things costs is known to the last product, without counting every step."""

from dataclasses import replace
from pathlib import Path

import pytest

from monde.bets.corners.episodes import Episodes
from monde.bets.corners.latents.parts import Metered, parts_of
from monde.bets.corners.latents.spending import Spending
from monde.bets.corners.lessons import Lesson, counted
from monde.training import RefineConfig, refine

CONFIG = RefineConfig(minutes=None, steps=12, windows=(), batch=6, phases=1, most_frames=900)


@pytest.fixture(scope="module")
def run(episodes: Episodes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("spending")
    first, then, *_ = parts_of(episodes, "sensors", Lesson(flops=1e12))
    assert not isinstance(first, Metered)
    assert isinstance(then, Metered)
    first.run(out, 1, 0)
    return out / "films"


def test_flops_are_those_that_are_really_spent(run: Path) -> None:
    spending = Spending(run, CONFIG, 1e15)
    seen = counted(lambda: refine(run, CONFIG))[1]
    refine(run, CONFIG, spend=spending)
    assert spending.steps == 12
    assert spending.flops == pytest.approx(seen, rel=1e-9)


def test_it_ends_when_the_budget_is_used_up(run: Path) -> None:
    spending = Spending(run, CONFIG, 1e9)
    refine(run, replace(CONFIG, steps=1000), spend=spending)
    assert 1 <= spending.steps < 1000
    assert spending.flops >= 1e9
