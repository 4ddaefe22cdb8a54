"""Alignment by declared rules: what is picked, how old it is, and that nothing of it depends on what comes later."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monde.data.clocks.align import align, mixed_poses
from monde.data.clocks.rules import Rule
from monde.errors import ContractError
from monde.spatial import from_yaw, yaw

SAMPLES = np.array([0.0, 0.1, 0.2, 0.2, 0.5])
RULES = (
    Rule(),
    Rule(tolerance_seconds=0.15),
    Rule(kind="nearest", tolerance_seconds=0.1),
    Rule(kind="interpolate", tolerance_seconds=0.25, delay_seconds=0.1),
    Rule(kind="interpolate", delay_seconds=0.03),
)


def test_last_is_the_newest_at_or_before_with_its_age() -> None:
    found = align(SAMPLES, np.array([-0.01, 0.0, 0.05, 0.2, 0.45, 9.0]), Rule())
    assert found.valid.tolist() == [False, True, True, True, True, True]
    assert found.first[1:].tolist() == [0, 0, 3, 3, 4]  # of two at 0.2 the later one
    np.testing.assert_allclose(found.age_seconds, [0, 0, 0.05, 0, 0.25, 8.5])


def test_what_is_too_old_is_not_valid() -> None:
    found = align(SAMPLES, np.array([0.3, 0.4]), Rule(tolerance_seconds=0.15))
    assert found.valid.tolist() == [True, False]


def test_nearest_looks_ahead_only_where_it_is_said() -> None:
    steps = np.array([0.09, 0.4])
    assert align(SAMPLES, steps, Rule(kind="nearest", tolerance_seconds=0.3)).first.tolist() == [0, 3]
    ahead = align(SAMPLES, steps, Rule(kind="nearest", tolerance_seconds=0.3, ahead_seconds=0.05))
    assert ahead.first.tolist() == [1, 3]
    np.testing.assert_allclose(ahead.age_seconds, [-0.01, 0.2])
    assert not Rule(kind="nearest", ahead_seconds=0.05).causal


def test_poses_are_interpolated_between_two_that_are_there() -> None:
    times = np.arange(5) / 10
    poses = np.concatenate([np.arange(5.0)[:, None], np.zeros((5, 2)), from_yaw(0.2 * np.arange(5.0))], axis=1)
    rule = Rule(kind="interpolate", delay_seconds=0.1, tolerance_seconds=0.3)
    found = align(times, np.array([0.15, 0.25, 0.45]), rule)
    mixed = mixed_poses(poses[found.first], poses[found.second], found.share)
    np.testing.assert_allclose(mixed[:, 0], [0.5, 1.5, 3.5])
    np.testing.assert_allclose(yaw(mixed[:, 3:]), [0.1, 0.3, 0.7])
    np.testing.assert_allclose(found.age_seconds, 0.1)


def test_no_pose_is_interpolated_over_a_gap_or_extrapolated() -> None:
    times = np.array([0.0, 0.1, 0.9, 1.0])
    rule = Rule(kind="interpolate", delay_seconds=0.1, tolerance_seconds=0.3)
    found = align(times, np.array([0.05, 0.25, 0.95, 1.2]), rule)
    assert found.share.tolist() == [0, 0, 0, 0]
    assert found.first.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(found.age_seconds, [0.05, 0.15, 0.05, 0.2])
    assert align(times, np.array([0.6]), rule).valid.tolist() == [False]


@given(
    gaps=st.lists(st.floats(0, 0.5), min_size=1, max_size=30),
    steps=st.lists(st.floats(-0.5, 6.0), min_size=1, max_size=20),
    later=st.lists(st.floats(1e-6, 1.0), max_size=30),
    rule=st.sampled_from(RULES),
)
@settings(max_examples=300, deadline=None)
def test_nothing_after_a_step_changes_what_is_aligned_to_it(
    gaps: list[float], steps: list[float], later: list[float], rule: Rule
) -> None:
    """Whatever comes after a step (other samples, more, none at all): the same samples, ages and shares."""
    samples = np.cumsum(gaps)
    for step in steps:
        known = samples[samples <= step]
        others = np.concatenate([known, step + np.cumsum(later)])
        whole, changed = (align(times, np.array([step]), rule) for times in (samples, others))
        assert whole.valid == changed.valid
        assert (whole.first, whole.second) == (changed.first, changed.second)
        assert whole.age_seconds == changed.age_seconds
        assert whole.share == changed.share
        if whole.valid:
            assert max(whole.first[0], whole.second[0]) < len(known)
            assert whole.age_seconds >= 0


def test_no_samples_no_steps() -> None:
    assert not align(np.empty(0), np.arange(3.0), Rule()).valid.any()
    assert len(align(SAMPLES, np.empty(0), RULES[3]).valid) == 0


@pytest.mark.parametrize("times", [np.array([0.0, 1.0, 0.5]), np.array([0.0, np.nan])])
def test_times_out_of_order_are_refused(times: np.ndarray) -> None:
    with pytest.raises(ContractError, match="not in order"):
        align(times, np.zeros(1), Rule())


@pytest.mark.parametrize(
    "unusable",
    [
        {"tolerance_seconds": -1.0},
        {"tolerance_seconds": float("nan")},
        {"kind": "last", "ahead_seconds": 0.1},
        {"kind": "interpolate"},
        {"kind": "last", "delay_seconds": 0.1},
    ],
)
def test_rules_that_make_no_sense_are_refused(unusable: dict[str, object]) -> None:
    with pytest.raises(ContractError):
        Rule(**unusable)  # type: ignore[arg-type]
