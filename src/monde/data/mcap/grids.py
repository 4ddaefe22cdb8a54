"""Occupancy grids in messages: nav_msgs/OccupancyGrid."""

import numpy as np
from jaxtyping import Float32

from monde.data.mcap.messages import at, number
from monde.data.mcap.parts import Part, Topic, UnreadableError
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.types import GridGeometry, Sensor

GRIDS = frozenset({"nav_msgs/OccupancyGrid"})


def grid_parts(topic: Topic) -> tuple[Part, ...]:
    """The grid of a topic, with the size and cells of its last message looked at: maps grow while they are made.

    A message of another size or place is cut and padded (nothing known, -1) to these cells.

    Raises:
        UnreadableError: Turned grids, cells without a size, or too many.
    """
    last = topic.messages[-1]
    height, width, cell, origin = _shape(last)
    if not (1 <= height <= MAX_FRAME_SIDE_PIXELS and 1 <= width <= MAX_FRAME_SIDE_PIXELS and cell > 0):
        raise UnreadableError(f"grids of {height} × {width} cells of {cell:g} m are not read")
    if abs(number(last, "info", "origin", "orientation", "z")) > 1e-6:
        raise UnreadableError("grids that are turned in their frame are not read")
    geometry = GridGeometry(cell_m=cell, origin=origin)
    sensor = Sensor(
        name=topic.sensor_name, kind="grid", shape=(1, height, width), rate_hz=1.0, geometry=geometry, mount=topic.mount
    )
    if any(_shape(message) != _shape(last) for message in topic.messages):
        topic.say(f"grids of other sizes are cut and padded to {height} × {width} cells")
    return (Part(sensor, lambda message: _cells(message, sensor.shape, geometry)),)


def _shape(message: object) -> tuple[int, int, float, tuple[float, float]]:
    place = number(message, "info", "origin", "position", "x"), number(message, "info", "origin", "position", "y")
    height, width = int(number(message, "info", "height")), int(number(message, "info", "width"))
    return height, width, number(message, "info", "resolution"), place


def _cells(message: object, shape: tuple[int, ...], geometry: GridGeometry) -> Float32[np.ndarray, "1 h w"]:
    height, width, cell, origin = _shape(message)
    stored = np.asarray(at(message, "data"), dtype=np.int16).reshape(height, width)
    known = np.where((stored < 0) | (stored > 100), np.float32(-1), stored.astype(np.float32) / np.float32(100))
    if known.shape == shape[1:] and np.allclose(origin, geometry.origin, atol=0.01 * cell):
        return known[None]
    if not np.isclose(cell, geometry.cell_m):
        raise ValueError(f"cells of {cell:g} m among others of {geometry.cell_m:g} m")
    cells = np.full(shape, -1.0, dtype=np.float32)
    down, right = (round((origin[axis] - geometry.origin[axis]) / cell) for axis in (1, 0))
    top, left = max(0, down), max(0, right)
    bottom, end = min(shape[1], down + height), min(shape[2], right + width)
    if top < bottom and left < end:
        cells[0, top:bottom, left:end] = known[top - down : bottom - down, left - right : end - right]
    return cells
