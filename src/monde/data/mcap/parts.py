"""`Part`: one sensor that a topic's messages hold, and how a message becomes a sample of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Shaped

from monde.data.clocks.config import LogConfig
from monde.errors import DataError
from monde.types import Intrinsics, Mount, Sensor

Convert = Callable[[object], "np.ndarray | None"]
"""A message as a sample: pictures [h, w, 3] uint8 or [h, w, 1] float32, a cloud [n, 3] of any n, else the sensor's
shape; none where the message holds no measurement."""


@dataclass(frozen=True)
class Part:
    """One of the sensors in a topic.

    Args:
        sensor: What it measures.
        convert: How a message becomes a sample.
    """

    sensor: Sensor
    convert: Convert


class UnreadableError(DataError):
    """A topic that makes no sensor, and why; it is left out, and that is said."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What a part is made from.

    Args:
        name: Of the topic.
        type: Of its messages, without "/msg/".
        messages: A few, spread evenly over the log; at least one.
        config: How the log is to be read.
        camera: Intrinsics by frame size, where a calibration belongs to the topic.
        mount: Where the frame of its messages is fixed, or none.
        say: Called with what should be known about it.
    """

    name: str
    type: str
    messages: Sequence[object]
    config: LogConfig
    camera: Intrinsics | None = None
    mount: Mount | None = None
    say: Callable[[str], None] = field(default=lambda words: None)

    @property
    def sensor_name(self) -> str:
        """The topic without its first slash, with dots for the others."""
        return sensor_name(self.name)


def sensor_name(topic: str) -> str:
    """The name of a topic's sensor: dots for slashes."""
    return topic.strip("/").replace("/", ".")


def finite(values: Shaped[np.ndarray, "..."]) -> np.ndarray | None:
    """Numbers as float32; none where one of them is none: such a message holds no measurement."""
    numbers = np.asarray(values, dtype=np.float32)
    return numbers if bool(np.isfinite(numbers).all()) else None
