"""From what a client sends to what a model reads: names, shapes and values are checked before anything is computed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from monde.errors import ServingError
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.types import Sensor


@dataclass(frozen=True)
class Sample:
    """One checked sample of each sensor that the model reads.

    Args:
        values: By sensor name, without batch and time.
        seconds: Since the session's episode began.
        resized: Cameras whose pictures have another size than the model's.
    """

    values: Mapping[str, Shaped[np.ndarray, "..."]]
    seconds: float
    resized: tuple[str, ...] = ()


def read_sample(
    arrays: Mapping[str, Shaped[np.ndarray, "..."]], sensors: Sequence[Sensor], seconds: float = 0.0
) -> Sample:
    """What was sent, as the model reads it. Camera pictures of another size are let through: they are resized later, as
    those that the model was trained on were.

    Raises:
        ServingError: A sensor that is missing or unknown, of another dtype or shape, or not finite.
    """
    known = {sensor.name: sensor for sensor in sensors}
    missing, unknown = sorted(set(known) - set(arrays)), sorted(set(arrays) - set(known))
    if missing or unknown:
        raise ServingError(
            "the observation does not hold the sensors that the model reads",
            got=f"missing {', '.join(missing) or 'none'}, unknown {', '.join(unknown) or 'none'}"[:300],
            expected=", ".join(known),
        )
    resized = []
    for name, sensor in known.items():
        array = arrays[name]
        _check_dtype(sensor, array)
        if tuple(array.shape) != sensor.shape:
            _check_picture(sensor, array)
            resized.append(name)
        if array.dtype.kind == "f" and not bool(np.isfinite(array).all()):
            bad = int((~np.isfinite(array)).sum())
            raise ServingError(
                f"sensor {name!r} is not finite",
                got=f"{bad} of {array.size} numbers are NaN or infinite",
                expected="finite numbers",
                remedy="leave the observation out where a sensor has failed; nothing is repaired here",
            )
    return Sample({name: arrays[name] for name in known}, seconds, tuple(resized))


def _check_dtype(sensor: Sensor, array: Shaped[np.ndarray, "..."]) -> None:
    wanted = ("uint8",) if sensor.kind == "rgb" else ("float32", "float64")
    if array.dtype.name not in wanted:
        raise ServingError(
            f"sensor {sensor.name!r} has another dtype than the model reads",
            got=array.dtype.name,
            expected=" or ".join(wanted),
        )


def _check_picture(sensor: Sensor, array: Shaped[np.ndarray, "..."]) -> None:
    fits = (
        sensor.picture
        and array.ndim == 3
        and array.shape[0] == sensor.shape[0]
        and 1 <= min(array.shape)
        and max(array.shape[1:]) <= MAX_FRAME_SIDE_PIXELS
    )
    if not fits:
        raise ServingError(
            f"sensor {sensor.name!r} has another shape than the model reads",
            got=list(array.shape),
            expected=f"{list(sensor.shape)}"
            + (f", or another size with sides of 1 to {MAX_FRAME_SIDE_PIXELS}" if sensor.picture else ""),
        )
