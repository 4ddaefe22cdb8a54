"""Clouds of points in messages: sensor_msgs/PointCloud2 and foxglove.PointCloud."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from monde.data.mcap.messages import at, each, has, number, raw, text
from monde.data.mcap.parts import Part, Topic, UnreadableError
from monde.types import Sensor

CLOUDS = frozenset({"sensor_msgs/PointCloud2", "foxglove.PointCloud"})
_ROS_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
_FOXGLOVE_TYPES = {1: "u1", 2: "i1", 3: "u2", 4: "i2", 5: "u4", 6: "i4", 7: "f4", 8: "f8"}
_FOXGLOVE_NAMES = {
    "UINT8": "u1",
    "INT8": "i1",
    "UINT16": "u2",
    "INT16": "i2",
    "UINT32": "u4",
    "INT32": "i4",
    "FLOAT32": "f4",
    "FLOAT64": "f8",
}
_LEAST = 16


def cloud_parts(topic: Topic) -> tuple[Part, ...]:
    """The cloud of a topic: x, y and z in metres, points without a measurement (NaN, or all 0) left out.

    Further columns are read where their fields are named as monde names them (c3, c4, …).

    Its room is that of the largest cloud looked at and a quarter more, up to `cloud_points`; larger ones are thinned
    evenly.

    Raises:
        UnreadableError: Points without x, y and z.
    """
    clouds = [_points(message) for message in topic.messages]
    sizes, columns = [len(cloud) for cloud in clouds], min(cloud.shape[1] for cloud in clouds)
    room = min(topic.config.cloud_points, max(_LEAST, max(sizes) * 5 // 4))
    if max(sizes) > room:
        topic.say(f"clouds of up to {max(sizes)} points are thinned to {room} (`cloud_points`)")
    sensor = Sensor(
        name=topic.sensor_name, kind="points", shape=(room, columns), unit="m", rate_hz=1.0, mount=topic.mount
    )
    return (Part(sensor, _points),)


@dataclass(frozen=True)
class _Layout:
    """Where x, y, z and further columns lie in the bytes of a point."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    offsets: tuple[int, ...]
    stride: int
    order: str


def _points(message: object) -> Float32[np.ndarray, "n C"]:
    layout = _layout(message)
    data = raw(message, "data")
    if has(message, "row_step"):
        height, width, step = (int(number(message, name)) for name in ("height", "width", "row_step"))
        if len(data) < height * step or step < width * layout.stride:
            raise ValueError(f"{len(data)} bytes for {height} rows of {step} bytes")
        rows = np.frombuffer(data, dtype=np.uint8)[: height * step].reshape(height, step)[:, : width * layout.stride]
        data = rows.tobytes() if rows.shape[1] != step else data[: height * step]
    count = len(data) // layout.stride
    columns = len(layout.names)
    packed = layout.types == ("f4",) * columns and layout.offsets == tuple(range(0, 4 * columns, 4))
    if packed and layout.stride % 4 == 0 and layout.order == "<":
        width = layout.stride // 4
        points = np.frombuffer(data, dtype="<f4", count=count * width).reshape(count, width)[:, :columns]
    else:
        form = np.dtype(
            {
                "names": list(layout.names),
                "formats": [layout.order + kind for kind in layout.types],
                "offsets": list(layout.offsets),
                "itemsize": layout.stride,
            }
        )
        fields = np.frombuffer(data, dtype=form, count=count)
        points = np.stack([fields[axis].astype(np.float32) for axis in layout.names], axis=1)
    measured = np.isfinite(points)
    return np.asarray(points if measured.all() else points[measured.all(axis=1)], dtype=np.float32)


def _layout(message: object) -> _Layout:
    ros = has(message, "point_step")
    fields = {text(field, "name"): field for field in each(message, "fields")}
    if not {"x", "y", "z"} <= set(fields):
        raise UnreadableError(f"its points have no x, y and z but {', '.join(sorted(fields)) or 'nothing'}")
    names = ["x", "y", "z"]
    while f"c{len(names)}" in fields:
        names.append(f"c{len(names)}")
    types = tuple(_type(fields[axis], ros) for axis in names)
    offsets = tuple(int(number(fields[axis], "offset")) for axis in names)
    stride = int(number(message, "point_step" if ros else "point_stride"))
    if stride < 1 or any(offset + int(kind[1]) > stride for offset, kind in zip(offsets, types, strict=True)):
        raise ValueError(f"points of {stride} bytes do not hold fields at {offsets}")
    order = ">" if ros and bool(number(message, "is_bigendian")) else "<"
    return _Layout(tuple(names), types, offsets, stride, order)


def _type(field: object, ros: bool) -> str:
    kind = at(field, "datatype" if ros else "type")
    if isinstance(kind, str):
        return _FOXGLOVE_NAMES[kind]
    return (_ROS_TYPES if ros else _FOXGLOVE_TYPES)[int(number(field, "datatype" if ros else "type"))]
