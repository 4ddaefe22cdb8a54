"""Pictures in messages: colours and depth, raw and compressed.

Raw: sensor_msgs/Image, foxglove.RawImage; compressed: sensor_msgs/CompressedImage (also of the compressed_depth_image
transport), foxglove.CompressedImage. Depth of 16 bits is in millimetres and of 32 in metres (ROS REP 118).
"""

import io
import struct
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from monde.data.mcap.messages import has, number, raw, text
from monde.data.mcap.parts import Part, Topic, UnreadableError
from monde.errors import ContractError, DataError
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.types import Sensor

RAW = frozenset({"sensor_msgs/Image", "foxglove.RawImage"})
COMPRESSED = frozenset({"sensor_msgs/CompressedImage", "foxglove.CompressedImage"})
_COLOURS = {"rgb8": (3, 1), "8UC3": (3, -1), "bgr8": (3, -1), "rgba8": (4, 1), "bgra8": (4, -1)}
"""Bytes a pixel, and the order in which they lie: 1 red first, -1 blue first (OpenCV's three channels)."""
_GREY = frozenset({"mono8", "8UC1"})
_DEPTH = {"16UC1": "mm", "mono16": None, "32FC1": "m"}
_METRES = {"mm": 1e-3, "m": 1.0}
_FORMATS = ("PNG", "JPEG", "WEBP")
_COMPRESSED_DEPTH = struct.Struct("<iff")


def picture_parts(topic: Topic) -> tuple[Part, ...]:
    """The camera or depth sensor of a topic of pictures.

    Raises:
        UnreadableError: An encoding that is not known, or depth of which nobody says the unit.
        DataError: The calibration does not fit the pictures.
    """
    first = topic.messages[0]
    if topic.type in RAW:
        encoding = text(first, "encoding")
        size = int(number(first, "height")), int(number(first, "width"))
        if encoding in _DEPTH:
            unit = _depth_unit(topic, encoding)
            return (_depth(topic, size, lambda message: _metres(_raw_depth(message), unit)),)
        if encoding in {*_COLOURS, *_GREY}:
            return (_camera(topic, size, _raw_colours),)
        raise UnreadableError(f"pictures of the encoding {encoding!r} are not read")
    form = text(first, "format")
    if "compressedDepth" in form:
        unit = _depth_unit(topic, form.split(";")[0].strip())
        return (_depth(topic, _compressed_depth(first, unit).shape[:2], lambda m: _compressed_depth(m, unit)),)
    if not any(name in form.lower() for name in ("jpeg", "jpg", "png", "webp")):
        raise UnreadableError(f"pictures of the format {form!r} are not read")
    picture = _opened(raw(first, "data"))
    if picture.dtype == np.uint8:
        return (_camera(topic, picture.shape[:2], lambda message: _colours(_opened(raw(message, "data")))),)
    unit = _depth_unit(topic, form.split(";")[0].strip())
    return (_depth(topic, picture.shape[:2], lambda message: _metres(_opened(raw(message, "data")), unit)),)


def _camera(topic: Topic, size: tuple[int, ...], convert: Callable[[object], np.ndarray]) -> Part:
    sensor = Sensor(name=topic.sensor_name, kind="rgb", shape=(3, *_checked(size)), rate_hz=1.0, mount=topic.mount)
    return Part(_calibrated(topic, sensor), _sized(convert, size))


def _depth(topic: Topic, size: tuple[int, ...], convert: Callable[[object], np.ndarray]) -> Part:
    shape = (1, *_checked(size))
    sensor = Sensor(name=topic.sensor_name, kind="depth", shape=shape, unit="m", rate_hz=1.0, mount=topic.mount)
    return Part(_calibrated(topic, sensor), _sized(convert, size))


def _calibrated(topic: Topic, sensor: Sensor) -> Sensor:
    try:
        return replace(sensor, geometry=topic.camera)
    except ContractError as error:
        raise DataError(
            f"the calibration of {topic.name} does not fit its pictures",
            got=error.got,
            expected=error.expected,
            remedy="leave the topic of the calibration out with `without` in the log's monde.json",
        ) from error


