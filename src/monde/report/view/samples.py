"""Samples of every kind of sensor, as what Rerun shows."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Shaped

from monde.spatial import from_yaw, scan_points
from monde.types import GridGeometry, Intrinsics, ScanGeometry, Sensor

if TYPE_CHECKING:
    from rerun import AsComponents

_OCCUPIED = 0.5


def shown(
    sensor: Sensor, sample: Shaped[np.ndarray, "..."], mask: Bool[np.ndarray, " P"] | None
) -> "Sequence[AsComponents]":
    """A sample; nothing for kinds that have no picture of their own.

    Args:
        sensor: What measured it.
        sample: In the sensor's shape.
        mask: Of a cloud.
    """
    import rerun as rr

    if sensor.kind == "rgb":
        return [rr.EncodedImage(contents=_png(np.moveaxis(sample, 0, -1)), media_type="image/png")]
    if sensor.kind == "depth":
        return [rr.DepthImage(np.ascontiguousarray(sample[0]), meter=1.0)]
    if sensor.kind == "points":
        return [rr.Points3D(sample[:, :3] if mask is None else sample[mask][:, :3])]
    if sensor.kind == "scan" and isinstance(sensor.geometry, ScanGeometry):
        points, hit = scan_points(sample.astype(np.float64), sensor.geometry)
        return [rr.Points3D(np.pad(points[hit], ((0, 0), (0, 1))))]
    if sensor.kind == "grid" and isinstance(sensor.geometry, GridGeometry):
        rows, columns = np.nonzero(sample[0] >= _OCCUPIED)
        cell, (x, y) = sensor.geometry.cell_m, sensor.geometry.origin
        centres = np.stack([x + (columns + 0.5) * cell, y + (rows + 0.5) * cell, np.zeros(len(rows))], axis=1)
        return [rr.Points3D(centres, radii=cell / 2)]
    if sensor.kind == "gnss":
        return [rr.Points3D(sample[None])]
    if sensor.kind == "pose":
        place, turn = placed(sample)
        return [rr.Transform3D(translation=place, quaternion=rr.Quaternion(xyzw=turn))]
    return [rr.Scalars(sample.reshape(-1).astype(np.float64))] if sensor.kind != "tokens" else []


def placed(pose: Shaped[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
    """Place [3] and rotation [4] of a pose in space or in the plane."""
    if len(pose) == 7:
        return pose[:3].astype(np.float64), pose[3:].astype(np.float64)
    return np.array([pose[0], pose[1], 0.0]), from_yaw(pose[2:3].astype(np.float64))[0]


def pinhole(camera: Intrinsics) -> "AsComponents":
    """A camera's view; z ahead, x to the right, y down, as in `monde.types.geometry`."""
    import rerun as rr

    return rr.Pinhole(
        resolution=[camera.width, camera.height],
        focal_length=[camera.fx, camera.fy],
        principal_point=[camera.cx, camera.cy],
        camera_xyz=rr.ViewCoordinates.RDF,
    )


def _png(pixels: Shaped[np.ndarray, "h w 3"]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
