"""Scans seen from elsewhere, and matched, against scans cast there."""

import numpy as np
import pytest

from monde.errors import ContractError
from monde.spatial import match_scans, scanner_motion, se2_compose, se2_inverse, warp_scan
from monde.worlds.laser import SICK
from monde.worlds.laser.solids import Solids
from monde.worlds.laser.yard import draw_yard

MOTION = np.array([0.6, -0.05, 0.12])


def _two_scans(seed: int) -> tuple[np.ndarray, np.ndarray]:
    around = Solids([draw_yard(np.random.default_rng(seed))[0]])
    angles = SICK.geometry.start_rad + SICK.geometry.step_rad * np.arange(SICK.beams)
    pose = np.array([0.0, 0.0, 0.3])
    after = se2_compose(pose, MOTION)
    first, second = (around.cast(p[None, :2], p[2] + angles[None], SICK.geometry.most_m)[0] for p in (pose, after))
    return first, second


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_a_warped_scan_is_the_scan_cast_there_but_for_what_comes_into_view(seed: int) -> None:
    first, second = _two_scans(seed)
    warped, filled = warp_scan(first[None], SICK.geometry, MOTION[None])
    both = filled[0] & (second < SICK.geometry.most_m)
    assert both.sum() > 80
    error, still = np.abs(warped[0] - second)[both], np.abs(first - second)[both]
    assert np.median(error) < 0.03
    assert error.mean() < 0.5 * still.mean()


def test_no_motion_changes_nothing_and_what_is_unknown_stays_out() -> None:
    first, _ = _two_scans(3)
    first[:40] = 0.0
    warped, filled = warp_scan(first[None], SICK.geometry, np.zeros((1, 3)))
    assert not filled[0, :39].any()
    hit = (first > 0) & (first < SICK.geometry.most_m)
    np.testing.assert_allclose(warped[0][hit], first[hit], rtol=0.02)
    nothing, none = warp_scan(np.zeros((1, 361)), SICK.geometry, MOTION[None])
    assert not none.any()
    assert (nothing == SICK.geometry.most_m).all()


def test_the_scanners_motion_is_that_of_its_mount() -> None:
    turned = scanner_motion(np.zeros((1, 3)), np.array([[0.0, 0.0, np.pi / 2]]), ahead_m=1.0)
    np.testing.assert_allclose(turned[0], [-1.0, 1.0, np.pi / 2], atol=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_matching_finds_the_motion(seed: int) -> None:
    first, second = _two_scans(seed)
    found = match_scans(first, second, SICK.geometry, np.zeros(3))
    assert (np.abs(found.motion - MOTION) < [0.03, 0.03, 0.005]).all()
    assert found.share > 0.5
    assert found.residual_m < 0.05
    back = match_scans(second, first, SICK.geometry, np.zeros(3))
    assert (np.abs(back.motion - se2_inverse(MOTION)) < [0.03, 0.03, 0.005]).all()


def test_empty_scans_cannot_be_matched() -> None:
    with pytest.raises(ContractError, match="too few returns"):
        match_scans(np.full(361, 80.0), np.full(361, 80.0), SICK.geometry, np.zeros(3))
