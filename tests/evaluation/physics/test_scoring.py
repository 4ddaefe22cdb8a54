"""Pairs are scored by who is more surprised, beside what understands nothing."""

import numpy as np
import pytest

from monde.errors import ContractError, DataError, UsageError
from monde.evaluation.physics import PairsConfig, copy_last, fit_pixels, score_pairs


def by_place(films: np.ndarray, rate_hz: float) -> np.ndarray:
    """Knows that the last two of each set of four are impossible."""
    return np.tile([0.0, 1.0, 2.0, 3.0], len(films) // 4)


def indifferent(films: np.ndarray, rate_hz: float) -> np.ndarray:
    return np.ones(len(films))


def test_who_knows_wins_and_who_does_not_is_at_chance() -> None:
    told: list[tuple[int, int]] = []
    config = PairsConfig(principles=("permanence", "support"), grades=("easy",), sets=4)
    rows = {
        row.metric: row
        for row in score_pairs({"model": by_place, "none": indifferent}, config, lambda *done: told.append(done))
    }
    assert rows["pairwise/2d/permanence/easy"].value == 1
    assert rows["pairwise/2d/permanence/easy"].floors == {"chance": 0.5, "none": 0.5}
    assert rows["none/2d/support/easy"].value == 0.5
    assert rows["auroc/2d/support/easy"].value == 1
    assert rows["pairwise/2d/mean/easy"].n == 8
    assert rows["pairwise/2d/mean/easy"].floors == {"chance": 0.5, "none": 0.5}
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_half_a_mistake_counts_half() -> None:
    def half(films: np.ndarray, rate_hz: float) -> np.ndarray:
        return np.tile([0.0, 2.0, 1.0, 3.0], len(films) // 4)  # one of four comparisons is lost

    config = PairsConfig(principles=("inertia",), grades=("easy",), sets=3)
    rows = {row.metric: row.value for row in score_pairs({"model": half}, config)}
    assert rows["pairwise/2d/inertia/easy"] == pytest.approx(0.75)
    assert rows["auroc/2d/inertia/easy"] == pytest.approx(0.75)


def test_questions_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ContractError, match="judges nothing"):
        PairsConfig(sets=1)
    with pytest.raises(UsageError, match="levitation"):
        score_pairs({"model": indifferent}, PairsConfig(principles=("levitation",), sets=2))
    with pytest.raises(UsageError, match="grade"):
        score_pairs({"model": indifferent}, PairsConfig(grades=("absurd",), sets=2))
    with pytest.raises(ContractError, match="finite"):
        score_pairs(
            {"model": lambda films, rate_hz: np.full(len(films), np.nan)},
            PairsConfig(principles=("inertia",), grades=("easy",), sets=2),
        )


def drifting(frames: int, speed: int, seed: int) -> np.ndarray:
    """Smooth noise that moves to the right by `speed` px a frame."""
    generator = np.random.default_rng(seed)
    wide = generator.uniform(0, 255, (3, 32, 32 + speed * frames))
    for axis in (1, 2):
        wide = sum(np.roll(wide, shift, axis) for shift in (-2, -1, 0, 1, 2)) / 5
    return np.stack([wide[..., speed * (frames - t) :][..., :32] for t in range(frames)]).astype(np.uint8)


def test_the_pixel_predictor_learns_how_pictures_move() -> None:
    train = np.stack([drifting(12, 1, seed) for seed in range(4)])
    test = np.stack([drifting(12, 1, 9), np.repeat(drifting(1, 1, 9), 12, axis=0)])
    errors = fit_pixels([train], stride=1)(test)
    copied = copy_last(test, 1) / 255
    assert errors[0] < 0.5 * copied[0]
    assert copied[1] == 0
    assert copied[0] > 0.02


def test_copy_last_measures_change() -> None:
    film = np.zeros((1, 4, 3, 8, 8), dtype=np.uint8)
    film[0, 2:] = 10
    assert copy_last(film, 1)[0] == pytest.approx(10 / 3)
    assert copy_last(film, 2)[0] == pytest.approx(10)


def test_nothing_to_fit_on() -> None:
    with pytest.raises(DataError, match="no films"):
        fit_pixels([], stride=1)
    with pytest.raises(DataError, match="too short"):
        fit_pixels([np.zeros((1, 3, 3, 8, 8), dtype=np.uint8)], stride=2)
