"""What refining a model of things costs is known to the last product, without counting every step."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from monde.bets.corners.episodes import Episodes
from monde.bets.corners.latents import spending
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


def test_flops_are_those_that_are_really_spent(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uncounted, on_line = list[int](), spending._on_line

    def noted(counts: Mapping[int, float], at: int) -> float:
        uncounted.extend([at] if at not in counts else [])
        return on_line(counts, at)

    monkeypatch.setattr(spending, "_on_line", noted)
    known = Spending(run, CONFIG, 1e15)
    seen = counted(lambda: refine(run, CONFIG))[1]
    refine(run, CONFIG, spend=known)
    assert known.steps == 12
    assert uncounted  # some batches are told by the line through two others
    assert known.flops == pytest.approx(seen, rel=1e-9)


def test_it_ends_when_the_budget_is_used_up(run: Path) -> None:
    known = Spending(run, CONFIG, 1e9)
    refine(run, replace(CONFIG, steps=1000), spend=known)
    assert 1 <= known.steps < 1000
    assert known.flops >= 1e9
