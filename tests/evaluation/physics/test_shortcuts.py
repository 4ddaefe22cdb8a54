import dataclasses

import numpy as np
import pytest

from monde.errors import ContractError
from monde.evaluation.physics import Features, features, pairwise, shortcut_scores
from monde.worlds.scenes import PairSet, make_pairs

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
