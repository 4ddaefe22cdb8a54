import math

import numpy as np
import pytest

from monde.errors import ContractError
from monde.evaluation.statistics import bootstrap, kendall_tau, mean_interval, pearson, r_squared, rmse_interval, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Published values: Newcombe 1998, Table I, method 3 (81/263, 15/148, 0/20, 1/29), to four digits.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_refuses_what_is_no_proportion() -> None:
    for successes, n in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ContractError):
            wilson(successes, n)


def test_bootstrap_of_a_mean_agrees_with_theory() -> None:
    values = np.random.default_rng(0).normal(3, 2, size=400)
    mean, (low, high) = mean_interval(values, seed=1)
    half = 1.96 * 2 / math.sqrt(400)
    assert (low, high) == pytest.approx((mean - half, mean + half), abs=0.04)
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)


def test_frames_of_one_episode_are_not_independent() -> None:
    """Copies of the same ten values: rows pretend to a precision that clusters do not have."""
    values = np.random.default_rng(0).normal(size=10).repeat(50)
    episodes = np.arange(10).repeat(50)
    _, naive = mean_interval(values, 0)
    _, honest = mean_interval(values, 0, episodes)
    assert honest[1] - honest[0] > 4 * (naive[1] - naive[0])
    order = np.random.default_rng(1).permutation(500)
    _, shuffled = mean_interval(values[order], 0, episodes[order])
    assert shuffled == pytest.approx(honest)


def test_bootstrap_refuses_nothing_and_nan() -> None:
    with pytest.raises(ContractError, match="nothing"):
        bootstrap(np.zeros(0), lambda rows: 0.0, 0)
    with pytest.raises(ContractError, match="not a number"):
        bootstrap(np.zeros(3), lambda rows: math.nan, 0)


def test_rmse_is_per_component() -> None:
    errors = np.tile([[3.0, 4.0]], (10, 1))
    value, interval = rmse_interval(errors, 0, np.arange(10))
    assert value == pytest.approx(math.sqrt(12.5))
    assert interval == pytest.approx((value, value))


def test_r_squared_and_pearson() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(500, 2)) * [1, 10]
    read = truth + generator.normal(size=(500, 2)) * [0.5, 5]
    assert r_squared(truth, truth) == pytest.approx(1)
    assert r_squared(truth, np.broadcast_to(truth.mean(0), truth.shape)) == pytest.approx(0)
    assert r_squared(truth, read) == pytest.approx(0.75, abs=0.05)
    expected = np.mean([np.corrcoef(truth[:, k], read[:, k])[0, 1] for k in range(2)])
    assert pearson(truth, read) == pytest.approx(expected)
    # Pearson forgives a wrong scale and offset, R² does not.
    assert pearson(truth, 2 * truth + 5) == pytest.approx(1)
    assert r_squared(truth, 2 * truth + 5) < 0.5


def test_what_never_varies_is_not_explained() -> None:
    constant = np.ones((5, 1))
    assert math.isnan(r_squared(constant, constant))
    assert math.isnan(pearson(constant, constant))
    varying = np.arange(5.0)[:, None]
    assert pearson(varying, constant) == 0
    assert r_squared(np.hstack([varying, constant]), np.hstack([varying, 9 * constant])) == pytest.approx(1)


def test_kendall_tau() -> None:
    assert kendall_tau(np.arange(9), np.arange(9)) == 1
    assert kendall_tau(np.arange(9), -np.arange(9)) == -1
    assert kendall_tau(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])) == pytest.approx(4 / 6)
    # τ-b with ties, by hand: 4 concordant, 1 discordant of pairs; 5 and 6 untied.
    assert kendall_tau(np.array([1, 1, 2, 3]), np.array([1, 2, 4, 3])) == pytest.approx(3 / math.sqrt(30))
    assert math.isnan(kendall_tau(np.ones(4), np.arange(4)))
