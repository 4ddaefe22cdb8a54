"""MCAP files as robots write them, by the libraries that others use: ROS 2 CDR, Protobuf and JSON."""

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mcap.writer import CompressionType
from mcap.writer import Writer as PlainWriter
from mcap_ros2.writer import Writer
from PIL import Image

HEADER = "std_msgs/Header header\n"
RULE = "=" * 80 + "\n"
STD_HEADER = f"{RULE}MSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n"
TIME = f"{RULE}MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
POINT = f"{RULE}MSG: geometry_msgs/Point\nfloat64 x\nfloat64 y\nfloat64 z\n"
QUATERNION = f"{RULE}MSG: geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w\n"
VECTOR = f"{RULE}MSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n"
POSE = f"{RULE}MSG: geometry_msgs/Pose\nPoint position\nQuaternion orientation\n" + POINT + QUATERNION
TWIST = f"{RULE}MSG: geometry_msgs/Twist\nVector3 linear\nVector3 angular\n" + VECTOR
COMMON = STD_HEADER + TIME
SCHEMAS = {
    "sensor_msgs/msg/Image": HEADER
    + "uint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\nuint8[] data\n"
    + COMMON,
    "sensor_msgs/msg/CompressedImage": HEADER + "string format\nuint8[] data\n" + COMMON,
    "sensor_msgs/msg/CameraInfo": HEADER
    + "uint32 height\nuint32 width\nstring distortion_model\nfloat64[] d\nfloat64[9] k\nfloat64[9] r\nfloat64[12] p\n"
    + COMMON,
    "sensor_msgs/msg/PointCloud2": HEADER
    + "uint32 height\nuint32 width\nPointField[] fields\nbool is_bigendian\nuint32 point_step\nuint32 row_step\n"
    + "uint8[] data\nbool is_dense\n"
    + f"{RULE}MSG: sensor_msgs/PointField\nstring name\nuint32 offset\nuint8 datatype\nuint32 count\n"
    + COMMON,
    "sensor_msgs/msg/LaserScan": HEADER
    + "float32 angle_min\nfloat32 angle_max\nfloat32 angle_increment\nfloat32 time_increment\nfloat32 scan_time\n"
    + "float32 range_min\nfloat32 range_max\nfloat32[] ranges\nfloat32[] intensities\n"
    + COMMON,
    "sensor_msgs/msg/JointState": HEADER
    + "string[] name\nfloat64[] position\nfloat64[] velocity\nfloat64[] effort\n"
    + COMMON,
    "sensor_msgs/msg/Imu": HEADER
    + "geometry_msgs/Quaternion orientation\nfloat64[9] orientation_covariance\n"
    + "geometry_msgs/Vector3 angular_velocity\nfloat64[9] angular_velocity_covariance\n"
    + "geometry_msgs/Vector3 linear_acceleration\nfloat64[9] linear_acceleration_covariance\n"
    + COMMON
    + QUATERNION
    + VECTOR,
    "sensor_msgs/msg/NavSatFix": HEADER
    + "sensor_msgs/NavSatStatus status\nfloat64 latitude\nfloat64 longitude\nfloat64 altitude\n"
    + "float64[9] position_covariance\nuint8 position_covariance_type\n"
    + f"{RULE}MSG: sensor_msgs/NavSatStatus\nint8 status\nuint16 service\n"
    + COMMON,
    "geometry_msgs/msg/PoseStamped": HEADER + "Pose pose\n" + COMMON + POSE,
    "geometry_msgs/msg/Twist": "Vector3 linear\nVector3 angular\n" + VECTOR,
    "geometry_msgs/msg/TwistStamped": HEADER + "Twist twist\n" + COMMON + TWIST,
    "nav_msgs/msg/Odometry": HEADER
    + "string child_frame_id\ngeometry_msgs/PoseWithCovariance pose\ngeometry_msgs/TwistWithCovariance twist\n"
    + f"{RULE}MSG: geometry_msgs/PoseWithCovariance\nPose pose\nfloat64[36] covariance\n"
    + f"{RULE}MSG: geometry_msgs/TwistWithCovariance\nTwist twist\nfloat64[36] covariance\n"
    + COMMON
    + POSE
    + TWIST,
    "nav_msgs/msg/OccupancyGrid": HEADER
    + "MapMetaData info\nint8[] data\n"
    + f"{RULE}MSG: nav_msgs/MapMetaData\nbuiltin_interfaces/Time map_load_time\nfloat32 resolution\nuint32 width\n"
    + "uint32 height\ngeometry_msgs/Pose origin\n"
    + COMMON
    + POSE,
    "tf2_msgs/msg/TFMessage": "geometry_msgs/TransformStamped[] transforms\n"
    + f"{RULE}MSG: geometry_msgs/TransformStamped\nstd_msgs/Header header\nstring child_frame_id\nTransform transform\n"
    + f"{RULE}MSG: geometry_msgs/Transform\nVector3 translation\nQuaternion rotation\n"
    + COMMON
    + VECTOR
    + QUATERNION,
    "diagnostic_msgs/msg/KeyValue": "string key\nstring value\n",
}
EPOCH_NS = 1_700_000_000 * 10**9


