"""What a planar scan would look like from elsewhere: the surfaces between neighbouring returns, seen from there."""

import numpy as np
from jaxtyping import Bool, Float, Float64

from monde.spatial.motions import se2_compose, se2_inverse
from monde.spatial.scans import beam_directions
from monde.types.geometry import ScanGeometry

_JOINED_SHARE, _JOINED_M = 0.1, 0.1
"""Neighbouring returns lie on one surface if their ranges differ by less than this share of the nearer, and this."""
_WIDEST = 12
"""Beams that the surface between two neighbouring returns may cover."""


def scanner_motion(
    before: Float[np.ndarray, "B 3"], after: Float[np.ndarray, "B 3"], ahead_m: float
) -> Float64[np.ndarray, "B 3"]:
    """How a scanner that is fixed `ahead_m` before the middle of a body moved, in its own frame before."""
    mount = np.array([ahead_m, 0.0, 0.0])
    return se2_compose(se2_inverse(se2_compose(before, mount)), se2_compose(after, mount))


def warp_scan(
    ranges: Float[np.ndarray, "B R"], geometry: ScanGeometry, motion: Float[np.ndarray, "B 3"]
) -> tuple[Float64[np.ndarray, "B R"], Bool[np.ndarray, "B R"]]:
    """Scans as they would be after a motion, if nothing else moves and nothing comes into view.

    Args:
        ranges: Scans; what has no return, or is unknown, is left out.
        geometry: Of the scanner.
        motion: The pose afterwards (x ahead, y left, yaw) in the scanner's frame before.

    Returns:
        Ranges, and the beams that something was moved to. The others hold the range of the nearest beam that was, and
        `most_m` in scans of which nothing is left.
    """
    B, R = ranges.shape
    known = (ranges > 0) & (ranges < geometry.most_m)
    points = ranges[..., None] * beam_directions(R, geometry) - motion[:, None, :2]
    cos, sin = np.cos(motion[:, 2:]), np.sin(motion[:, 2:])
    x, y = cos * points[..., 0] + sin * points[..., 1], cos * points[..., 1] - sin * points[..., 0]
    far = np.sqrt(x**2 + y**2)
    angle = (np.arctan2(y, x) - geometry.start_rad + np.pi) % (2 * np.pi) - np.pi
    # Counted from the first beam; what lies a little before it has a small negative number.
    if R * abs(geometry.step_rad) > np.pi:
        angle = np.where(angle < -np.pi / 2, angle + 2 * np.pi, angle)
    beam = angle / geometry.step_rad
    seen = np.full((B, R), np.inf)
    rows = np.broadcast_to(np.arange(B)[:, None], (B, R))
    _put(seen, rows, np.rint(beam), far, known)
    joined = known[:, 1:] & known[:, :-1]
    nearer = np.minimum(ranges[:, 1:], ranges[:, :-1])
    joined &= np.abs(np.diff(ranges, axis=1)) < _JOINED_SHARE * nearer + _JOINED_M
    low, high = np.minimum(beam[:, 1:], beam[:, :-1]), np.maximum(beam[:, 1:], beam[:, :-1])
    at_low = np.where(beam[:, :-1] <= beam[:, 1:], far[:, :-1], far[:, 1:])
    at_high = np.where(beam[:, :-1] <= beam[:, 1:], far[:, 1:], far[:, :-1])
    joined &= high - low < _WIDEST
    first = np.ceil(low)
    for step in range(_WIDEST):
        covered = joined & (first + step <= high)
        if not covered.any():
            break
        share = (first + step - low) / np.maximum(high - low, 1e-9)
        # Along a straight surface the inverse of the range is what is nearly linear in the angle.
        between = 1 / np.maximum((1 - share) / np.maximum(at_low, 1e-6) + share / np.maximum(at_high, 1e-6), 1e-9)
        _put(seen, rows[:, 1:], first + step, between, covered)
    filled = np.isfinite(seen)
    return _nearest_filled(seen, filled, geometry.most_m), filled


def _put(seen: np.ndarray, rows: np.ndarray, beams: np.ndarray, ranges: np.ndarray, which: np.ndarray) -> None:
    """Keep the nearest surface of each beam."""
    inside = which & (beams >= 0) & (beams < seen.shape[1])
    np.minimum.at(seen, (rows[inside], beams[inside].astype(np.int64)), ranges[inside])


def _nearest_filled(seen: np.ndarray, filled: np.ndarray, most_m: float) -> Float64[np.ndarray, "B R"]:
    R = seen.shape[1]
    index = np.arange(R)
    before = np.maximum.accumulate(np.where(filled, index, -1), axis=1)
    after = np.minimum.accumulate(np.where(filled, index, 2 * R)[:, ::-1], axis=1)[:, ::-1]
    back, ahead = np.where(before >= 0, index - before, 4 * R), np.where(after < R, after - index, 4 * R)
    source = np.where(back <= ahead, before, after).clip(0, R - 1)
    found = np.take_along_axis(seen, source, axis=1)
    return np.where(np.isfinite(found), np.minimum(found, most_m), most_m)
