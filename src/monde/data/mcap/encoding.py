"""Samples as ROS 2 messages."""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Shaped

from monde.spatial import from_yaw
from monde.types import GridGeometry, Intrinsics, Mount, ScanGeometry, Sensor

Fields = Mapping[str, object]
_FLOAT32 = 7
_TYPES = {
    "rgb": "sensor_msgs/Image",
    "depth": "sensor_msgs/Image",
    "points": "sensor_msgs/PointCloud2",
    "scan": "sensor_msgs/LaserScan",
    "pose": "geometry_msgs/PoseStamped",
    "gnss": "geometry_msgs/PoseStamped",
    "twist": "geometry_msgs/TwistStamped",
    "imu": "sensor_msgs/Imu",
    "grid": "nav_msgs/OccupancyGrid",
}


def message_type(sensor: Sensor) -> str:
    """The message that a sensor's samples become: what other tools know, else an array of numbers."""
    return _TYPES.get(sensor.kind, "std_msgs/Float32MultiArray")


def message(
    sensor: Sensor, sample: Shaped[np.ndarray, "..."], mask: Shaped[np.ndarray, " P"] | None, time_ns: int
) -> Fields:
    """One sample as the fields of its message."""
    header = {"stamp": stamp(time_ns), "frame_id": frame(sensor)}
    if sensor.picture:
        return {"header": header, **_picture(sensor, sample)}
    if sensor.kind == "points":
        return {"header": header, **_cloud(sample if mask is None else sample[mask])}
    if sensor.kind == "scan" and isinstance(sensor.geometry, ScanGeometry):
        return {"header": header, **_scan(sample, sensor.geometry)}
    if sensor.kind in {"pose", "gnss"}:
        planar = (sensor.kind, sensor.shape) == ("pose", (3,))
        return {"header": {**header, "frame_id": "world"}, "pose": _pose(_planar(sample) if planar else sample)}
    if sensor.kind == "twist":
        parts = sample if len(sample) == 6 else np.array([sample[0], sample[1], 0.0, 0.0, 0.0, sample[2]])
        vx, vy, vz, wx, wy, wz = (float(value) for value in parts)
        return {"header": header, "twist": {"linear": _vector(vx, vy, vz), "angular": _vector(wx, wy, wz)}}
    if sensor.kind == "imu":
        turn, push = (_vector(*sample[part].tolist()) for part in (slice(0, 3), slice(3, 6)))
        unknown = [-1.0] + [0.0] * 8  # REP 145: there is no orientation
        return {
            "header": header,
            "orientation": {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0},
            "orientation_covariance": unknown,
            "angular_velocity": turn,
            "angular_velocity_covariance": [0.0] * 9,
            "linear_acceleration": push,
            "linear_acceleration_covariance": [0.0] * 9,
        }
    if sensor.kind == "grid" and isinstance(sensor.geometry, GridGeometry):
        return {"header": header, **_grid(sample[0], sensor.geometry)}
    return array(sample, sensor.names)


def array(values: Shaped[np.ndarray, "..."], names: tuple[str, ...] = ()) -> Fields:
    """Plain numbers; the names of components go into the label of their axis."""
    dims = [
        {"label": ",".join(names) if axis == 0 else "", "size": side, "stride": int(math.prod(values.shape[axis:]))}
        for axis, side in enumerate(values.shape)
    ]
    return {"layout": {"dim": dims, "data_offset": 0}, "data": values.reshape(-1).astype(np.float32).tolist()}


