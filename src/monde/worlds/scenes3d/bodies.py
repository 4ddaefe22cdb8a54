"""Bodies of four shapes and equal density. Metres, seconds, kilograms; x to the right, y away from the camera, z up.

A body's size is the radius of the sphere of equal volume, so that mass does not tell one shape from another.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from monde.errors import ContractError, unknown_name
from monde.worlds.drawing import Colour
from monde.worlds.scenes3d.splits import SHAPES, Shape

DENSITY = 20.0
"""kg/m³, of foam: a sphere of 0.5 m radius has a mass of 10 kg."""

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
"""w, x, y, z."""

_LONG = 1.5
"""Of an ellipsoid: its upright axis over the two others."""


def half_sizes(shape: Shape, radius: float) -> Vector:
    """Half the extent along its own axes of a shape whose equal-volume sphere has this radius, m."""
    if shape == "sphere":
        return radius, radius, radius
    if shape == "box":
        half = radius * (math.pi / 6) ** (1 / 3)
        return half, half, half
    if shape == "cylinder":  # as high as it is wide
        half = radius * (2 / 3) ** (1 / 3)
        return half, half, half
    thin = radius / _LONG ** (1 / 3)
    return thin, thin, _LONG * thin


def about_vertical(angle: float) -> Quaternion:
    """A turn about the vertical axis."""
    return math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2)


@dataclass(frozen=True, kw_only=True)
class Body:
    """One object and the state in which it is launched.

    Args:
        shape: sphere, box (a cube), cylinder (upright) or ellipsoid (upright, 1.5 times as long as wide).
        radius: Of the sphere of equal volume, m.
        colour: RGB.
        position: Of its centre of mass, m.
        velocity: m/s.
        quaternion: w, x, y, z, from its own axes to the scene's.
        spin: Angular velocity about the scene's axes, rad/s.
        friction: Coulomb's coefficient against the surroundings (those of two bodies are multiplied).
        restitution: Against the surroundings (likewise).

    Raises:
        ContractError: An unknown shape, a radius that is not positive, or a restitution outside 0 to 1.
    """

    shape: Shape
    radius: float
    colour: Colour
    position: Vector = (0.0, 0.0, 0.0)
    velocity: Vector = (0.0, 0.0, 0.0)
    quaternion: Quaternion = (1.0, 0.0, 0.0, 0.0)
    spin: Vector = (0.0, 0.0, 0.0)
    friction: float = 0.0
    restitution: float = 1.0

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise unknown_name("shape", self.shape, list(SHAPES), ContractError)
        if not (0 < self.radius < math.inf and 0 <= self.restitution <= 1 and self.friction >= 0):
            raise ContractError(
                "this body cannot be", got=self, expected="radius > 0, restitution 0 to 1, friction ≥ 0"
            )

    @property
    def half_sizes(self) -> Vector:
        """Half its extent along its own axes, m."""
        return half_sizes(self.shape, self.radius)

    @property
    def mass(self) -> float:
        """Volume × density, kg."""
        return DENSITY * 4 / 3 * math.pi * self.radius**3

    @property
    def inertia(self) -> Float64[np.ndarray, " 3"]:
        """Moments about its own axes, kg m²."""
        a, b, c = (half**2 for half in self.half_sizes)
        if self.shape == "box":
            moments = ((b + c) / 3, (a + c) / 3, (a + b) / 3)
        elif self.shape == "cylinder":
            moments = (a / 4 + c / 3, a / 4 + c / 3, a / 2)
        else:
            moments = ((b + c) / 5, (a + c) / 5, (a + b) / 5)
        return self.mass * np.array(moments)

    @property
    def reach(self) -> float:
        """Greatest distance of its surface from its centre, m."""
        a, _, c = self.half_sizes
        if self.shape == "box":
            return a * math.sqrt(3)
        return math.hypot(a, c) if self.shape == "cylinder" else max(a, c)

    @property
    def wide(self) -> float:
        """Greatest distance from its upright axis, m."""
        return self.half_sizes[0] * (math.sqrt(2) if self.shape == "box" else 1.0)

    @property
    def tall(self) -> float:
        """Height of its centre when it stands upright on the ground, m."""
        return self.half_sizes[2]

    @property
    def bounds(self) -> Float64[np.ndarray, " 3"]:
        """Half sizes of an upright box of the scene that holds it however it is turned about its upright axis, m."""
        return np.array([self.wide, self.wide, self.tall])

    @property
    def reversed(self) -> "Body":
        """The same body with time running backwards."""
        (x, y, z), (a, b, c) = self.velocity, self.spin
        return replace(self, velocity=(-x, -y, -z), spin=(-a, -b, -c))
