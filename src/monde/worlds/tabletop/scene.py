"""What differs from episode to episode: how high the tray lies, what lies on it, where the camera stands.

Nothing in a single picture tells how far away things are: trays differ in height and size, objects in size, and there
are no shadows.
"""

import colorsys
import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64

from monde.types import Intrinsics
from monde.worlds.drawing import Colour
from monde.worlds.scenes3d.camera import looking_at

Shape = Literal["box", "cylinder", "ellipsoid"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

FIELD_OF_VIEW_DEGREES = 34.0

TRAY_METRES = (0.0, 0.12)
"""Heights of the tray's top."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One episode's surroundings; metres, in the table's frame (x right, y away from the camera, z upwards).

    Args:
        tray_height: Of its top.
        tray_half: Half its sides.
        tray: Its colour.
        shape: Of the object.
        half: Half its sides, or half its axes; of a cylinder both radii are equal.
        colour: Of the object.
        rig: Pose of the camera: (x, y, z, qx, qy, qz, qw), looking along its z, x to the right, y downwards.
        light: Direction in which the light shines.
    """

    tray_height: float
    tray_half: tuple[float, float]
    tray: Colour
    shape: Shape
    half: tuple[float, float, float]
    colour: Colour
    rig: tuple[float, ...]
    light: tuple[float, float, float]

    @property
    def rests_at(self) -> float:
        """Height of the object's middle where it rests."""
        return self.tray_height + self.half[2]


def draw_scene(random: np.random.Generator) -> Scene:
    """A scene, of this generator alone."""
    shape: Shape = SHAPES[int(random.integers(len(SHAPES)))]
    width = float(random.uniform(0.028, 0.048))
    depth = width if shape == "cylinder" else float(width * random.uniform(0.75, 1.25))
    height = float(random.uniform(0.018, 0.04))
    if shape == "ellipsoid":  # flat ones: others roll off the table
        height = min(height, 0.6 * min(width, depth))
    grey = random.uniform(110, 215)
    return Scene(
        tray_height=float(random.uniform(*TRAY_METRES)),
        tray_half=(float(random.uniform(0.23, 0.30)), float(random.uniform(0.23, 0.30))),
        tray=_bytes(grey + random.uniform(-15, 15, size=3)),
        shape=shape,
        half=(width, depth, height),
        colour=_bytes(255 * np.array(colorsys.hsv_to_rgb(random.uniform(), random.uniform(0.6, 1), 0.9))),
        rig=tuple(_rig(random).tolist()),
        light=(float(random.uniform(-0.5, 0.5)), float(random.uniform(-0.2, 0.8)), -1.0),
    )


def intrinsics(side_pixels: int) -> Intrinsics:
    """The camera's, for square frames of a size."""
    focal = side_pixels / 2 / math.tan(math.radians(FIELD_OF_VIEW_DEGREES) / 2)
    middle = (side_pixels - 1) / 2
    return Intrinsics(width=side_pixels, height=side_pixels, fx=focal, fy=focal, cx=middle, cy=middle)


def _rig(random: np.random.Generator) -> Float64[np.ndarray, " 7"]:
    aim = random.uniform((-0.02, -0.02, 0.04), (0.02, 0.02, 0.08)).tolist()
    elevation, azimuth = math.radians(random.uniform(48, 60)), math.radians(random.uniform(-10, 10))
    distance = float(random.uniform(0.72, 0.82))
    camera = looking_at((aim[0], aim[1], aim[2]), distance=distance, elevation=elevation, azimuth=azimuth)
    return np.concatenate([camera.position, quaternion(camera.axes.T)])


def quaternion(matrix: Float64[np.ndarray, "3 3"]) -> Float64[np.ndarray, " 4"]:
    """(x, y, z, w) of a rotation matrix, by the largest of its four components (Shepperd 1978)."""
    m, trace = matrix, float(np.trace(matrix))
    parts = np.array([m[0, 0], m[1, 1], m[2, 2], trace])
    i = int(parts.argmax())
    if i == 3:
        found = np.array([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], 1 + trace])
    else:
        j, k = (i + 1) % 3, (i + 2) % 3
        found = np.empty(4)
        found[i], found[3] = 1 - trace + 2 * m[i, i], m[k, j] - m[j, k]
        found[j], found[k] = m[j, i] + m[i, j], m[k, i] + m[i, k]
    return found / np.linalg.norm(found) * (-1.0 if found[3] < 0 else 1.0)


def _bytes(colour: Float64[np.ndarray, " 3"]) -> Colour:
    r, g, b = np.clip(np.round(colour), 0, 255).astype(int).tolist()
    return r, g, b
