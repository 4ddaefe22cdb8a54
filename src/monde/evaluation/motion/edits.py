"""Impossible edits of a flight: a teleport, a turn in mid-air, and vanishing."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from monde.data.points import Stretch
from monde.errors import ContractError

KINDS = ("teleport", "turn", "vanish")
TELEPORT_METRES = (0.2, 0.5)
TURN_DEGREES = (60.0, 150.0)
LEAST_SPEED = 1.0
"""m/s at which a turn is planted: a ball that hardly moves cannot turn."""


@dataclass(frozen=True)
class Edit:
    """A flight that was tampered with.

    Args:
        kind: One of `KINDS`.
        flight: The original.
        frame: The first frame that differs, counted from the flight's start.
        points: [t, 3] what is then seen; shorter than the flight where the point vanished.
    """

    kind: str
    flight: Stretch
    frame: int
    points: Float64[np.ndarray, "t 3"]


def plant(
    flights: tuple[Stretch, ...], count: int, seed: int, before: int, after: int, rate_hz: float
) -> tuple[Edit, ...]:
    """`count` edits, kinds in turn, each in a flight and at a frame drawn evenly over all that are allowed.

    Args:
        flights: Possible ones.
        count: How many.
        seed: Of the draws.
        before: Frames of the flight that are left as they were, at least.
        after: Frames of the flight after the edit, at least.
        rate_hz: Frames per second.

    Raises:
        ContractError: No flight is long enough.
    """
    generator = np.random.default_rng(seed)
    places = [(index, frame) for index, f in enumerate(flights) for frame in range(before, len(f) - after)]
    if not places:
        raise ContractError(
            "no flight is long enough to be edited",
            got=f"at most {max((len(f) for f in flights), default=0)} frames",
            expected=f"more than {before + after}",
        )
    found: list[Edit] = []
    while len(found) < count:
        kind = KINDS[len(found) % len(KINDS)]
        index, frame = places[int(generator.integers(len(places)))]
        points = flights[index].points
        speed = (points[frame - 1] - points[frame - 11]) / 10 * rate_hz
        if kind == "turn" and np.linalg.norm(speed) < LEAST_SPEED:
            continue
        found.append(Edit(kind, flights[index], frame, _edited(kind, points, frame, speed / rate_hz, generator)))
    return tuple(found)


def _edited(
    kind: str,
    points: Float64[np.ndarray, "t 3"],
    frame: int,
    step: Float64[np.ndarray, "3"],
    generator: np.random.Generator,
) -> Float64[np.ndarray, "u 3"]:
    if kind == "vanish":
        return points[:frame].copy()
    edited = points.copy()
    if kind == "teleport":
        edited[frame:] += _direction(generator) * generator.uniform(*TELEPORT_METRES)
    else:
        across = np.cross(step, _direction(generator))
        across /= np.linalg.norm(across)
        angle = np.radians(generator.uniform(*TURN_DEGREES))
        turned = step * np.cos(angle) + np.cross(across, step) * np.sin(angle)
        edited[frame:] += np.arange(1, len(points) - frame + 1)[:, None] * (turned - step)
    return edited


def _direction(generator: np.random.Generator) -> Float64[np.ndarray, "3"]:
    drawn = generator.normal(size=3)
    return drawn / np.linalg.norm(drawn)
