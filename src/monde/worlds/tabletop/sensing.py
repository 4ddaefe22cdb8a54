"""A depth camera and a cloud, of what was drawn: what is not measured, and which points are kept."""

import numpy as np
from jaxtyping import Float32, Float64

from monde.spatial import backproject, transform
from monde.types import Intrinsics
from monde.worlds.tabletop.config import TabletopConfig

_SHADOW_METRES = 0.03
"""Where the pixel to the right is so much nearer, the projector beside the camera does not reach."""

_GRAIN_METRES = 0.001
"""Depth is measured in whole millimetres."""

_LOW, _HIGH = (-0.30, -0.30, -0.05), (0.30, 0.30, 0.40)
"""The table's room: points beyond it are left out."""

_STANDS_OUT_METRES = 0.01
"""What lies so far above most points belongs to no tray."""

_TRAY_SHARE = 4
"""One in so many of a cloud's points may be of the tray."""


def measured(depth: Float32[np.ndarray, "h w"], config: TabletopConfig) -> Float32[np.ndarray, "h w"]:
    """What a camera with a projector to its right measures of true depth, m: 0 out of range, and in the shadows at
    the left of what stands in front."""
    nearer = np.zeros(depth.shape, dtype=np.bool_)
    nearer[:, :-1] = depth[:, :-1] - depth[:, 1:] > _SHADOW_METRES
    seen = (depth >= config.nearest_metres) & (depth <= config.furthest_metres) & ~nearer
    return np.where(seen, np.round(depth / _GRAIN_METRES) * _GRAIN_METRES, 0).astype(np.float32)


def cloud(
    depth: Float32[np.ndarray, "h w"], camera: Intrinsics, rig: Float64[np.ndarray, " 7"], most: int
) -> Float32[np.ndarray, "P 3"]:
    """Points of a depth image in the table's frame, cropped to its room, at most `most` of them.

    Most points are of the tray: what stands out from it comes first, and the tray fills a quarter at most. As many as
    are needed are taken evenly from what there is, so that the same depth gives the same cloud.
    """
    points, valid = backproject(depth, camera)
    places = transform(rig, points[valid].astype(np.float64))
    places = places[((places >= _LOW) & (places <= _HIGH)).all(axis=1)]
    if not len(places):
        return np.zeros((0, 3), dtype=np.float32)
    out = places[:, 2] > np.median(places[:, 2]) + _STANDS_OUT_METRES
    few = most // _TRAY_SHARE
    return np.concatenate([_evenly(places[out], most - few), _evenly(places[~out], few)]).astype(np.float32)


def _evenly(points: Float64[np.ndarray, "n 3"], most: int) -> Float64[np.ndarray, "m 3"]:
    if len(points) <= most:
        return points
    return points[np.linspace(0, len(points) - 1, most).round().astype(np.int64)]
