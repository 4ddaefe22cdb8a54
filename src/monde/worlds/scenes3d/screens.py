"""Screens that stand, rise out of the floor and sink into it again, or come down and go up: upright panels that face
the front, as wide and high as what they hide looks from the camera.
"""

import itertools

import numpy as np
from jaxtyping import Float64

from monde.worlds.minimal_pairs.timing import RISE_FRAMES, SINK_FRAMES, Span
from monde.worlds.scenes3d.camera import Camera
from monde.worlds.scenes3d.render import Screen

MARGIN_METRES = 0.15
"""How far a screen reaches beyond what it hides."""

THICK_METRES = 0.08

_CEILING_METRES = 7.0
"""A panel whose lower edge is so high is above the picture."""

_CORNERS = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))


def shade(
    camera: Camera, middles: Float64[np.ndarray, "n 3"], half: Float64[np.ndarray, " 3"], y: float
) -> Float64[np.ndarray, " 4"]:
    """x0, z0, x1, z1 of the rectangle in the upright plane at `y` that hides boxes of these half sizes anywhere."""
    corners = (middles[:, None] + _CORNERS * half).reshape(-1, 3)
    seen = camera.onto(corners, y)
    return np.concatenate([seen.min(axis=0), seen.max(axis=0)])


def shares(frames: int, up: Span) -> Float64[np.ndarray, " T"]:
    """[T] how far a screen is up: wholly during `up`. If `up` ends with the film it stays."""
    t = np.arange(frames)
    rise = np.clip((t - (up.start - RISE_FRAMES)) / RISE_FRAMES, 0, 1)
    sink = np.clip((up.stop - 1 + SINK_FRAMES - t) / SINK_FRAMES, 0, 1) if up.stop < frames else np.ones(frames)
    return np.minimum(rise, sink)


def panel(
    rectangle: Float64[np.ndarray, " 4"], y: float, share: Float64[np.ndarray, " T"], *, from_above: bool = False
) -> Screen:
    """A panel that stands on the floor up to the upper edge of `rectangle` where `share` is 1, and is not to be seen
    where it is 0.
    """
    x0, _, x1, top = (float(edge) for edge in rectangle + np.array([-1, 0, 1, 1]) * MARGIN_METRES)
    half = ((x1 - x0) / 2, THICK_METRES / 2, top / 2)
    moved = (1 - share) * (_CEILING_METRES if from_above else -(top + 0.01))
    middles = np.stack([np.full(len(share), (x0 + x1) / 2), np.full(len(share), y), top / 2 + moved], axis=1)
    return Screen(middles=middles, half=half)
