"""Numbers in messages: joints, poses, twists, odometry, IMU, GNSS, and plain arrays."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from monde.data.mcap.messages import each, has, number, numbers, quaternion, text, triple
from monde.data.mcap.parts import Part, Topic, UnreadableError, finite
from monde.spatial import east_north_up, unit
from monde.types import Sensor

_JOINTS = {"position": "rad", "velocity": "rad/s", "effort": "N m"}
_TWISTS = ("vx", "vy", "vz", "wx", "wy", "wz")


def joint_parts(topic: Topic) -> tuple[Part, ...]:
    """sensor_msgs/JointState: positions, velocities and efforts, each where it is given, joints in their first order.

    Raises:
        UnreadableError: No joints.
    """
    names = tuple(map(str, each(topic.messages[0], "name")))
    given = [field for field in _JOINTS if names and len(numbers(topic.messages[0], field)) == len(names)]
    if not given:
        raise UnreadableError("its messages name no joints with numbers")
    return tuple(
        Part(_state(topic, f".{field}", len(names), _JOINTS[field], names), _joints(names, field)) for field in given
    )


def _joints(names: Sequence[str], field: str) -> Callable[[object], np.ndarray | None]:
    def convert(message: object) -> np.ndarray | None:
        found, values = list(map(str, each(message, "name"))), numbers(message, field)
        if len(values) != len(found) or not set(names) <= set(found):
            return None  # of other joints: several publishers share a topic
        return finite(values if found == list(names) else values[[found.index(name) for name in names]])

    return convert


def array_parts(topic: Topic) -> tuple[Part, ...]:
    """std_msgs/Float32MultiArray and Float64MultiArray: a state, its components named by the label of the layout.

    Raises:
        UnreadableError: Nothing in it.
    """
    count = len(numbers(topic.messages[0], "data"))
    if not count:
        raise UnreadableError("its arrays are empty")
    labels = [text(part, "label") for part in each(topic.messages[0], "layout", "dim")]
    names = tuple(labels[0].split(",")) if labels else ()
    sensor = _state(topic, "", count, "1", names if len(names) == count else ())

    def convert(message: object) -> np.ndarray | None:
        values = numbers(message, "data")
        return finite(values) if len(values) == count else None

    return (Part(sensor, convert),)


def imu_parts(topic: Topic) -> tuple[Part, ...]:
    """sensor_msgs/Imu: turn rates (rad/s) and accelerations (m/s²)."""
    sensor = Sensor(name=topic.sensor_name, kind="imu", shape=(6,), rate_hz=1.0, mount=topic.mount)

    def convert(message: object) -> np.ndarray | None:
        return finite(np.array(triple(message, "angular_velocity") + triple(message, "linear_acceleration")))

    return (Part(sensor, convert),)


def pose_parts(topic: Topic) -> tuple[Part, ...]:
    """A stamped pose, with covariance or not: geometry_msgs/PoseStamped, foxglove.PoseInFrame."""
    path = ("pose", "pose") if "WithCovariance" in topic.type else ("pose",)
    return (_pose_part(topic, "", path),)


def twist_parts(topic: Topic) -> tuple[Part, ...]:
    """A twist, stamped or not, with covariance or not."""
    path = () if topic.type == "geometry_msgs/Twist" else ("twist",)
    return (_twist_part(topic, "", path + (("twist",) if "WithCovariance" in topic.type else ())),)


def odometry_parts(topic: Topic) -> tuple[Part, ...]:
    """nav_msgs/Odometry: the pose, and the twist in the robot's own frame."""
    return _pose_part(topic, ".pose", ("pose", "pose")), _twist_part(topic, ".twist", ("twist", "twist"))


def gnss_parts(topic: Topic, origin: Float64[np.ndarray, "3"] | None) -> tuple[Part, ...]:
    """sensor_msgs/NavSatFix, foxglove.LocationFix: metres east, north and up of the recording's first fix.

    Raises:
        UnreadableError: There never was a fix.
    """
    if origin is None:
        raise UnreadableError("it never had a fix")
    sensor = Sensor(name=topic.sensor_name, kind="gnss", shape=(3,), unit="m", rate_hz=1.0, mount=topic.mount)

    def convert(message: object) -> np.ndarray | None:
        place = fix(message)
        return None if place is None else finite(east_north_up(place, origin))

    return (Part(sensor, convert),)


def fix(message: object) -> Float64[np.ndarray, "3"] | None:
    """Latitude, longitude (degrees) and height (metres) of a message, or none: no satellites, or no numbers."""
    if has(message, "status") and number(message, "status", "status") < 0:
        return None
    place = np.array([number(message, name) for name in ("latitude", "longitude", "altitude")])
    return place if bool(np.isfinite(place).all()) else None


def command_values(topic: Topic) -> tuple[Callable[[object], np.ndarray | None], tuple[str, ...]]:
    """How a message of a topic of commands becomes numbers, and their names: those of its first sensor that has any.

    Raises:
        UnreadableError: Messages that hold no numbers.
    """
    makers: dict[str, Callable[[Topic], tuple[Part, ...]]] = {**STATES, "geometry_msgs/Twist": twist_parts}
    if topic.type not in makers:
        raise UnreadableError(f"commands of the type {topic.type} are not read")
    part = makers[topic.type](topic)[0]
    return part.convert, part.sensor.names


def _pose_part(topic: Topic, suffix: str, path: tuple[str, ...]) -> Part:
    sensor = Sensor(name=topic.sensor_name + suffix, kind="pose", shape=(7,), unit="m", rate_hz=1.0)

    def convert(message: object) -> np.ndarray | None:
        place, turn = triple(message, *path, "position"), np.array(quaternion(message, *path, "orientation"))
        if not turn.any() or not np.isfinite([*place, *turn]).all():
            return None  # the message was sent before there was a pose
        return finite(np.array([*place, *unit(turn)]))

    return Part(sensor, convert)


def _twist_part(topic: Topic, suffix: str, path: tuple[str, ...]) -> Part:
    sensor = Sensor(
        name=topic.sensor_name + suffix, kind="twist", shape=(6,), unit="m/s, rad/s", rate_hz=1.0, names=_TWISTS
    )

    def convert(message: object) -> np.ndarray | None:
        return finite(np.array(triple(message, *path, "linear") + triple(message, *path, "angular")))

    return Part(sensor, convert)


def _state(topic: Topic, suffix: str, count: int, unit_name: str, names: tuple[str, ...]) -> Sensor:
    sensor = Sensor(name=topic.sensor_name + suffix, kind="state", shape=(count,), unit=unit_name, rate_hz=1.0)
    return replace(sensor, names=names)


STATES: dict[str, Callable[[Topic], tuple[Part, ...]]] = {
    "sensor_msgs/JointState": joint_parts,
    "sensor_msgs/Imu": imu_parts,
    "std_msgs/Float32MultiArray": array_parts,
    "std_msgs/Float64MultiArray": array_parts,
    "geometry_msgs/PoseStamped": pose_parts,
    "geometry_msgs/PoseWithCovarianceStamped": pose_parts,
    "foxglove.PoseInFrame": pose_parts,
    "geometry_msgs/TwistStamped": twist_parts,
    "geometry_msgs/TwistWithCovarianceStamped": twist_parts,
    "geometry_msgs/Twist": twist_parts,
    "nav_msgs/Odometry": odometry_parts,
}
"""Types of messages that are numbers, and what is made of them."""
FIXES = frozenset({"sensor_msgs/NavSatFix", "foxglove.LocationFix"})