def ns(seconds: float) -> int:
    return EPOCH_NS + round(seconds * 1e9)


def header(seconds: float, frame: str = "") -> dict[str, object]:
    moment = ns(seconds)
    return {"stamp": {"sec": moment // 10**9, "nanosec": moment % 10**9}, "frame_id": frame}


class Bag:
    """A ROS 2 log on its way to disk."""

    def __init__(self, path: Path, compression: CompressionType = CompressionType.ZSTD, chunk: int = 2**20) -> None:
        self._file = path.open("wb")
        self._writer = Writer(self._file, chunk_size=chunk, compression=compression)
        self._schemas: dict[str, object] = {}

    def __enter__(self) -> "Bag":
        return self

    def __exit__(self, *told: object) -> None:
        self._writer.finish()
        self._file.close()

    def send(self, topic: str, kind: str, seconds: float, message: dict[str, object]) -> None:
        if kind not in self._schemas:
            self._schemas[kind] = self._writer.register_msgdef(kind, SCHEMAS[kind])
        self._writer.write_message(topic, self._schemas[kind], message, log_time=ns(seconds))  # type: ignore[arg-type]

    def image(self, topic: str, seconds: float, pixels: np.ndarray, encoding: str, frame: str = "") -> None:
        rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
        self.send(
            topic,
            "sensor_msgs/msg/Image",
            seconds,
            {
                "header": header(seconds, frame),
                "height": pixels.shape[0],
                "width": pixels.shape[1],
                "encoding": encoding,
                "is_bigendian": 0,
                "step": rows.strides[0],
                "data": rows.tobytes(),
            },
        )

    def cloud(self, topic: str, seconds: float, points: np.ndarray, frame: str = "") -> None:
        fields = [
            {"name": n, "offset": 4 * i, "datatype": 7, "count": 1} for i, n in enumerate(("x", "y", "z", "intensity"))
        ]
        rows = np.concatenate([points, np.zeros((len(points), 1))], axis=1).astype("<f4")
        body = {"height": 1, "width": len(points), "fields": fields, "is_bigendian": False, "point_step": 16}
        body |= {"row_step": 16 * len(points), "data": rows.tobytes(), "is_dense": True}
        self.send(topic, "sensor_msgs/msg/PointCloud2", seconds, {"header": header(seconds, frame), **body})

    def scan(
        self, topic: str, seconds: float, ranges: Sequence[float], start: float, step: float, frame: str = ""
    ) -> None:
        body = {
            "angle_min": start,
            "angle_max": start + step * len(ranges),
            "angle_increment": step,
            "ranges": list(ranges),
        }
        body |= {"time_increment": 0.0, "scan_time": 0.0, "range_min": 0.1, "range_max": 10.0, "intensities": []}
        self.send(topic, "sensor_msgs/msg/LaserScan", seconds, {"header": header(seconds, frame), **body})

    def twist(self, topic: str, seconds: float, linear: float, angular: float) -> None:
        message = {"linear": vector(linear, 0, 0), "angular": vector(0, 0, angular)}
        self.send(topic, "geometry_msgs/msg/Twist", seconds, message)

    def odometry(self, topic: str, seconds: float, x: float, turn: Sequence[float] = (0, 0, 0, 1)) -> None:
        pose = {"position": vector(x, 0, 0), "orientation": dict(zip("xyzw", map(float, turn)))}
        twist = {"linear": vector(1, 0, 0), "angular": vector(0, 0, 0.5)}
        covariance = [0.0] * 36
        body = {"pose": {"pose": pose, "covariance": covariance}, "twist": {"twist": twist, "covariance": covariance}}
        message = {"header": header(seconds, "odom"), "child_frame_id": "base_link", **body}
        self.send(topic, "nav_msgs/msg/Odometry", seconds, message)

    def imu(self, topic: str, seconds: float, values: Sequence[float], frame: str = "") -> None:
        body = {"orientation": dict(zip("xyzw", (0.0, 0.0, 0.0, 1.0)))}
        body |= {"angular_velocity": vector(*values[:3]), "linear_acceleration": vector(*values[3:])}
        covariances = {
            f"{name}_covariance": [0.0] * 9 for name in ("orientation", "angular_velocity", "linear_acceleration")
        }
        self.send(topic, "sensor_msgs/msg/Imu", seconds, {"header": header(seconds, frame), **body, **covariances})

    def fix(
        self, topic: str, seconds: float, latitude: float, longitude: float, height: float, status: int = 0
    ) -> None:
        body = {"status": {"status": status, "service": 1}, "latitude": latitude, "longitude": longitude}
        body |= {"altitude": height, "position_covariance": [0.0] * 9, "position_covariance_type": 0}
        self.send(topic, "sensor_msgs/msg/NavSatFix", seconds, {"header": header(seconds, "gps"), **body})

    def joints(self, topic: str, seconds: float, names: Sequence[str], position: Sequence[float]) -> None:
        body = {"name": list(names), "position": list(position), "velocity": [], "effort": []}
        self.send(topic, "sensor_msgs/msg/JointState", seconds, {"header": header(seconds), **body})

    def transform(
        self, topic: str, seconds: float, parent: str, child: str, place: Sequence[float], turn: Sequence[float]
    ) -> None:
        one = {"header": header(seconds, parent), "child_frame_id": child}
        one |= {"transform": {"translation": vector(*place), "rotation": dict(zip("xyzw", map(float, turn)))}}
        self.send(topic, "tf2_msgs/msg/TFMessage", seconds, {"transforms": [one]})

    def camera(self, topic: str, seconds: float, height: int, width: int, focal: float, frame: str = "") -> None:
        k = [focal, 0.0, (width - 1) / 2, 0.0, focal, (height - 1) / 2, 0.0, 0.0, 1.0]
        body = {
            "height": height,
            "width": width,
            "distortion_model": "plumb_bob",
            "d": [0.1, 0.0, 0.0, 0.0, 0.0],
            "k": k,
        }
        body |= {"r": [0.0] * 9, "p": [0.0] * 12}
        self.send(topic, "sensor_msgs/msg/CameraInfo", seconds, {"header": header(seconds, frame), **body})

    def grid(self, topic: str, seconds: float, cells: np.ndarray, cell: float, x: float, y: float) -> None:
        origin = {"position": vector(x, y, 0), "orientation": dict(zip("xyzw", (0.0, 0.0, 0.0, 1.0)))}
        info = {"map_load_time": {"sec": 0, "nanosec": 0}, "resolution": cell, "width": cells.shape[1]}
        info |= {"height": cells.shape[0], "origin": origin}
        message = {"header": header(seconds, "map"), "info": info, "data": cells.reshape(-1).tolist()}
        self.send(topic, "nav_msgs/msg/OccupancyGrid", seconds, message)


def vector(x: float, y: float, z: float) -> dict[str, float]:
    return {"x": float(x), "y": float(y), "z": float(z)}


def encoded(pixels: np.ndarray, form: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=form)
    return buffer.getvalue()


def write_json(path: Path, messages: Sequence[tuple[str, str, float, dict[str, object]]]) -> None:
    """Messages (topic, schema, seconds, fields) as JSON; bytes become base64."""
    with path.open("wb") as file:
        writer = PlainWriter(file)
        writer.start()
        channels: dict[str, int] = {}
        for topic, kind, seconds, fields in messages:
            if topic not in channels:
                schema = writer.register_schema(kind, "jsonschema", b'{"type": "object"}')
                channels[topic] = writer.register_channel(topic, "json", schema)
            data = json.dumps(fields, default=lambda value: base64.b64encode(value).decode()).encode()
            writer.add_message(channels[topic], ns(seconds), data, ns(seconds))
        writer.finish()


def drive(path: Path, steps: int = 12, actions: bool = True, seed: int = 0, **options: object) -> np.ndarray:
    """A small robot's log: a camera at 10 Hz, odometry at 50 Hz, an IMU at 100 Hz, a laser at 5 Hz, commands at 10 Hz.

    Returns:
        The camera's pictures.
    """
    frames = np.random.default_rng(seed).integers(0, 256, (steps, 24, 32, 3), dtype=np.uint8)
    with Bag(path, **options) as bag:  # type: ignore[arg-type]
        bag.transform("/tf_static", 0.0, "base_link", "camera", (0.1, 0.0, 0.4), (-0.5, 0.5, -0.5, 0.5))
        bag.transform("/tf_static", 0.0, "base_link", "laser", (0.2, 0.0, 0.1), (0, 0, 0, 1))
        bag.camera("/camera/camera_info", 0.0, 24, 32, 30.0, "camera")
        for tick in range(steps * 10):
            seconds = tick / 100
            bag.imu("/imu", seconds, (0, 0, seconds, 0, 0, 9.81), "base_link")
            if tick % 2 == 0:
                bag.odometry("/odom", seconds, x=seconds)
            if tick % 20 == 0:
                bag.scan("/scan", seconds, [seconds + 1, float("inf"), float("nan"), 0.01], -0.5, 0.25, "laser")
            if tick % 10 == 0:
                bag.image("/camera/image_raw", seconds, frames[tick // 10], "rgb8", "camera")
                if actions:
                    bag.twist("/cmd_vel", seconds, linear=seconds, angular=-seconds)
    return frames
