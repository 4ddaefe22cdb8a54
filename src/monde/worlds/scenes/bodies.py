"""What stands in a scene: bodies of three shapes and equal density, and the camera that looks at them.

Scene coordinates are pixels of an unmoved camera: x to the right, y downwards. A body's size is the radius of the disc
of equal area, so that neither mass nor the number of pixels tells one shape from another.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from monde.errors import ContractError, unknown_name
from monde.worlds.drawing import Colour
from monde.worlds.scenes.splits import SHAPES, Shape

DENSITY = 0.01
"""Mass per square pixel: a disc of 4 px radius has a mass of about 0.5."""

SIDES = {"disc": 0, "square": 4, "triangle": 3}

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in px."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """One object and the state in which it is launched.

    Args:
        shape: disc, square, or equilateral triangle.
        radius: Of the disc of equal area, in px.
        colour: RGB.
        position: x, y of its centre of mass, px.
        velocity: px/s.
        angle: rad.
        spin: rad/s.
        friction: Coulomb's coefficient against the surroundings (those of two bodies are multiplied).
        restitution: Against the surroundings (likewise).
        plane: Bodies meet only those of their own plane; 0 is nearest to the camera.

    Raises:
        ContractError: An unknown shape, a radius that is not positive, or a restitution outside 0 to 1.
    """

    shape: Shape
    radius: float
    colour: Colour
    position: tuple[float, float]
    velocity: tuple[float, float] = (0.0, 0.0)
    angle: float = 0.0
    spin: float = 0.0
    friction: float = 0.0
    restitution: float = 1.0
    plane: int = 0

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise unknown_name("shape", self.shape, list(SHAPES), ContractError)
        if not (0 < self.radius < math.inf and 0 <= self.restitution <= 1 and self.friction >= 0):
            raise ContractError(
                "this body cannot be", got=self, expected="radius > 0, restitution 0 to 1, friction ≥ 0"
            )

    @property
    def mass(self) -> float:
        """Area × density."""
        return DENSITY * math.pi * self.radius**2

    @property
    def extent(self) -> float:
        """Greatest distance of its outline from its centre, px."""
        return self.radius * extent(self.shape)

    @property
    def reversed(self) -> "Body":
        """The same body with time running backwards."""
        return replace(self, velocity=(-self.velocity[0], -self.velocity[1]), spin=-self.spin)


def extent(shape: Shape) -> float:
    """Circumscribed radius of a shape whose equal-area disc has radius 1."""
    n = SIDES[shape]
    return math.sqrt(2 * math.pi / (n * math.sin(2 * math.pi / n))) if n else 1.0


def inset(shape: Shape) -> float:
    """Inscribed radius of the same."""
    n = SIDES[shape]
    return extent(shape) * math.cos(math.pi / n) if n else 1.0


def normals(shape: Shape) -> Float64[np.ndarray, "4 2"]:
    """Outward unit normals of its sides at angle 0; a triangle's last is given twice, a disc's are not used.

    A triangle at angle 0 stands on a side, and so does a square.
    """
    n = SIDES[shape] or 4
    angles = math.pi / 2 + 2 * math.pi * np.minimum(np.arange(4), n - 1) / n
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def corners(shape: Shape, radius: float) -> list[tuple[float, float]]:
    """Corners of a polygon at angle 0, px from its centre; none of a disc."""
    n = SIDES[shape]
    angles = [math.pi / 2 + math.pi * (2 * i + 1) / n for i in range(n)]
    reach = radius * extent(shape)
    return [(reach * math.cos(angle), reach * math.sin(angle)) for angle in angles]


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Looks straight at the scene: picture = centre + zoom × (scene - centre) + shift.

    Args:
        side_pixels: Side of the picture.
        zoom: Greater is nearer.
        shift: x, y in px of the picture.
    """

    side_pixels: int = 64
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    def places(self, scene: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
        """Where points of the scene are in the picture, px."""
        middle = self.side_pixels / 2
        return middle + self.zoom * (scene - middle) + np.array(self.shift)

    def box(self, box: Box) -> Float64[np.ndarray, " 4"]:
        """A box of the scene in the picture."""
        return self.places(np.array(box).reshape(2, 2)).reshape(4)
