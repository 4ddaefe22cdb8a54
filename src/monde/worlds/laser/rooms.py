"""Scenes drawn at random: rooms with doors, corridors, halls with pillars, open places, and clutter in all of them."""

from itertools import pairwise

import numpy as np

from monde.worlds.laser.solids import Scene

_WALL_M = 0.1
"""Half the thickness of a wall."""
_DOOR_M = (1.0, 1.6)
_LEAST_ROOM_M = 2.6


def draw_rooms(generator: np.random.Generator) -> tuple[Scene, tuple[float, float, float, float]]:
    """A scene and the rectangle (x0, y0, x1, y1) within its outer walls, in metres."""
    kind = generator.choice(["rooms", "corridors", "hall", "open"], p=[0.4, 0.2, 0.2, 0.2])
    width, height = generator.uniform(6.0, 14.0, size=2) * (2.0 if kind == "open" else 1.0)
    edge = (0.0, 0.0, float(width), float(height))
    boxes = [*_outline(edge)]
    discs: list[list[float]] = []
    if kind == "rooms":
        boxes += _split(generator, edge, depth=3)
    elif kind == "corridors":
        boxes += _corridors(generator, edge)
    elif kind == "hall":
        discs += _pillars(generator, edge)
    crowd = int(generator.integers(1, 4 + int(width * height / 12)))
    for _ in range(crowd):
        place = generator.uniform((0, 0), (width, height))
        if generator.uniform() < 0.6:
            half = generator.uniform(0.12, 0.6, size=2)
            boxes.append([*place, *half, generator.uniform(0, np.pi)])
        else:
            discs.append([*place, generator.uniform(0.08, 0.4)])
    return Scene(np.array(boxes), np.array(discs).reshape(-1, 3)), edge


def _outline(edge: tuple[float, float, float, float]) -> list[list[float]]:
    x0, y0, x1, y1 = edge
    middle_x, middle_y, thick = (x0 + x1) / 2, (y0 + y1) / 2, 0.5
    along, up = (x1 - x0) / 2 + 2 * thick, (y1 - y0) / 2 + 2 * thick
    return [
        [middle_x, y0 - thick, along, thick, 0.0],
        [middle_x, y1 + thick, along, thick, 0.0],
        [x0 - thick, middle_y, thick, up, 0.0],
        [x1 + thick, middle_y, thick, up, 0.0],
    ]


def _split(generator: np.random.Generator, edge: tuple[float, float, float, float], depth: int) -> list[list[float]]:
    """Walls that part a rectangle again and again, each with a door or two."""
    x0, y0, x1, y1 = edge
    wide = x1 - x0 >= y1 - y0
    low, high = (x0, x1) if wide else (y0, y1)
    if depth == 0 or high - low < 2 * _LEAST_ROOM_M or generator.uniform() < 0.1:
        return []
    at = float(generator.uniform(low + _LEAST_ROOM_M, high - _LEAST_ROOM_M))
    start, end = (y0, y1) if wide else (x0, x1)
    walls = _wall(generator, at, start, end, upright=wide)
    one = (x0, y0, at, y1) if wide else (x0, y0, x1, at)
    other = (at, y0, x1, y1) if wide else (x0, at, x1, y1)
    return walls + _split(generator, one, depth - 1) + _split(generator, other, depth - 1)


def _wall(generator: np.random.Generator, at: float, start: float, end: float, upright: bool) -> list[list[float]]:
    """A wall along one axis with one door, or two where it is long."""
    doors = 2 if end - start > 6 and generator.uniform() < 0.5 else 1
    cuts = np.linspace(start, end, doors + 1)
    pieces, begin = [], start
    for low, high in pairwise(cuts):
        opening = float(generator.uniform(*_DOOR_M))
        door = float(generator.uniform(low, high - opening))
        pieces.append((begin, door))
        begin = door + opening
    pieces.append((begin, end))
    walls = []
    for low, high in pieces:
        if high - low > 0.05:
            middle, half = (low + high) / 2, (high - low) / 2
            walls.append([at, middle, _WALL_M, half, 0.0] if upright else [middle, at, half, _WALL_M, 0.0])
    return walls


def _corridors(generator: np.random.Generator, edge: tuple[float, float, float, float]) -> list[list[float]]:
    """Parallel walls that end before one side or the other, or have doors."""
    x0, y0, x1, y1 = edge
    walls, at = [], y0 + float(generator.uniform(1.6, 2.8))
    while at < y1 - 1.6:
        gap = float(generator.uniform(1.2, 2.2))
        if generator.uniform() < 0.5:
            left = generator.uniform() < 0.5
            low, high = (x0 + gap, x1) if left else (x0, x1 - gap)
            walls.append([(low + high) / 2, at, (high - low) / 2, _WALL_M, 0.0])
        else:
            walls += _wall(generator, at, x0, x1, upright=False)
        at += float(generator.uniform(1.6, 3.2))
    return walls


def _pillars(generator: np.random.Generator, edge: tuple[float, float, float, float]) -> list[list[float]]:
    x0, y0, x1, y1 = edge
    gap, radius = float(generator.uniform(1.8, 3.5)), float(generator.uniform(0.15, 0.4))
    first = generator.uniform(0.6, 1.5, size=2)
    columns, rows = np.meshgrid(np.arange(x0 + first[0], x1, gap), np.arange(y0 + first[1], y1, gap))
    return [[float(x), float(y), radius] for x, y in zip(columns.ravel(), rows.ravel(), strict=True)]
