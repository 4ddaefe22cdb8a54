"""Flights, found by a rule that knows no model, and what a ballistic fit tells of them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from monde.data.points import Stretch
from monde.errors import DataError


@dataclass(frozen=True, kw_only=True)
class FlightRule:
    """When a point counts as flying free.

    A frame does where the parabola fitted to the `window_seconds` around it accelerates within `tolerance` of `gravity`
    downwards, on every axis, and misses the points by at most `residual_metres` (root mean square). Frames that
    neighbour make one flight, together with the windows of its ends.

    Args:
        window_seconds: Length of the fit.
        gravity: m/s², downwards.
        tolerance: m/s², on every axis.
        residual_metres: Root mean square distance from the fit.
        least_seconds: Shorter flights are left out.
    """

    window_seconds: float = 31 / 300
    gravity: float = 9.5
    tolerance: float = 1.5
    residual_metres: float = 0.003
    least_seconds: float = 0.4


def flights(stretches: tuple[Stretch, ...], rate_hz: float, rule: FlightRule | None = None) -> tuple[Stretch, ...]:
    """The parts of stretches that are free flight.

    Raises:
        DataError: There is none.
    """
    rule = rule or FlightRule()
    window = round(rule.window_seconds * rate_hz) // 2 * 2 + 1
    found = [flight for stretch in stretches for flight in _within(stretch, rate_hz, window, rule)]
    if not found:
        raise DataError(
            "no point flies free",
            got=f"{len(stretches)} stretches",
            expected=f"one that falls freely for {rule.least_seconds:g} s",
            remedy="check the unit (metres), the rate, and that the third axis points upwards",
        )
    return tuple(found)


def _within(stretch: Stretch, rate_hz: float, window: int, rule: FlightRule) -> list[Stretch]:
    if len(stretch) < window:
        return []
    half = window // 2
    times = (np.arange(window) - half) / rate_hz
    shape = np.stack([np.ones(window), times, times**2 / 2], 1)
    cut = np.lib.stride_tricks.sliding_window_view(stretch.points, window, axis=0)
    fit = np.einsum("kw,naw->nka", np.linalg.pinv(shape), cut)
    missed = np.sqrt(np.square(cut - np.einsum("wk,nka->naw", shape, fit)).sum(1).mean(-1))
    falls = np.abs(fit[:, 2] + [0.0, 0.0, rule.gravity]).max(1) < rule.tolerance
    steps = np.diff((falls & (missed < rule.residual_metres)).astype(np.int8), prepend=0, append=0)
    parts = zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) + window - 1, strict=True)
    return [
        Stretch(stretch.marker, stretch.start + int(start), stretch.points[start:stop])
        for start, stop in parts
        if stop - start >= round(rule.least_seconds * rate_hz)
    ]


def gravity_of(points: Float[np.ndarray, "t 3"], rate_hz: float) -> float:
    """Downward acceleration in m/s² of the parabola fitted to the heights."""
    return float(-2 * np.polyfit(np.arange(len(points)) / rate_hz, points[:, 2].astype(np.float64), 2)[0])


def ballistic(
    windows: Float64[np.ndarray, "B W 3"], gravity: float, seconds: float, rate_hz: float
) -> Float64[np.ndarray, "B 3"]:
    """Where a parabola of known gravity, fitted to each window by least squares, is `seconds` after its last frame."""
    times = (np.arange(windows.shape[1]) - windows.shape[1] + 1) / rate_hz
    fall = np.array([0.0, 0.0, gravity / 2])
    straight = windows + fall * np.square(times)[None, :, None]
    fit = np.einsum("kw,bwa->kba", np.linalg.pinv(np.stack([np.ones_like(times), times], 1)), straight)
    return fit[0] + seconds * fit[1] - fall * seconds**2


@dataclass(frozen=True)
class Bounce:
    """A bounce off the ground.

    Args:
        stretch: Where it was seen.
        frame: The lowest frame, counted from the start of the stretch.
        restitution: Speed upwards after, over speed downwards before.
    """

    stretch: Stretch
    frame: int
    restitution: float


NEAR_GROUND_METRES = 0.03
BEFORE, AFTER = (-9, -2), (3, 10)


def restitution(heights: Float[np.ndarray, " t"], lowest: int) -> float | None:
    """Speed after over speed before, from lines fitted to a few frames on either side; none where they are missing."""
    before, after = heights[lowest + BEFORE[0] : lowest + BEFORE[1]], heights[lowest + AFTER[0] : lowest + AFTER[1]]
    if lowest + BEFORE[0] < 0 or len(after) < AFTER[1] - AFTER[0]:
        return None
    down, up = (float(np.polyfit(np.arange(7), part.astype(np.float64), 1)[0]) for part in (before, after))
    return None if down >= 0 else -up / down


def bounces(stretches: tuple[Stretch, ...], rate_hz: float, least_speed: float = 2.0) -> tuple[Bounce, ...]:
    """Where a point falls to the ground (height 0) at `least_speed` m/s or faster and comes up again."""
    found = []
    for stretch in stretches:
        heights = stretch.points[:, 2]
        for frame in range(60, len(heights) - AFTER[1]):
            around = heights[frame - 12 : frame + 13]
            if heights[frame] > NEAR_GROUND_METRES or heights[frame] > around.min():
                continue
            ratio = restitution(heights, frame)
            speed = (heights[frame - 9] - heights[frame - 2]) / 7 * rate_hz
            if ratio is not None and ratio > 0 and speed >= least_speed:
                found.append(Bounce(stretch, frame, ratio))
    return tuple(found)
