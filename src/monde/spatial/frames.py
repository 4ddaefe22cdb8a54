"""Where sensors are, and where in space is what they show: mounts and pose sensors followed to the outermost frame.

A sensor that is mounted to a frame which a pose sensor of that name tells moves with it: a camera with
`Mount(parent="rig")` beside a pose sensor "rig". What a pose sensor tells is in its own mount's frame.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64

from monde.errors import ContractError, unknown_name
from monde.protocols import Observation
from monde.spatial.cameras import backproject
from monde.spatial.motions import compose, mounted, transform
from monde.spatial.rotations import from_yaw
from monde.types.geometry import Intrinsics
from monde.types.streams import Sensor


def sensor_poses(observation: Observation, sensors: Sequence[Sensor], name: str) -> Float64[np.ndarray, "B 7"]:
    """Poses of a sensor's frame in the outermost frame that is known, one for each row.

    Args:
        observation: What is shown now, pose sensors among it.
        sensors: What it is shown by.
        name: Of the sensor.

    Raises:
        ContractError: An unknown sensor, one of which it is not known where it is fixed, or frames that go in circles.
    """
    by_name = {sensor.name: sensor for sensor in sensors}
    sensor = _named(by_name, name)
    if sensor.mount is None:
        raise ContractError(
            f"it is not known where sensor {name!r} is fixed",
            expected="a sensor with a mount",
            remedy="say it where the data is: Sensor(mount=Mount(parent=…))",
        )
    poses, parent, passed = np.tile(mounted(sensor.mount), (observation.batch, 1)), sensor.mount.parent, {name}
    while parent in by_name and by_name[parent].kind == "pose":
        if parent in passed:
            raise ContractError("these frames go in circles", got=sorted(passed), expected="a pose told in another")
        passed.add(parent)
        outer = by_name[parent]
        poses = compose(_full(observation.values[parent].astype(np.float64)), poses)
        if outer.mount is None:
            break
        poses, parent = compose(mounted(outer.mount), poses), outer.mount.parent
    return poses


def place_in_image(
    observation: Observation, sensors: Sequence[Sensor], name: str, column: float, row: float
) -> Float64[np.ndarray, "B 3"]:
    """Where in space is what a pixel of a camera shows, m, in the outermost frame; one place for each row.

    Args:
        observation: What is shown now.
        sensors: What it is shown by.
        name: Of a depth camera, or of a camera beside a depth camera of the same intrinsics and mount.
        column: Of the pixel, to the right from 0.
        row: Of the pixel, downwards from 0.

    Raises:
        ContractError: No camera of which depth, intrinsics and mount are known, a pixel outside the frame, or one where
            nothing was measured.
    """
    by_name = {sensor.name: sensor for sensor in sensors}
    depth = _depth_beside(_named(by_name, name), sensors)
    camera = depth.geometry
    if not isinstance(camera, Intrinsics):
        raise ContractError(
            f"the intrinsics of {depth.name!r} are not known", expected="Sensor(geometry=Intrinsics(…))"
        )
    x, y = round(column), round(row)
    if not (0 <= x < camera.width and 0 <= y < camera.height):
        raise ContractError(
            f"{name!r} has no such pixel",
            got=f"column {column:g}, row {row:g}",
            expected=f"0 to {camera.width - 1}, 0 to {camera.height - 1}",
        )
    points, valid = backproject(observation.values[depth.name][:, 0], camera)
    missing = np.flatnonzero(~valid[:, y, x])
    if len(missing):
        raise ContractError(
            f"{depth.name!r} measured nothing at column {x}, row {y}",
            got=f"depth 0 in rows {missing[:8].tolist()} of {len(valid)}",
            remedy="choose a pixel on a surface within the camera's range",
        )
    return transform(sensor_poses(observation, sensors, depth.name), points[:, y, x].astype(np.float64))


def place_in_cloud(
    observation: Observation, sensors: Sequence[Sensor], name: str, index: int
) -> Float64[np.ndarray, "B 3"]:
    """Where in space a point of a cloud is, m, in the outermost frame; one place for each row.

    Args:
        observation: What is shown now.
        sensors: What it is shown by.
        name: Of the cloud.
        index: Of the point in it.

    Raises:
        ContractError: No cloud, no mount, or no such point in some row.
    """
    sensor = _named({sensor.name: sensor for sensor in sensors}, name)
    if sensor.kind != "points":
        raise ContractError(f"sensor {name!r} is no cloud", got=sensor.kind, expected="points")
    if not 0 <= index < sensor.shape[0]:
        raise ContractError(f"{name!r} has no such point", got=index, expected=f"0 to {sensor.shape[0] - 1}")
    points = observation.values[name][:, index, :3].astype(np.float64)
    padding = np.flatnonzero(~points.any(axis=1))
    if len(padding):
        raise ContractError(
            f"{name!r} has fewer points in some rows",
            got=f"padding at {index} in rows {padding[:8].tolist()}",
            remedy="choose a smaller index: padding comes last",
        )
    return transform(sensor_poses(observation, sensors, name), points)


def _full(poses: Float[np.ndarray, "B n"]) -> Float[np.ndarray, "B 7"]:
    """SE(2) poses as SE(3) ones."""
    if poses.shape[1] == 7:
        return poses
    return np.concatenate([poses[:, :2], np.zeros_like(poses[:, :1]), from_yaw(poses[:, 2])], axis=1)


def _depth_beside(sensor: Sensor, sensors: Sequence[Sensor]) -> Sensor:
    if sensor.kind == "depth":
        return sensor
    for other in sensors:
        alike = (other.geometry, other.mount, other.shape[1:]) == (sensor.geometry, sensor.mount, sensor.shape[1:])
        if (other.kind, sensor.kind) == ("depth", "rgb") and alike:
            return other
    raise ContractError(
        f"nothing measures how far away is what {sensor.name!r} shows",
        got=f"sensors {[f'{other.name} ({other.kind})' for other in sensors]}",
        expected="a depth camera, of the same intrinsics and mount",
    )


def _named(by_name: dict[str, Sensor], name: str) -> Sensor:
    if name not in by_name:
        raise unknown_name("sensor", name, sorted(by_name), ContractError)
    return by_name[name]
