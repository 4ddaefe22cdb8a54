import math

import numpy as np
import pytest

from monde.evaluation.calibration import brier, brier_skill, calibration_error, calibration_rows
from monde.evaluation.statistics import auroc

SAID = np.array([0.9, 0.8, 0.7, 0.3, 0.2])
CAME = np.array([True, True, False, True, False])


def test_figures_by_hand() -> None:
    assert brier(SAID, CAME) == pytest.approx((0.01 + 0.04 + 0.49 + 0.49 + 0.04) / 5)
    assert brier_skill(SAID, CAME) == pytest.approx(1 - (1.07 / 5) / (0.6 * 0.4))
    # Of six pairs of a success and a failure one is in the wrong order.
    assert auroc(SAID, CAME) == pytest.approx(5 / 6)
    assert auroc(np.array([0.5, 0.5]), np.array([True, False])) == 0.5
    assert brier_skill(np.full(5, 0.6), CAME) == pytest.approx(0)


def test_what_all_came_to_the_same_has_no_skill() -> None:
    assert math.isnan(auroc(SAID, np.ones(5, dtype=bool)))
    assert math.isnan(brier_skill(SAID, np.ones(5, dtype=bool)))
    rows = {row.metric for row in calibration_rows(SAID, np.ones(5, dtype=bool), 0)}
    assert rows == {"base_success", "brier", "calibration_error"}


def test_what_was_said_alike_is_judged_alike() -> None:
    came = np.arange(1000) < 500
    assert calibration_error(np.full(1000, 0.5), came) == pytest.approx(0)
    assert calibration_error(np.full(1000, 0.8), came) == pytest.approx(0.3)
    said, order = np.where(np.arange(1000) % 3 == 0, 0.9, 0.2), np.random.default_rng(0).permutation(1000)
    assert calibration_error(said, came) == pytest.approx(calibration_error(said[order], came[order]))


def test_area_under_the_roc_curve_counts_pairs() -> None:
    generator = np.random.default_rng(0)
    came, said = generator.integers(0, 2, 40) == 1, generator.integers(0, 6, 40).astype(float)
    pairs = [(a > b) + (a == b) / 2 for a in said[came] for b in said[~came]]
    assert auroc(said, came) == pytest.approx(np.mean(pairs))


def test_a_calibrated_forecast_has_a_small_error_and_intervals_that_hold_it() -> None:
    generator = np.random.default_rng(0)
    said = generator.uniform(size=4000)
    came = generator.uniform(size=4000) < said
    rows = {row.metric: row for row in calibration_rows(said, came, 0)}
    assert rows["calibration_error"].value < 0.03
    assert calibration_error(said**3, came) > 0.15
    # Uniform probabilities: Brier 1/6 against 1/4, AUROC 5/6.
    for metric, truth in (("brier_skill", 1 / 3), ("auroc", 5 / 6), ("base_success", 0.5)):
        low, high = rows[metric].interval or (0, 0)
        assert low < truth < high
        assert rows[metric].n == 4000
