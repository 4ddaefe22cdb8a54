"""Arrays as sensors: which sensor an array of samples is, and its samples in that sensor's form."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from monde.errors import ContractError, DataError
from monde.types import Sensor, SensorKind

_SMALLEST_PICTURE = 16


@dataclass(frozen=True, kw_only=True)
class Column:
    """Where the samples of one sensor are.

    Args:
        sensor: The sensor.
        key: Name of its array in the dataset.
        scale: What pictures stored as numbers are multiplied by to reach 0 to 255.
    """

    sensor: Sensor
    key: str
    scale: float = 1.0


def make_column(
    name: str, key: str, dtype: np.dtype, shape: tuple[int, ...], rate_hz: float, where: str
) -> Column | None:
    """The sensor that an array of samples [T, *shape] is: pictures by their shape, a depth image, else a state.

    Args:
        name: Name of the sensor.
        key: Name of the array.
        dtype: Of the array.
        shape: Of one sample; a number becomes shape [1].
        rate_hz: Frames per second.
        where: The file, for errors.

    Returns:
        None for texts, objects and empty samples, which are no sensor.

    Raises:
        DataError: A sensor that cannot be: a name too long, a frame too large.
    """
    if dtype.kind not in "fiub" or 0 in shape:
        return None
    if dtype == np.uint8 and len(shape) == 3 and 3 not in (shape[0], shape[2]):
        return None  # A picture of grey levels or masks; there is no such sensor.
    kind: SensorKind = "state"
    sample = shape or (1,)
    if len(shape) == 3:
        by_bytes = dtype == np.uint8 and 3 in (shape[0], shape[2])
        large = min(shape[:2]) >= _SMALLEST_PICTURE
        if by_bytes or (dtype.kind == "f" and large and shape[2] == 3):
            kind, sample = "rgb", (3, *shape[:2]) if shape[2] == 3 else shape
        elif dtype.kind == "f" and large and shape[2] == 1:
            kind, sample = "depth", (1, *shape[:2])
    try:
        return Column(sensor=Sensor(name=name, kind=kind, shape=sample, rate_hz=rate_hz), key=key)
    except ContractError as error:
        raise DataError(
            f"{where}: array {key[:60]!r} makes no sensor", got=f"{error.what} {error.got}", expected=error.expected
        ) from error


def pictures(
    values: Shaped[np.ndarray, "T ..."], column: Column, where: str, start: int
) -> UInt8[np.ndarray, "T h w 3"]:
    """Stored pictures, channels first or last, bytes or numbers, as bytes with channels last.

    Raises:
        DataError: Of another size, or numbers out of 0 to 255 (names the frame).
    """
    channels, height, width = column.sensor.shape
    frames = values
    if values.shape[1:] == (channels, height, width) and values.shape[1:] != (height, width, channels):
        frames = values.transpose(0, 2, 3, 1)
    if frames.shape[1:] != (height, width, channels):
        raise DataError(
            f"{where}, array {column.key!r} changes its shape", got=values.shape[1:], expected=column.sensor.shape
        )
    if frames.dtype == np.uint8:
        return frames
    scaled = finite_numbers(frames, column.key, where, start) * column.scale
    outside = (scaled < -0.5) | (scaled > 255.5)
    if outside.any():
        frame = start + int(np.argwhere(outside)[0][0])
        raise DataError(
            f"{where}, array {column.key!r} holds no colours in frame {frame}",
            got=f"{scaled.min() / column.scale:g} to {scaled.max() / column.scale:g}",
            expected=f"0 to {255 / column.scale:g}",
        )
    return scaled.round().clip(0, 255).astype(np.uint8)


def picture_scale(sample: Shaped[np.ndarray, "T ..."]) -> float:
    """What pictures stored as numbers must be multiplied by: 255 where none of `sample` is above 1, else 1."""
    if sample.dtype == np.uint8 or not len(sample):
        return 1.0
    return 255.0 if float(np.nanmax(sample)) <= 1.0 else 1.0


def finite_numbers(
    values: Shaped[np.ndarray, "T ..."], key: str, where: str, start: int
) -> Float32[np.ndarray, "T ..."]:
    """The samples as float32.

    Raises:
        DataError: NaN or infinite; names the place, the array, the frame and the component.
    """
    numbers = np.asarray(values, dtype=np.float32)
    finite = np.isfinite(numbers)
    if not finite.all():
        frame, *component = (int(index) for index in np.argwhere(~finite)[0])
        raise DataError(
            f"{where}, array {key!r} holds NaN or infinite values",
            got=f"{int((~finite).sum())}, the first in frame {start + frame}, component {component}",
            expected="finite numbers",
            remedy="leave this episode out, or find out why the sensor delivered none; nothing is filled in here",
        )
    return numbers