def camera_info(sensor: Sensor, camera: Intrinsics, time_ns: int) -> Fields:
    """The calibration of a camera without distortion."""
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    return {
        "header": {"stamp": stamp(time_ns), "frame_id": frame(sensor)},
        "height": camera.height,
        "width": camera.width,
        "distortion_model": "plumb_bob",
        "d": [0.0] * 5,
        "k": [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        "r": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        "p": [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
        "binning_x": 0,
        "binning_y": 0,
        "roi": {"x_offset": 0, "y_offset": 0, "height": 0, "width": 0, "do_rectify": False},
    }


def transforms(mounts: Mapping[str, Mount], time_ns: int) -> Fields:
    """Where sensors are fixed, by the frame of each."""
    return {
        "transforms": [
            {
                "header": {"stamp": stamp(time_ns), "frame_id": mount.parent},
                "child_frame_id": child,
                "transform": {
                    "translation": _vector(*mount.translation),
                    "rotation": dict(zip("xyzw", mount.rotation, strict=True)),
                },
            }
            for child, mount in mounts.items()
        ]
    }


def frame(sensor: Sensor) -> str:
    """The frame of a sensor: its own name."""
    return sensor.name


def stamp(time_ns: int) -> Fields:
    """A time as builtin_interfaces/Time."""
    return {"sec": time_ns // 10**9, "nanosec": time_ns % 10**9}


def _picture(sensor: Sensor, sample: Shaped[np.ndarray, "C h w"]) -> Fields:
    channels, height, width = sensor.shape
    colours = sensor.kind == "rgb"
    pixels = np.ascontiguousarray(np.moveaxis(sample, 0, -1), dtype=np.uint8 if colours else "<f4")
    return {
        "height": height,
        "width": width,
        "encoding": "rgb8" if colours else "32FC1",
        "is_bigendian": 0,
        "step": width * (channels if colours else 4),
        "data": pixels.tobytes(),
    }


def _cloud(points: Shaped[np.ndarray, "n C"]) -> Fields:
    names = ["x", "y", "z", *(f"c{column}" for column in range(3, points.shape[1]))]
    return {
        "height": 1,
        "width": len(points),
        "fields": [
            {"name": name, "offset": 4 * column, "datatype": _FLOAT32, "count": 1} for column, name in enumerate(names)
        ],
        "is_bigendian": False,
        "point_step": 4 * len(names),
        "row_step": 4 * len(names) * len(points),
        "data": np.ascontiguousarray(points, dtype="<f4").tobytes(),
        "is_dense": True,
    }


def _scan(ranges: Shaped[np.ndarray, " R"], geometry: ScanGeometry) -> Fields:
    # No return is an infinity and nothing known a NaN to other tools (REP 117).
    told = np.where(ranges >= geometry.most_m, np.inf, np.where(ranges > 0, ranges, np.nan))
    return {
        "angle_min": geometry.start_rad,
        "angle_max": geometry.start_rad + geometry.step_rad * (len(ranges) - 1),
        "angle_increment": geometry.step_rad,
        "time_increment": 0.0,
        "scan_time": 0.0,
        "range_min": geometry.least_m,
        "range_max": geometry.most_m,
        "ranges": told.tolist(),
        "intensities": [],
    }


def _grid(cells: Shaped[np.ndarray, "h w"], geometry: GridGeometry) -> Fields:
    percent = np.where(cells < 0, -1, np.rint(cells * 100)).astype(np.int8)
    x, y = geometry.origin
    return {
        "info": {
            "map_load_time": stamp(0),
            "resolution": geometry.cell_m,
            "width": cells.shape[1],
            "height": cells.shape[0],
            "origin": {"position": _vector(x, y, 0.0), "orientation": {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}},
        },
        "data": percent.reshape(-1).tolist(),
    }


def _pose(sample: Shaped[np.ndarray, " n"]) -> Fields:
    """A pose, or a place alone."""
    values = [float(value) for value in sample]
    turn = values[3:] or [0.0, 0.0, 0.0, 1.0]
    return {"position": _vector(*values[:3]), "orientation": dict(zip("xyzw", turn, strict=True))}


def _planar(sample: Shaped[np.ndarray, " 3"]) -> Shaped[np.ndarray, " 7"]:
    return np.array([sample[0], sample[1], 0.0, *from_yaw(sample[2:3].astype(np.float64))[0]])


def _vector(x: float, y: float, z: float) -> Fields:
    return {"x": x, "y": y, "z": z}
