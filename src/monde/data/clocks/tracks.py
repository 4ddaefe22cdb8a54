"""What a layout has to offer of one episode: each sensor's own times, and its samples when they are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, Shaped

from monde.errors import DataError
from monde.limits import MAX_CLOCK_DISORDER_SECONDS
from monde.spatial import cloud_mask, pad_cloud
from monde.types import Sensor


@dataclass(frozen=True)
class Samples:
    """Some samples of one sensor.

    Args:
        values: [n, ...] in the sensor's shape, pictures channels last: uint8 colours, else float32.
        there: [n] false where the sensor delivered a message that holds no measurement (a receiver without a fix).
        mask: [n, P] of a cloud: which points are there.
    """

    values: Shaped[np.ndarray, "n ..."]
    there: Bool[np.ndarray, " n"]
    mask: Bool[np.ndarray, "n P"] | None = None


class Stack:
    """Samples of one sensor, put into one array as they come.

    Args:
        sensor: The sensor.
        count: How many there will be.
    """

    def __init__(self, sensor: Sensor, count: int) -> None:
        shape = (*sensor.shape[1:], sensor.shape[0]) if sensor.picture else sensor.shape
        self._values = np.zeros((count, *shape), dtype=np.uint8 if sensor.kind == "rgb" else np.float32)
        self._there = np.zeros(count, dtype=bool)
        self._cloud = sensor.kind == "points"

    def put(self, place: int, sample: Shaped[np.ndarray, "..."] | None) -> None:
        """A sample, a cloud of any size; or none, where there was no measurement.

        Raises:
            ValueError: It has another shape.
        """
        if sample is not None:
            self._there[place] = True
            self._values[place] = pad_cloud(sample, self._values.shape[1]) if self._cloud else sample

    def samples(self) -> Samples:
        """What was put in."""
        return Samples(self._values, self._there, cloud_mask(self._values) if self._cloud else None)


@dataclass(frozen=True)
class Commands:
    """What was commanded, and when: each holds until the next.

    Args:
        times_seconds: [N], in order.
        values: [N, dim].
    """

    times_seconds: Float64[np.ndarray, " N"]
    values: Float32[np.ndarray, "N dim"]

    def between(self, steps: Float64[np.ndarray, " T"]) -> Float32[np.ndarray, "T1 dim"]:
        """Mean of what was in force from each step to the next; nothing (zeros) before the first command."""
        times = np.concatenate([[-np.inf], self.times_seconds])
        values = np.concatenate([np.zeros((1, self.values.shape[1])), self.values.astype(np.float64)])
        begins, ends = steps[:-1], steps[1:]
        first = np.searchsorted(times, begins, side="right") - 1
        last = np.searchsorted(times, ends, side="left") - 1
        # The integral of what is in force, from the first command on.
        spans = np.diff(self.times_seconds)[:, None]
        total = np.concatenate([np.zeros((2, values.shape[1])), np.cumsum(values[1:-1] * spans, axis=0)])
        since = [
            np.where(i > 0, t - times[np.minimum(i.clip(1), len(times) - 1)], 0.0)[:, None]
            for i, t in ((first, begins), (last, ends))
        ]
        held = (total[last] + values[last] * since[1]) - (total[first] + values[first] * since[0])
        mean = np.where((first == last)[:, None], values[first], held / (ends - begins)[:, None])
        return mean.astype(np.float32)


@runtime_checkable
class Log(Protocol):
    """One episode as it was logged."""

    @property
    def name(self) -> str:
        """What it is called in errors."""
        ...

    @property
    def times(self) -> Mapping[str, Float64[np.ndarray, " _"]]:
        """When each sample was taken, by sensor, in order; seconds on the log's own clock."""
        ...

    @property
    def commands(self) -> Commands | None:
        """What was commanded, on the same clock; none where that is not known."""
        ...

    def read(self, wanted: Mapping[str, Int64[np.ndarray, " _"]]) -> Mapping[str, Samples]:
        """Some samples of some sensors, by their numbers in `times` (growing).

        Raises:
            DataError: They are not there, or damaged.
        """
        ...


def in_order(
    times: Float64[np.ndarray, " N"], what: str, remedy: str
) -> tuple[Float64[np.ndarray, " N"], Int64[np.ndarray, " N"]]:
    """Times in order, and the numbers that they had before. Of equal times, the later sample stays the later one.

    Args:
        times: As they were logged.
        what: The sensor and its log, for errors.
        remedy: What to do about a clock that was set back.

    Raises:
        DataError: Not finite, or the clock jumps back by more than lateness explains.
    """
    if not np.isfinite(times).all():
        raise DataError(f"{what} has times that are not finite", got=f"sample {int(np.argmin(np.isfinite(times)))}")
    late = np.maximum.accumulate(times) - times if len(times) else times
    if (late > MAX_CLOCK_DISORDER_SECONDS).any():
        sample = int(np.argmax(late > MAX_CLOCK_DISORDER_SECONDS))
        raise DataError(
            f"the clock of {what} jumps back",
            got=f"sample {sample} lies {late[sample]:.6g} s before one that came earlier",
            expected=f"times that go forward, or are out of order by at most {MAX_CLOCK_DISORDER_SECONDS:g} s",
            remedy=remedy,
        )
    order = np.argsort(times, kind="stable")
    return times[order], order


def nominal_hz(times: Float64[np.ndarray, " N"]) -> float | None:
    """Samples a second, whole where it nearly is; none of fewer than two different times."""
    gaps = np.diff(times)
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return None
    rate = 1.0 / float(np.median(gaps))
    near = round(rate)
    return float(near) if near and abs(rate - near) < 0.02 * rate else rate
