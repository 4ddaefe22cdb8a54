"""Fitting a model of moving points: it repeats itself, and of several fits the best on what it learns from is kept."""

from dataclasses import replace

import pytest
import torch

from monde.errors import ContractError, DataError
from monde.models.points import PointModel, PointModelConfig
from monde.training.points import JUDGED, Draws, Fit, PointTrainConfig, fit_points, training_loss
from throwing import RATE_HZ, thrown

POINTS = [[thrown(seed) for seed in range(3)]]
SIZES = PointModelConfig(experts=2, hidden=8, horizons=(1, 2, 5))
SMALL = PointTrainConfig(steps=6, batch=16, fits=2, starts=1, sample=384, short=2, seed=3)


def same(first: PointModel, second: PointModel) -> bool:
    other = second.state_dict()
    return all(torch.equal(value, other[name]) for name, value in first.state_dict().items())


def alone(seed: int, until: int = SMALL.steps) -> PointModel:
    fit = Fit(POINTS, RATE_HZ, SIZES, replace(SMALL, seed=seed))
    fit.run(until)
    return fit.model


def test_the_fit_that_tells_its_training_best_at_the_trial_is_kept_and_fitting_repeats_itself() -> None:
    kept = fit_points(POINTS, RATE_HZ, SIZES, SMALL)
    windows, after = Draws(POINTS, SIZES.window, 5, SMALL.seed).draw(JUDGED)
    losses = {seed: training_loss(alone(seed, 3), windows, after) for seed in (6, 7)}
    best, other = sorted(losses, key=losses.__getitem__)
    assert losses[best] < losses[other]
    assert same(kept, alone(best))
    assert not same(kept, alone(other))


def test_one_fit_has_the_seed_itself_and_no_trial() -> None:
    assert same(fit_points(POINTS, RATE_HZ, SIZES, replace(SMALL, fits=1)), alone(SMALL.seed))


def test_a_fit_that_went_to_nothing_is_the_worst() -> None:
    windows, after = Draws(POINTS, SIZES.window, 5, 0).draw(64)
    broken = PointModel(SIZES, RATE_HZ)
    broken.maps.data[:] = torch.nan
    assert training_loss(broken, windows, after) == float("inf")


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(DataError, match="longer than a window"):
        fit_points([[POINTS[0][0][:20]]], RATE_HZ, SIZES, SMALL)
    with pytest.raises(ContractError, match="cannot be compared"):
        replace(SMALL, fits=0)
    with pytest.raises(ContractError, match="cannot be compared"):
        replace(SMALL, trial=1.5)
