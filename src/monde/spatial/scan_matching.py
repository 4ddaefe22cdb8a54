"""Iterative closest point for planar scans, by the distance of points to lines (Censi 2008, "An ICP variant using a
point-to-line metric")."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from monde.errors import ContractError
from monde.spatial.motions import se2_compose
from monde.spatial.scans import scan_points
from monde.types.geometry import ScanGeometry

_LEAST_PAIRS = 10
_ENOUGH = np.array([1e-4, 1e-4, 1e-5])


@dataclass(frozen=True)
class Match:
    """How two scans lie to one another.

    Args:
        motion: (x, y, yaw) of the second scanner pose in the first's frame.
        share: Of the second scan's returns, those with a partner.
        residual_m: Median distance of these to their lines.
    """

    motion: Float64[np.ndarray, "3"]
    share: float
    residual_m: float


def match_scans(
    first: Float[np.ndarray, " R"],
    second: Float[np.ndarray, " R"],
    geometry: ScanGeometry,
    guess: Float[np.ndarray, "3"],
    *,
    reach_m: tuple[float, float] = (1.0, 0.2),
    iterations: int = 30,
) -> Match:
    """Match the second scan to the first.

    Args:
        first: Ranges; what has no return is left out.
        second: Likewise.
        geometry: Of the scanner.
        guess: Where to begin.
        reach_m: Largest distance of partners, at first and at last; it shrinks from one to the other.
        iterations: At most.

    Raises:
        ContractError: Too few returns to match.
    """
    from scipy.spatial import cKDTree

    lines, normals = _lines(first, geometry)
    points = _returns(second, geometry)
    if len(lines) < _LEAST_PAIRS or len(points) < _LEAST_PAIRS:
        raise ContractError(
            "these scans have too few returns to match", got=(len(lines), len(points)), expected=f"≥ {_LEAST_PAIRS}"
        )
    tree, motion = cKDTree(lines), np.asarray(guess, dtype=np.float64)
    shrink = (reach_m[1] / reach_m[0]) ** (1 / max(1, iterations // 2))
    reach, share, residual = reach_m[0], 0.0, np.inf
    for _ in range(iterations):
        placed = se2_compose(motion, np.concatenate([points, np.zeros((len(points), 1))], 1))[:, :2]
        away, partner = tree.query(placed)
        near = away < reach
        share = float(near.mean())
        if near.sum() < _LEAST_PAIRS:
            break
        normal, offset = normals[partner[near]], placed[near] - lines[partner[near]]
        gap = (normal * offset).sum(1)
        residual = float(np.median(np.abs(gap)))
        arm = placed[near] - motion[:2]
        rows = np.column_stack([normal, normal[:, 1] * arm[:, 0] - normal[:, 0] * arm[:, 1]])
        weight = 1 / (1 + (gap / (0.25 * reach)) ** 2)
        step = np.linalg.lstsq(rows * weight[:, None], -gap * weight, rcond=1e-6)[0]
        motion = motion + step
        reach = max(reach * shrink, reach_m[1])
        if (np.abs(step) < _ENOUGH).all() and reach == reach_m[1]:
            break
    return Match(motion, share, residual)


def _returns(ranges: Float[np.ndarray, " R"], geometry: ScanGeometry) -> Float64[np.ndarray, "n 2"]:
    points, hit = scan_points(np.asarray(ranges, dtype=np.float64), geometry)
    return points[hit]


def _lines(
    ranges: Float[np.ndarray, " R"], geometry: ScanGeometry
) -> tuple[Float64[np.ndarray, "n 2"], Float64[np.ndarray, "n 2"]]:
    """Returns that have a neighbour on their surface, and the normals there."""
    points, hit = scan_points(np.asarray(ranges, dtype=np.float64), geometry)
    along, joined = _along(points, hit)
    length = np.sqrt((along**2).sum(-1))
    usable = joined & (length > 1e-6)
    normals = np.stack([-along[:, 1], along[:, 0]], -1)[usable] / length[usable, None]
    return points[usable], normals


def _along(
    points: Float64[np.ndarray, "R 2"], hit: Bool[np.ndarray, " R"]
) -> tuple[Float64[np.ndarray, "R 2"], Bool[np.ndarray, " R"]]:
    """From the neighbour before each point to the one behind it, where these lie on one surface."""
    gaps = np.sqrt((np.diff(points, axis=0) ** 2).sum(-1))
    far = np.sqrt((points**2).sum(-1))
    same = (gaps < 0.1 * np.minimum(far[1:], far[:-1]) + 0.1) & hit[1:] & hit[:-1]
    before, behind = np.append(False, same), np.append(same, False)
    index = np.arange(len(points))
    start = points[np.where(before, index - 1, index)]
    end = points[np.where(behind, np.minimum(index + 1, len(points) - 1), index)]
    return end - start, before | behind
