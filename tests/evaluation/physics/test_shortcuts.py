import dataclasses
from pathlib import Path

import numpy as np
import pytest

from monde.errors import ContractError
from monde.evaluation.physics import Features, features, pairwise, shortcut_scores
from monde.scorecard import Scorecard
from monde.store import read_json
from monde.worlds.scenes import GRADES, PairSet, make_pairs, principles

RESULTS = Path(__file__).parents[3] / "benchmarks/results"
SETS = 400


def _seen(name: str, grade: str, n: int) -> list[Features]:
    return [features(make_pairs(name, grade, min(40, n - first), 0, first=first)) for first in range(0, n, 40)]


@pytest.mark.parametrize(("name", "grade"), [("permanence", "easy"), ("inertia", "easy"), ("collision", "hidden")])
def test_matched_quadruplets_leave_shortcuts_at_chance(name: str, grade: str) -> None:
    scores = {score.check: score for score in shortcut_scores(_seen(name, grade, SETS))}
    assert set(scores) == {"frame", "frame_set", "motion_sum", "motion_max"}
    for score in scores.values():
        assert score.n == SETS
        assert score.at_chance, score
        assert abs(score.accuracy - 0.5) < 0.06


@pytest.mark.parametrize("file", ["scenes", "scenes_3d"])
def test_the_published_figures_leave_shortcuts_at_chance_on_every_matched_case(file: str) -> None:
    """400 sets of each take an hour to draw: the benchmark does it, and the test above does a part anew."""
    card = Scorecard.from_json(read_json(RESULTS / f"{file}.json"))
    rows = [row for row in card.rows if row.metric.startswith("shortcut/")]
    of_space = "3d/" if file == "scenes_3d" else ""
    cases = [(p, grade) for p in principles() for grade in GRADES]
    checks = ("frame", "frame_set", "motion_sum", "motion_max")
    wanted = {f"shortcut/{check}/{of_space}{p.name}/{grade}" for p, grade in cases for check in checks}
    assert {row.metric for row in rows} == wanted
    for row in rows:
        assert row.n >= SETS
        assert row.note in {"matched", "context-swapped"}
        if row.note == "matched":
            assert row.interval is not None
            assert row.interval[0] <= 0.5 <= row.interval[1], row
    swapped = {row.metric.split("/", 2)[2] for row in rows if row.note == "context-swapped"}
    assert swapped == {f"{of_space}{p.name}/{g}" for p, g in cases if p.designs[g] == "context-swapped"}


def test_context_swapped_sets_show_what_shortcuts_score() -> None:
    scores = {score.check: score for score in shortcut_scores(_seen("support", "easy", 60))}
    assert all(0 <= score.interval[0] <= score.accuracy <= score.interval[1] <= 1 for score in scores.values())
    assert scores["motion_sum"].accuracy == pytest.approx(0.5, abs=0.2)


def test_shortcuts_find_what_is_there_to_find() -> None:
    pairs = make_pairs("inertia", "easy", 20, 0)
    films = pairs.films.copy()
    films[:, 2:, :, :, :8, :8] = 0  # impossible films carry a mark
    films[:, 2:, 10, :, 8:16, :8] = 255  # which flashes
    marked: PairSet = dataclasses.replace(pairs, films=films)
    scores = {score.check: score.accuracy for score in shortcut_scores([features(marked)])}
    assert scores["frame"] > 0.95
    assert scores["frame_set"] > 0.95
    assert abs(scores["motion_sum"] - 0.5) > 0.4


def test_pairwise_counts_ties_half() -> None:
    possible = np.array([[True, True, False, False]] * 4)
    scores = np.array([[0, 0, 1, 1], [1, 1, 0, 0], [5, 5, 5, 5], [0, 1, 0.5, 2]], dtype=float)
    assert pairwise(scores, possible).tolist() == [1.0, 0.0, 0.5, 0.75]
    with pytest.raises(ContractError, match=r"cannot be compared.*1 not finite"):
        pairwise(np.where(scores == 2, np.nan, scores), possible)
    with pytest.raises(ContractError, match="no possible or no impossible"):
        pairwise(scores, np.ones_like(possible))
    with pytest.raises(ContractError, match="too few sets"):
        shortcut_scores([features(make_pairs("inertia", "easy", 2, 0))])
