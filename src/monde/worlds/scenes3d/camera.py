"""The camera: a pinhole that looks at a point of the scene."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from monde.worlds.scenes3d.bodies import Vector

FIELD_OF_VIEW_DEGREES = 35.5
"""At 10 m it sees 6.4 m: ten pixels a metre in a picture of 64."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Where the camera stands and what it looks at; the picture's upper edge is up.

    Args:
        position: m.
        target: m, in the middle of the picture.
        side_pixels: Side of the picture.
    """

    position: Vector
    target: Vector
    side_pixels: int = 64

    @property
    def focal_pixels(self) -> float:
        """Focal length, px."""
        return self.side_pixels / 2 / math.tan(math.radians(FIELD_OF_VIEW_DEGREES) / 2)

    @property
    def axes(self) -> Float64[np.ndarray, "3 3"]:
        """Rows: right, down, forwards, in the scene."""
        forwards = np.array(self.target) - np.array(self.position)
        forwards = forwards / np.linalg.norm(forwards)
        right = np.cross(forwards, (0.0, 0.0, 1.0))
        right = right / np.linalg.norm(right)
        return np.stack([right, np.cross(forwards, right), forwards])

    @property
    def intrinsics(self) -> Float64[np.ndarray, "3 3"]:
        """From camera coordinates (right, down, forwards) to pixels, homogeneous; a pixel's middle is at + 0.5."""
        middle, focal = self.side_pixels / 2, self.focal_pixels
        return np.array([[focal, 0.0, middle], [0.0, focal, middle], [0.0, 0.0, 1.0]])

    @property
    def extrinsics(self) -> Float64[np.ndarray, "4 4"]:
        """From the scene to camera coordinates, homogeneous."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.axes
        matrix[:3, 3] = -self.axes @ np.array(self.position)
        return matrix

    def places(self, scene: Float64[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n 2"]:
        """Where points of the scene are in the picture, px."""
        seen = (scene - np.array(self.position)) @ self.axes.T
        return self.side_pixels / 2 + self.focal_pixels * seen[..., :2] / seen[..., 2:]

    def depths(self, scene: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, " n"]:
        """Distance of points along the optical axis, m."""
        depths: Float64[np.ndarray, " n"] = (scene - np.array(self.position)) @ self.axes[2]
        return depths

    def onto(self, scene: Float64[np.ndarray, "*n 3"], y: float) -> Float64[np.ndarray, "*n 2"]:
        """x and z at which the line of sight to points of the scene meets the upright plane at `y`."""
        eye = np.array(self.position)
        share = (y - eye[1]) / (scene[..., 1] - eye[1])
        return (eye + share[..., None] * (scene - eye))[..., [0, 2]]


def looking_at(
    target: Vector, *, distance: float, elevation: float, azimuth: float = 0.0, side_pixels: int = 64
) -> Camera:
    """A camera `distance` m from what it looks at, by angles (rad) above the horizon and to the right."""
    flat = distance * math.cos(elevation)
    x, y, z = target
    position = (
        x + flat * math.sin(azimuth),
        y - flat * math.cos(azimuth),
        z + distance * math.sin(elevation),
    )
    return Camera(position=position, target=target, side_pixels=side_pixels)