def _checked(size: tuple[int, ...]) -> tuple[int, int]:
    height, width = size
    if not (1 <= height <= MAX_FRAME_SIDE_PIXELS and 1 <= width <= MAX_FRAME_SIDE_PIXELS):
        raise UnreadableError(f"pictures of {height} × {width} pixels are not read")
    return height, width


def _sized(convert: Callable[[object], np.ndarray], size: tuple[int, ...]) -> Callable[[object], np.ndarray]:
    def checked(message: object) -> np.ndarray:
        frame = convert(message)
        if frame.shape[:2] != size:
            raise ValueError(f"a picture of {frame.shape[0]} × {frame.shape[1]} among others of {size[0]} × {size[1]}")
        return frame

    return checked


def _depth_unit(topic: Topic, encoding: str) -> str:
    given = topic.config.depth_units.get(topic.name) or topic.config.depth_units.get(topic.sensor_name)
    unit = given or _DEPTH.get(encoding)
    if unit is None:
        raise UnreadableError(
            f"nobody says in which unit its depth is ({encoding or 'no encoding'}): "
            f'give "depth_units": {{"{topic.name}": "mm"}} or "m" in the log\'s monde.json'
        )
    return unit


def _rows(message: object, bytes_per_pixel: int) -> UInt8[np.ndarray, "h bytes"]:
    """The bytes of each row, without what pads it."""
    height, width, step = (int(number(message, name)) for name in ("height", "width", "step"))
    data = np.frombuffer(raw(message, "data"), dtype=np.uint8)
    if step < width * bytes_per_pixel or len(data) < height * step:
        raise ValueError(f"{len(data)} bytes for {height} rows of {step} bytes and {width} pixels")
    return data[: height * step].reshape(height, step)[:, : width * bytes_per_pixel]


def _raw_colours(message: object) -> UInt8[np.ndarray, "h w 3"]:
    encoding = text(message, "encoding")
    if encoding in _GREY:
        grey = _rows(message, 1)
        return np.repeat(grey[:, :, None], 3, axis=2)
    channels, order = _COLOURS[encoding]
    rows = _rows(message, channels)
    return rows.reshape(len(rows), -1, channels)[:, :, :3][:, :, ::order]


def _raw_depth(message: object) -> Shaped[np.ndarray, "h w"]:
    kind = "f4" if text(message, "encoding") == "32FC1" else "u2"
    large = has(message, "is_bigendian") and bool(number(message, "is_bigendian"))
    rows = _rows(message, int(kind[1]))
    return np.ascontiguousarray(rows).view(np.dtype(kind).newbyteorder(">" if large else "<"))


def _metres(stored: Shaped[np.ndarray, "h w"], unit: str) -> Float32[np.ndarray, "h w 1"]:
    """Depth in metres; 0 where nothing was measured, which messages write as 0, NaN or an infinity (REP 118)."""
    depth = stored.astype(np.float32) * np.float32(_METRES[unit])
    return np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(0))[:, :, None]


def _compressed_depth(message: object, unit: str) -> Float32[np.ndarray, "h w 1"]:
    """compressed_depth_image_transport: 12 bytes of parameters, then a PNG of millimetres or of quantised inverses."""
    data = raw(message, "data")
    _, first, second = _COMPRESSED_DEPTH.unpack_from(data)
    codes = _opened(data[_COMPRESSED_DEPTH.size :])
    if not text(message, "format").startswith("32FC1"):
        return _metres(codes, unit)
    with np.errstate(divide="ignore"):
        depth = first / (codes.astype(np.float32) - second)
    return _metres(np.where(codes > 0, depth, 0), unit)


def _opened(data: bytes) -> Shaped[np.ndarray, "h w *C"]:
    """A picture as it is stored: 8 bits of colours or grey, or 16 bits."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.mode.startswith("I"):
                return np.asarray(picture).astype(np.uint16)
            return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"no picture: {error}") from error


def _colours(picture: Shaped[np.ndarray, "h w *C"]) -> UInt8[np.ndarray, "h w 3"]:
    if picture.dtype != np.uint8:
        raise ValueError("a picture of 16 bits among colours")
    return picture
