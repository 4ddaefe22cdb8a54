"""What each kind of sensor can deliver: samples that cannot be are refused where they enter, never repaired."""

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from monde.errors import ContractError
from monde.spatial import unit
from monde.types import Sensor
from monde.types.geometry import ScanGeometry


def check_samples(
    sensor: Sensor, values: Shaped[np.ndarray, "T ..."], valid: Bool[np.ndarray, " T"] | None = None
) -> None:
    """Refuse finite samples that a sensor of this kind cannot deliver; those that are missing are not looked at.

    Args:
        sensor: What delivered them.
        values: [T, ...] in its shape.
        valid: False where a sample is missing, or none where all are there.

    Raises:
        ContractError: Quaternions that are not of unit length, negative depth, ranges beyond the scanner's longest, or
            cells that are neither unknown nor occupied to some degree; names the step.
    """
    seen = values if valid is None or bool(valid.all()) else values[valid]
    if not len(seen):
        return
    if sensor.kind == "pose" and sensor.shape == (7,):
        try:
            unit(np.asarray(seen[:, 3:], dtype=np.float64))
        except ContractError as error:
            raise ContractError(
                f"sensor {sensor.name!r} delivered no pose: {error.what}",
                got=error.got,
                expected=error.expected,
                remedy=error.remedy,
            ) from error
    elif sensor.kind == "depth":
        _within(sensor, seen, 0.0, np.inf, "metres ≥ 0, and 0 where nothing was measured")
    elif sensor.kind == "scan" and isinstance(sensor.geometry, ScanGeometry):
        most = sensor.geometry.most_m
        told = f"0 where nothing is known, {most:g} (the longest range) where nothing was hit, else the range in metres"
        _within(sensor, seen, 0.0, float(np.float32(most)), told)
    elif sensor.kind == "grid":
        _within(sensor, seen, -1.0, 1.0, "0 free to 1 occupied, -1 where nothing is known")


def _within(sensor: Sensor, values: Shaped[np.ndarray, "T ..."], low: float, high: float, expected: str) -> None:
    wrong = (values < low) | (values > high)
    if wrong.any():
        first = np.argwhere(wrong)[0]
        raise ContractError(
            f"sensor {sensor.name!r} delivered what no {sensor.kind} can be",
            got=f"{int(wrong.sum())} values, the first {float(values[tuple(first)]):g} in sample {int(first[0])}",
            expected=expected,
            remedy="convert units and codes where the samples are read",
        )


def stored_samples(
    sensor: Sensor, values: Shaped[np.ndarray, "T ..."], valid: Bool[np.ndarray, " T"] | None = None
) -> Float32[np.ndarray, "T ..."]:
    """The samples as they are kept: float32, quaternions of exactly unit length, 0 where one is missing."""
    numbers = np.array(values, dtype=np.float64 if sensor.kind == "pose" else np.float32)
    if valid is not None:
        numbers[~valid] = 0
    if sensor.kind == "pose" and sensor.shape == (7,):
        there = slice(None) if valid is None else valid
        numbers[there, 3:] = unit(numbers[there, 3:])
    return numbers.astype(np.float32, copy=False)
