"""A model of moving points learns flight and bounce from simulated throws, and flags what cannot be."""

import numpy as np
import pytest
import torch

from monde.data.points import Stretch
from monde.errors import ContractError
from monde.evaluation import motion
from monde.models.points import PointModel, PointModelConfig
from monde.training.points import PointTrainConfig, fit_points
from throwing import RATE_HZ, thrown


def as_stretches(seeds: range) -> tuple[Stretch, ...]:
    return tuple(Stretch(index, 2000 * index, thrown(seed)) for index, seed in enumerate(seeds))


QUICK = PointTrainConfig(steps=40, batch=64, fits=1, starts=1, sample=4096)
LEARNED, HELD_OUT = as_stretches(range(10, 18)), as_stretches(range(30, 34))


@pytest.fixture(scope="module")
def model() -> PointModel:
    return fit_points([[s.points for s in LEARNED]], RATE_HZ, train=QUICK)


@pytest.fixture(scope="module")
def thresholds(model: PointModel) -> motion.Thresholds:
    flown = motion.flights(LEARNED, RATE_HZ)
    # Of flights alone: so little training does not tell the instant bounces of the simulation to the frame.
    return motion.set_thresholds(model, flown, flown, motion.plant(flown, 30, 0, 40, 30, RATE_HZ))


def test_flight_is_predicted_and_gravity_is_in_the_imagination(model: PointModel) -> None:
    told = motion.predict_flights(model, motion.flights(HELD_OUT, RATE_HZ), 90)
    medians = {name: float(np.median(errors)) for name, errors in told.errors.items()}
    assert medians["model"] < 0.25 * medians["constant_velocity"]
    assert medians["model"] < 0.1 * medians["last_seen"]
    assert float(np.median(told.imagined_gravity)) == pytest.approx(told.gravity, rel=0.1)


def test_bounces_are_imagined(model: PointModel) -> None:
    found = [motion.imagined_restitution(model, bounce) for bounce in motion.bounces(HELD_OUT, RATE_HZ)]
    told = [value for value in found if value is not None]
    assert len(told) >= 3
    assert 0.2 < float(np.median(told)) < 0.9


def test_imagination_turns_and_moves_with_the_world(model: PointModel) -> None:
    window = HELD_OUT[0].points[:30]
    angle = 1.1
    turn = np.array([[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]])
    path = motion.imagine_from(model, window[None], 90)[0]
    moved = motion.imagine_from(model, (window @ turn.T + np.array([3.0, -2.0, 0.0]))[None], 90)[0]
    np.testing.assert_allclose(moved, path @ turn.T + np.array([3.0, -2.0, 0.0]), atol=2e-4)


def test_edits_are_found_and_possible_motion_is_not_flagged(model: PointModel, thresholds: motion.Thresholds) -> None:
    edits = motion.plant(motion.flights(HELD_OUT, RATE_HZ), 30, 1, 40, 30, RATE_HZ)
    found = {
        kind: [motion.is_found(model, e, thresholds, ()) for e in edits if e.kind == kind] for kind in motion.KINDS
    }
    assert np.mean(found["teleport"]) == 1.0
    assert np.mean(found["turn"]) >= 0.9
    assert np.mean(found["vanish"]) >= 0.8
    assert motion.false_alarms(model, motion.flights(HELD_OUT, RATE_HZ), thresholds) == []


def test_one_wrong_point_does_not_surprise_but_a_jump_that_stays_does(model: PointModel) -> None:
    points = HELD_OUT[0].points[:200].copy()
    before = np.nanmax(motion.surprise(model, points)[60:64])
    glitch, jump = points.copy(), points.copy()
    glitch[62] += [0.0, 0.1, 0.0]
    jump[62:] += [0.0, 0.1, 0.0]
    assert motion.surprise(model, glitch)[62] < 2 * before + 1
    assert motion.surprise(model, jump)[62] > 5 * before


def test_a_lost_ball_comes_back_where_it_was_imagined(model: PointModel, thresholds: motion.Thresholds) -> None:
    flight = motion.flights(HELD_OUT, RATE_HZ)[0]
    seen = Stretch(0, flight.start, flight.points[:60])
    back = Stretch(1, flight.start + 90, flight.points[90:])
    elsewhere = Stretch(2, flight.start + 90, flight.points[90:] + np.array([1.0, 0.0, 0.0]))
    lost = motion.judge_loss(model, seen, (elsewhere, back), thresholds.sure_metres)
    assert (lost.kind, lost.back) == ("lost", back)
    gone = motion.judge_loss(model, seen, (elsewhere,), thresholds.sure_metres)
    assert (gone.kind, gone.back) == ("vanished", None)


def test_windows_are_checked() -> None:
    fresh = PointModel(PointModelConfig(), RATE_HZ)
    with pytest.raises(ContractError, match="cannot be seen"):
        fresh.begin(torch.zeros(1, 12, 3))
    with pytest.raises(ContractError, match="finite"):
        fresh.begin(torch.full((1, 30, 3), torch.nan))
