"""What surrounds the objects: floor, wall, light and camera."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from monde.worlds.drawing import Colour
from monde.worlds.scenes.splits import BACKGROUNDS, GROUNDS, SCREENS, SOLIDS
from monde.worlds.scenes3d.bodies import Vector
from monde.worlds.scenes3d.camera import Camera, looking_at

Floor = Literal["plain", "checks", "fine"]
FLOORS: tuple[Floor, ...] = get_args(Floor)

BACK_METRES = 6.9
"""Where the back wall stands."""


@dataclass(frozen=True, kw_only=True)
class Scenery:
    """One film's surroundings.

    Args:
        camera: That looks at it.
        floor: Colour of the floor.
        floor_pattern: Plain, or squares of 2 m or 1 m of two shades.
        wall: Colour of the back wall.
        solid: Of walls and platforms that objects meet.
        screen: Of screens.
        light: Direction in which the light shines.
    """

    camera: Camera
    floor: Colour
    floor_pattern: Floor
    wall: Colour
    solid: Colour
    screen: Colour
    light: Vector


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Ranges that a camera is drawn from.

    Args:
        distance: From its target, m.
        elevation_degrees: Above the horizon.
        azimuth_degrees: Greatest, to either side.
        height: Of its target, m.
    """

    distance: tuple[float, float] = (9.4, 10.6)
    elevation_degrees: tuple[float, float] = (20.0, 34.0)
    azimuth_degrees: float = 12.0
    height: tuple[float, float] = (0.9, 1.3)


def draw_scenery(generator: np.random.Generator, outlook: Outlook, side_pixels: int, *, plain: bool = False) -> Scenery:
    """Surroundings at random: a camera within the ranges told, one of each list of colours."""
    camera = looking_at(
        (
            float(generator.uniform(-0.2, 0.2)),
            float(generator.uniform(-0.2, 0.2)),
            float(generator.uniform(*outlook.height)),
        ),
        distance=float(generator.uniform(*outlook.distance)),
        elevation=math.radians(generator.uniform(*outlook.elevation_degrees)),
        azimuth=math.radians(generator.uniform(-outlook.azimuth_degrees, outlook.azimuth_degrees)),
        side_pixels=side_pixels,
    )
    pattern = FLOORS[int(generator.integers(len(FLOORS)))]
    return Scenery(
        camera=camera,
        floor=_one(generator, GROUNDS if generator.uniform() < 0.3 else BACKGROUNDS),
        floor_pattern="plain" if plain else pattern,
        wall=_one(generator, BACKGROUNDS),
        solid=_one(generator, SOLIDS),
        screen=_one(generator, SCREENS),
        light=(float(generator.uniform(-0.8, 0.8)), float(generator.uniform(0.2, 0.8)), -1.0),
    )


def _one(generator: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    return colours[int(generator.integers(len(colours)))]
