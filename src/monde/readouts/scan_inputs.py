"""What is known of a scan that is still to come: past scans, seen from where the scanner will be."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monde.errors import ContractError
from monde.spatial import scanner_motion, warp_scan
from monde.types.geometry import ScanGeometry

PAST = 3
"""Past scans that are seen from the place to come."""
SEEN = 2 * PAST + 4
"""Channels of `ScanInputs.seen`."""
MOVES = 6
_MOVE_SCALE = np.array([1.0, 1.0, 0.3])


@dataclass(frozen=True)
class ScanInputs:
    """Of n scans to come.

    Args:
        seen: [n, SEEN, R]: each of the last scans as it would look from there (log of metres) and whether a beam was
            filled; the last scan as it was; and the same prediction made earlier for now: what it was and where it was
            filled, beside what came of it. That shows how odometry errs here.
        moves: [n, MOVES]: the motion to come and the past one, in units of about one.
        warped: [n, PAST, R] those scans as seen from there, in metres; the newest first.
    """

    seen: Float[Tensor, "n C R"]
    moves: Float[Tensor, "n m"]
    warped: Float[Tensor, "n past R"]

    def rows(self, index: Tensor) -> "ScanInputs":
        """Some of them."""
        return ScanInputs(self.seen[index], self.moves[index], self.warped[index])


def scan_inputs(
    scans: Float[np.ndarray, "n T R"],
    poses: Float[np.ndarray, "n U 3"],
    geometry: ScanGeometry,
    ahead_m: float,
) -> ScanInputs:
    """Inputs of forecasts H steps ahead, from T = max(H, PAST - 1) + 1 scans and the poses of these and of H more.

    Args:
        scans: In metres; no return reads `most_m`.
        poses: (x, y, yaw) of the body by odometry, at each scan and up to the one that is to be foretold.
        geometry: Of the scanner.
        ahead_m: How far before the body's middle it is fixed.

    Raises:
        ContractError: Poses that do not reach beyond the scans, or too few scans.
    """
    T, U = scans.shape[1], poses.shape[1]
    horizon = U - T
    if horizon < 1 or horizon + 1 > T or T < PAST:
        raise ContractError(
            "these scans and poses make no forecast",
            got=f"{T} scans and {U} poses",
            expected=f"H more poses than scans, H ≥ 1, and at least max(H + 1, {PAST}) scans",
        )
    target, last = poses[:, -1], poses[:, T - 1]
    warps = [
        warp_scan(scans[:, T - 1 - k], geometry, scanner_motion(poses[:, T - 1 - k], target, ahead_m))
        for k in range(PAST)
    ]
    earlier = scanner_motion(poses[:, T - 1 - horizon], last, ahead_m)
    before, before_filled = warp_scan(scans[:, T - 1 - horizon], geometry, earlier)
    coming = scanner_motion(last, target, ahead_m)
    channels = [part for warped, filled in warps for part in (_log(warped), filled)]
    channels += [_log(scans[:, -1]), _log(before), before_filled, _log(scans[:, -1]) - _log(before)]
    moves = np.concatenate([coming / _MOVE_SCALE, earlier / _MOVE_SCALE], axis=1)
    return ScanInputs(
        torch.from_numpy(np.stack(channels, 1).astype(np.float32)),
        torch.from_numpy(moves.astype(np.float32)),
        torch.from_numpy(np.stack([warped for warped, _ in warps], 1).astype(np.float32)),
    )


def _log(ranges: Float[np.ndarray, "n R"]) -> Float[np.ndarray, "n R"]:
    return np.log(np.maximum(ranges, 0.05))
