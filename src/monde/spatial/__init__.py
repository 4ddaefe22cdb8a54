"""Where things are: rotations and rigid motions, frames, pinhole cameras, laser scans, clouds. No learning.

Conventions are those of `monde.types.geometry`.
"""

from monde.spatial.cameras import backproject, project
from monde.spatial.clouds import cloud_mask, pad_cloud, thin_cloud
from monde.spatial.frames import place_in_cloud, place_in_image, sensor_poses
from monde.spatial.geodesy import east_north_up
from monde.spatial.motions import (
    compose,
    interpolate,
    inverse,
    mounted,
    relative,
    se2_compose,
    se2_inverse,
    transform,
    wrap,
)
from monde.spatial.rotations import from_matrix, from_yaw, rotate, unit, yaw
from monde.spatial.scan_matching import Match, match_scans
from monde.spatial.scans import beam_directions, scan_points
from monde.spatial.warping import scanner_motion, warp_scan

__all__ = [
    "Match",
    "backproject",
    "beam_directions",
    "cloud_mask",
    "compose",
    "east_north_up",
    "from_matrix",
    "from_yaw",
    "interpolate",
    "inverse",
    "match_scans",
    "mounted",
    "pad_cloud",
    "place_in_cloud",
    "place_in_image",
    "project",
    "relative",
    "rotate",
    "scan_points",
    "scanner_motion",
    "se2_compose",
    "se2_inverse",
    "sensor_poses",
    "thin_cloud",
    "transform",
    "unit",
    "warp_scan",
    "wrap",
    "yaw",
]
