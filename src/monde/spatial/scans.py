"""Planar laser scans as points."""

import numpy as np
from jaxtyping import Bool, Float

from monde.types.geometry import ScanGeometry


def beam_directions(beams: int, geometry: ScanGeometry) -> Float[np.ndarray, "R 2"]:
    """Unit vectors (x ahead, y left) of each beam in the scanner's frame."""
    angles = geometry.start_rad + geometry.step_rad * np.arange(beams)
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def scan_points(
    ranges: Float[np.ndarray, "... R"], geometry: ScanGeometry
) -> tuple[Float[np.ndarray, "... R 2"], Bool[np.ndarray, "... R"]]:
    """Where each beam ended, in the scanner's frame, in metres; and whether it hit something there."""
    points = ranges[..., None] * beam_directions(ranges.shape[-1], geometry)
    return points, (ranges > 0) & (ranges < geometry.most_m)
