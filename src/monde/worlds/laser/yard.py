"""Outdoor scenes drawn at random: buildings, walls, rows of parked cars, trees and hedges."""

import numpy as np

from monde.worlds.laser.solids import Scene

_FAR_M = 55.0
"""Nothing stands farther from the middle."""
_CLEAR_M = 3.0
"""Nothing stands nearer to the middle: the robot starts there."""


def draw_yard(generator: np.random.Generator) -> tuple[Scene, tuple[float, float, float, float]]:
    """A scene and the rectangle that a robot may drive in, in metres."""
    boxes: list[list[float]] = []
    discs: list[list[float]] = []
    turned = float(generator.uniform(0, np.pi))
    for _ in range(int(generator.integers(4, 11))):
        half = generator.uniform((3, 3), (22, 12))
        boxes.append([*_place(generator, float(half.min()) + _CLEAR_M), *half, _yaw(generator, turned)])
    for _ in range(int(generator.integers(0, 6))):
        boxes.append([*_place(generator, 1.0), generator.uniform(1, 15), generator.uniform(0.08, 0.2),
                      _yaw(generator, turned)])  # fmt: skip
    for _ in range(int(generator.integers(1, 6))):
        boxes += _cars(generator, turned)
    for _ in range(int(generator.integers(5, 35))):
        discs.append([*_place(generator, 0.5), generator.uniform(0.06, 0.45)])
    for _ in range(int(generator.integers(0, 7))):
        discs += _hedge(generator)
    kept = [box for box in boxes if _beyond(box)]
    scene = Scene(np.array(kept).reshape(-1, 5), np.array(discs).reshape(-1, 3))
    return scene, (-20.0, -20.0, 20.0, 20.0)


def _place(generator: np.random.Generator, least: float) -> tuple[float, float]:
    """More things stand near than far."""
    far = float(np.exp(generator.uniform(np.log(least + _CLEAR_M), np.log(_FAR_M))))
    angle = float(generator.uniform(-np.pi, np.pi))
    return far * np.cos(angle), far * np.sin(angle)


def _yaw(generator: np.random.Generator, turned: float) -> float:
    """Mostly along the two directions of the place."""
    aligned = turned + np.pi / 2 * int(generator.integers(2))
    return float(aligned if generator.uniform() < 0.7 else generator.uniform(0, np.pi))


def _cars(generator: np.random.Generator, turned: float) -> list[list[float]]:
    x, y = _place(generator, 3.0)
    yaw, gap = _yaw(generator, turned), float(generator.uniform(2.3, 3.2))
    found = []
    for number in range(int(generator.integers(2, 14))):
        if generator.uniform() < 0.25:
            continue
        along = number * gap + generator.normal(0, 0.1)
        middle = (x - np.sin(yaw) * along, y + np.cos(yaw) * along)
        length, width = generator.uniform(1.7, 2.4), generator.uniform(0.75, 0.95)
        turn = yaw + generator.normal(0, 0.03)
        # A body, and a bumper that is narrower: corners of cars are round.
        found.append([*middle, length * 0.9, width, turn])
        found.append([*middle, length, width * 0.75, turn])
    return found


def _hedge(generator: np.random.Generator) -> list[list[float]]:
    x, y = _place(generator, 1.0)
    yaw, length = float(generator.uniform(0, np.pi)), float(generator.uniform(1, 10))
    along = generator.uniform(0, length, size=int(4 + 3 * length))
    aside = generator.normal(0, 0.25, size=len(along))
    radii = generator.uniform(0.05, 0.3, size=len(along))
    return [
        [x + np.cos(yaw) * a - np.sin(yaw) * b, y + np.sin(yaw) * a + np.cos(yaw) * b, radius]
        for a, b, radius in zip(along, aside, radii, strict=True)
    ]


def _beyond(box: list[float]) -> bool:
    x, y, half_x, half_y, yaw = box
    along, aside = -(np.cos(yaw) * x + np.sin(yaw) * y), np.sin(yaw) * x - np.cos(yaw) * y
    return bool(np.hypot(max(abs(along) - half_x, 0), max(abs(aside) - half_y, 0)) > _CLEAR_M)
