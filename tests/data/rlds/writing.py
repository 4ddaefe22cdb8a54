"""A TFRecord writer of our own for tests: protobuf's wire format by hand, so that reader and writer share nothing."""

import io
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

Value = Sequence[bytes] | np.ndarray


def crc32c(data: bytes) -> int:
    """Bit by bit, from the polynomial."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def feature(value: Value, packed: bool = True) -> bytes:
    if not isinstance(value, np.ndarray):
        return field(1, b"".join(field(1, item) for item in value))
    if value.dtype.kind == "f":
        raw = value.astype("<f4").tobytes()
        split = b"".join(varint(1 << 3 | 5) + raw[i : i + 4] for i in range(0, len(raw), 4))
        return field(2, field(1, raw) if packed else split)
    parts = [varint(int(item)) for item in value.reshape(-1)]
    return field(3, field(1, b"".join(parts)) if packed else b"".join(varint(1 << 3) + part for part in parts))


def example(features: Mapping[str, Value], packed: bool = True) -> bytes:
    entries = (field(1, name.encode()) + field(2, feature(value, packed)) for name, value in features.items())
    return field(1, b"".join(field(1, entry) for entry in entries))


def write_records(path: Path, payloads: Sequence[bytes]) -> None:
    with path.open("wb") as file:
        for payload in payloads:
            header = struct.pack("<Q", len(payload))
            file.write(header + struct.pack("<I", masked(header)) + payload + struct.pack("<I", masked(payload)))


def png(frame: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "PNG")
    return buffer.getvalue()


def tensor(dtype: str, *shape: int, encoding: str = "none") -> dict[str, object]:
    sides = {"dimensions": [str(side) for side in shape]} if shape else {}
    return {"tensor": {"shape": sides, "dtype": dtype, "encoding": encoding}}


def nest(features: Mapping[str, object]) -> dict[str, object]:
    return {"featuresDict": {"features": dict(features)}}


OBSERVATION: dict[str, object] = {
    "camera": {"image": {"shape": {"dimensions": ["8", "12", "3"]}, "dtype": "uint8", "encodingFormat": "png"}},
    "state": tensor("float32", 3),
    "closed": tensor("bool"),
    "exact": tensor("float64", 2, encoding="zlib"),
    "language_embedding": tensor("float32", 4),
    "note": {"text": {}},
    "history": {"sequence": {"feature": tensor("float32", 2), "length": "-1"}},
}
STEP: dict[str, object] = {
    "observation": nest(OBSERVATION),
    "action": nest({"world_vector": tensor("float32", 2), "grip": tensor("int32")}),
    "is_last": tensor("bool"),
    "language_instruction": {"text": {}},
}


def write_features(root: Path, step: Mapping[str, object] = STEP) -> None:
    inner = {"sequence": {"feature": nest(step), "length": "-1"}}
    (root / "features.json").write_text(json.dumps(nest({"steps": inner, "episode_metadata": nest({})})))
