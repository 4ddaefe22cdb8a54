"""tf.train.Example in protobuf's wire format, of which it uses five messages.

    Example   { Features features = 1; }
    Features  { map<string, Feature> feature = 1; }         (an entry is a message: key = 1, value = 2)
    Feature   { BytesList = 1; FloatList = 2; Int64List = 3; }
    *List     { repeated value = 1; }                        (numbers packed or not)

Source: tensorflow/core/example/feature.proto; protobuf.dev/programming-guides/encoding.
Everything works on slices of a buffer: what is not asked for is stepped over, and of a memory map not even loaded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Shaped

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
Kind = Literal["bytes", "float", "int64"]
_KINDS: Mapping[int, Kind] = {1: "bytes", 2: "float", 3: "int64"}
Buffer = memoryview


class WireError(ValueError):
    """The bytes are not what the format allows; readers turn it into a DataError that names the record."""


@dataclass(frozen=True)
class Feature:
    """One feature, not yet decoded.

    Args:
        kind: Of which list its values are.
        data: The bytes of that list.
    """

    kind: Kind
    data: Buffer


def parse_example(data: Buffer) -> dict[str, Feature]:
    """The features of an Example by name; their values stay where they are.

    Raises:
        WireError: Not an Example.
    """
    features: dict[str, Feature] = {}
    for _, message in _messages(data, {1}):
        for _, entry in _messages(message, {1}):
            name, value = "", memoryview(b"")
            for field, part in _messages(entry, {1, 2}):
                if field == 1:
                    name = _text(part)
                else:
                    value = part
            features[name] = _feature(value)
    return features


def byte_strings(feature: Feature) -> list[Buffer]:
    """The values of a feature of bytes; an empty feature has none.

    Raises:
        WireError: Malformed, or a feature of numbers.
    """
    if feature.kind != "bytes":
        raise WireError(f"a feature of bytes is of {feature.kind}")
    return [part for _, part in _messages(feature.data, {1})]


def numbers(feature: Feature) -> Shaped[np.ndarray, " n"]:
    """The values of a feature of numbers: float32 or int64.

    Raises:
        WireError: Malformed, or a feature of bytes (an empty feature is one of no numbers).
    """
    if feature.kind == "bytes":
        if len(feature.data):
            raise WireError("a feature of numbers is of bytes")
        return np.empty(0, dtype=np.float32)
    parts: list[np.ndarray] = []
    single: list[int] = []
    for field, wire, part, value in _fields(feature.data):
        if field != 1:
            continue
        if feature.kind == "float" and wire in {_BYTES, _FIXED32}:
            if len(part) % 4:
                raise WireError("packed floats of no whole number")
            parts.append(np.frombuffer(part, dtype="<f4"))
        elif feature.kind == "int64" and wire == _BYTES:
            parts.append(_varints(np.frombuffer(part, dtype=np.uint8)))
        elif feature.kind == "int64" and wire == _VARINT:
            single.append(value - (1 << 64) if value >> 63 else value)
        else:
            raise WireError(f"wire type {wire} in a list of {feature.kind}")
    if single:
        parts.append(np.array(single, dtype=np.int64))
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32 if feature.kind == "float" else np.int64)


def _feature(value: Buffer) -> Feature:
    found = Feature("bytes", memoryview(b""))
    for field, part in _messages(value, set(_KINDS)):
        found = Feature(_KINDS[field], part)
    return found


def _varints(data: Shaped[np.ndarray, " n"]) -> Shaped[np.ndarray, " m"]:
    """Packed varints, all at once: seven bits a byte, low ones first, the eighth says that more follow."""
    if not len(data):
        return np.empty(0, dtype=np.int64)
    last = np.flatnonzero(data < 0x80)
    if not len(last) or last[-1] != len(data) - 1:
        raise WireError("a varint without an end")
    starts = np.concatenate([[0], last[:-1] + 1])
    if int((last - starts).max()) >= _MAX_VARINT_BYTES:
        raise WireError("a varint that is too long")
    place = np.arange(len(data)) - np.repeat(starts, last - starts + 1)
    bits = (data & 0x7F).astype(np.uint64) << (7 * place).astype(np.uint64)
    return np.bitwise_or.reduceat(bits, starts).view(np.int64)


def _messages(data: Buffer, wanted: set[int]) -> Iterator[tuple[int, Buffer]]:
    for field, wire, part, _ in _fields(data):
        if field in wanted:
            if wire != _BYTES:
                raise WireError(f"field {field} has wire type {wire}")
            yield field, part


def _fields(data: Buffer) -> Iterator[tuple[int, int, Buffer, int]]:
    """Number, wire type, bytes (of a varint none) and value (of a varint) of each field of a message."""
    offset, end = 0, len(data)
    while offset < end:
        tag, offset = _varint(data, offset)
        field, wire, value = tag >> 3, tag & 7, 0
        start = offset
        if wire == _VARINT:
            value, offset = _varint(data, offset)
            start = offset
        elif wire == _BYTES:
            length, start = _varint(data, offset)
            offset = start + length
        elif wire in {_FIXED32, _FIXED64}:
            offset += 4 if wire == _FIXED32 else 8
        else:
            raise WireError(f"wire type {wire}")
        if field == 0 or offset > end:
            raise WireError("a field that runs over the end of its message")
        yield field, wire, data[start:offset], value


def _varint(data: Buffer, offset: int) -> tuple[int, int]:
    value = 0
    for place in range(_MAX_VARINT_BYTES):
        if offset >= len(data):
            raise WireError("a varint that runs over the end")
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, offset
    raise WireError("a varint that is too long")


def _text(data: Buffer) -> str:
    try:
        return bytes(data).decode()
    except UnicodeDecodeError as error:
        raise WireError("a name that is no text") from error
