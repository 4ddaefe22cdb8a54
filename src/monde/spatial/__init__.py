"""Where things are: rotations and rigid motions, pinhole cameras, laser scans. NumPy only; no learning.

Conventions are those of `monde.types.geometry`.
"""

from monde.spatial.cameras import backproject, project
from monde.spatial.geodesy import east_north_up
from monde.spatial.motions import compose, interpolate, inverse, mounted, relative, se2_compose, se2_inverse, transform
from monde.spatial.rotations import from_yaw, rotate, unit, yaw
from monde.spatial.scans import beam_directions, scan_points

__all__ = [
    "backproject",
    "beam_directions",
    "compose",
    "east_north_up",
    "from_yaw",
    "interpolate",
    "inverse",
    "mounted",
    "project",
    "relative",
    "rotate",
    "scan_points",
    "se2_compose",
    "se2_inverse",
    "transform",
    "unit",
    "yaw",
]
