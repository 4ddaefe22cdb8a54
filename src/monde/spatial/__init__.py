"""Where things are: rotations and rigid motions, pinhole cameras, laser scans, clouds. NumPy only; no learning.

Conventions are those of `monde.types.geometry`.
"""

from monde.spatial.cameras import backproject, project
from monde.spatial.clouds import cloud_mask, pad_cloud, thin_cloud
from monde.spatial.geodesy import east_north_up
from monde.spatial.motions import compose, interpolate, inverse, mounted, relative, se2_compose, se2_inverse, transform
from monde.spatial.rotations import from_matrix, from_yaw, rotate, unit, yaw
from monde.spatial.scans import beam_directions, scan_points

__all__ = [
    "backproject",
    "beam_directions",
    "cloud_mask",
    "compose",
    "east_north_up",
    "from_matrix",
    "from_yaw",
    "interpolate",
    "inverse",
    "mounted",
    "pad_cloud",
    "project",
    "relative",
    "rotate",
    "scan_points",
    "se2_compose",
    "se2_inverse",
    "thin_cloud",
    "transform",
    "unit",
    "yaw",
]
