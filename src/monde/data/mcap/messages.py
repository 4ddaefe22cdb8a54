"""Messages as objects with attributes, whichever way they are encoded: ROS 2 CDR, Protobuf or JSON."""

import base64
import binascii
import json
import struct
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from monde.errors import DataError

if TYPE_CHECKING:
    from mcap.records import Channel, Schema

Decode = Callable[[bytes], object]
_DAMAGED = (
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    TypeError,
    NotImplementedError,
    OverflowError,
    struct.error,
)


class Decoders:
    """How the messages of each channel of a file are decoded."""

    def __init__(self) -> None:
        from mcap_protobuf.decoder import DecoderFactory as Protobuf
        from mcap_ros2.decoder import DecoderFactory as Ros2

        self._factories = (Ros2(), Protobuf())

    def of(self, channel: "Channel", schema: "Schema | None") -> Decode | None:
        """The decoder of a channel; none for an encoding that is not known, or a schema that cannot be read."""
        if channel.message_encoding == "json":
            return _from_json
        for factory in self._factories:
            try:
                found: Decode | None = factory.decoder_for(channel.message_encoding, schema)
            except _damaged():
                return None
            if found is not None:
                return found
        return None


def type_name(schema: "Schema | None") -> str:
    """A message type the same way for ROS 2 and others: "sensor_msgs/Imu", "foxglove.RawImage"."""
    return "" if schema is None else schema.name.replace("/msg/", "/")


def decoded(decode: Decode, data: bytes, where: str) -> object:
    """One message.

    Raises:
        DataError: It is damaged; `where` says which.
    """
    try:
        return decode(data)
    except _damaged() as error:
        raise DataError(
            f"{where} cannot be decoded",
            got=f"{type(error).__name__}: {str(error)[:120]}",
            remedy="leave its topic out with `without` in the log's monde.json, or restore the file",
        ) from error


def at(message: object, *path: str) -> object:
    """A field of a message, by the names that lead to it.

    Raises:
        AttributeError: There is none.
    """
    for name in path:
        message = getattr(message, name)
    return message


def has(message: object, name: str) -> bool:
    """Whether a message has a field."""
    return hasattr(message, name)


def number(message: object, *path: str) -> float:
    """A field that is a number."""
    value = at(message, *path)
    if isinstance(value, (int, float)):
        return float(value)
    if value is None:  # JSON has no NaN
        return float("nan")
    raise TypeError(f"{'.'.join(path)} is no number: {type(value).__name__}")


def text(message: object, *path: str) -> str:
    """A field that is text."""
    return str(at(message, *path))


def each(message: object, *path: str) -> Sequence[object]:
    """A field that is a list."""
    return _iterated(at(message, *path))


def numbers(message: object, *path: str) -> Float64[np.ndarray, " n"]:
    """A field that is a list of numbers."""
    value = at(message, *path)
    if isinstance(value, (bytes, bytearray)):
        return np.frombuffer(value, dtype=np.uint8).astype(np.float64)
    return np.array([np.nan if part is None else part for part in _iterated(value)], dtype=np.float64)


def triple(message: object, *path: str) -> list[float]:
    """A vector: fields x, y and z."""
    return [number(message, *path, axis) for axis in "xyz"]


def quaternion(message: object, *path: str) -> list[float]:
    """An orientation: fields x, y, z and w."""
    return [number(message, *path, axis) for axis in "xyzw"]


def raw(message: object, *path: str) -> bytes:
    """A field of bytes; JSON has them as base64."""
    value = at(message, *path)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError(f"{'.'.join(path)} is no base64: {error}") from error
    return np.array(list(_iterated(value)), dtype=np.uint8).tobytes()


def frame_of(message: object) -> str:
    """The frame that a message is given in, or nothing."""
    for path in (("header", "frame_id"), ("frame_id",)):
        try:
            return text(message, *path).lstrip("/")
        except AttributeError:
            continue
    return ""


def stamp_ns(message: object) -> int | None:
    """The time in a message's header, in nanoseconds; none where it has none."""
    for path in (("header", "stamp"), ("timestamp",)):
        try:
            stamp = at(message, *path)
        except AttributeError:
            continue
        for seconds, nanoseconds in (("sec", "nanosec"), ("sec", "nsec"), ("seconds", "nanos")):
            if has(stamp, seconds) and has(stamp, nanoseconds):
                return int(number(stamp, seconds)) * 10**9 + int(number(stamp, nanoseconds))
    return None


def _from_json(data: bytes) -> object:
    return json.loads(data, object_hook=lambda fields: SimpleNamespace(**fields))


def _iterated(value: object) -> Sequence[object]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{type(value).__name__} is no list")
    return list(value)


def _damaged() -> tuple[type[Exception], ...]:
    from google.protobuf.message import DecodeError
    from mcap.exceptions import McapError

    return (*_DAMAGED, DecodeError, McapError)
