"""Anti-aliased drawing of capsules and turned boxes into batches of small RGB frames. No loop over rows.

Coordinates as in `monde.worlds.drawing`: pixels, x to the right, y downwards, the centre of the upper left pixel at
(0.5, 0.5). Only exactly rounded operations are used, so a row's pixels do not depend on its place in the batch.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from monde.worlds.drawing import Colour


def paint_capsules(
    frames: UInt8[np.ndarray, "B 3 h w"],
    starts: Float64[np.ndarray, "B 2"],
    ends: Float64[np.ndarray, "B 2"],
    radius: float,
    colour: Colour,
) -> UInt8[np.ndarray, "B 3 h w"]:
    """The frames with one capsule each: all that lies within `radius` of the segment from start to end."""
    along = ends - starts
    longest = math.sqrt(float((along[:, 0] ** 2 + along[:, 1] ** 2).max()))
    patch = _Patch.around(frames, (starts + ends) / 2, longest / 2 + radius)
    x, y = patch.seen_from(starts)
    ax, ay = (along[:, axis].astype(np.float32)[:, None, None] for axis in (0, 1))
    share = np.clip((x * ax + y * ay) / np.maximum(ax * ax + ay * ay, np.float32(1e-12)), 0, 1)
    dx, dy = x - share * ax, y - share * ay
    return patch.painted(frames, np.clip(np.float32(radius + 0.5) - np.sqrt(dx * dx + dy * dy), 0, 1), colour)


def paint_bodies(
    frames: UInt8[np.ndarray, "B 3 h w"],
    origins: Float64[np.ndarray, "B 2"],
    turns: Float64[np.ndarray, "B 2"],
    boxes: Float64[np.ndarray, "K 4"],
    colour: Colour,
) -> UInt8[np.ndarray, "B 3 h w"]:
    """The frames with one rigid body each, made of K boxes that do not overlap.

    Args:
        frames: What lies below.
        origins: Where the bodies' own origins are.
        turns: (cos, sin) of the bodies' angles, from x towards y.
        boxes: (x0, y0, x1, y1) in the body's own coordinates, in pixels.
        colour: Of the bodies.
    """
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    middle = (low + high) / 2
    cos, sin = turns[:, :1], turns[:, 1:]
    centres = origins + np.concatenate([cos * middle[0] - sin * middle[1], sin * middle[0] + cos * middle[1]], axis=1)
    patch = _Patch.around(frames, centres, math.dist(low, high) / 2)
    x, y = patch.seen_from(origins)
    c, s = cos.astype(np.float32)[:, None], sin.astype(np.float32)[:, None]
    across, down = c * x + s * y, c * y - s * x
    covered = np.zeros_like(across)
    for x0, y0, x1, y1 in boxes.astype(np.float32):
        wide = np.clip(np.minimum(across - x0, x1 - across) + np.float32(0.5), 0, 1)
        covered += wide * np.clip(np.minimum(down - y0, y1 - down) + np.float32(0.5), 0, 1)
    return patch.painted(frames, np.minimum(covered, 1), colour)


@dataclass(frozen=True)
class _Patch:
    """Squares of n × n pixels, one a frame: only they change, the rest is a plain copy.

    Args:
        columns: [B, n] of the squares.
        lines: [B, n] of the squares.
    """

    columns: Int64[np.ndarray, "B n"]
    lines: Int64[np.ndarray, "B m"]

    @classmethod
    def around(
        cls, frames: UInt8[np.ndarray, "B 3 h w"], centres: Float64[np.ndarray, "B 2"], reach: float
    ) -> "_Patch":
        """Those that hold all within `reach` of the centres, and an edge of a pixel; at most the whole frame."""
        height, width = frames.shape[-2:]
        # A size that does not depend on what else is in the batch would be larger; pixels beyond the shape stay equal.
        n, m = (min(2 * math.ceil(reach + 2), side) for side in (width, height))
        corner = np.clip(
            np.floor(centres + 0.5).astype(np.int64) - np.array([n // 2, m // 2]), 0, [width - n, height - m]
        )
        return cls(corner[:, :1] + np.arange(n), corner[:, 1:] + np.arange(m))

    def seen_from(
        self, places: Float64[np.ndarray, "B 2"]
    ) -> tuple[Float32[np.ndarray, "B 1 n"], Float32[np.ndarray, "B m 1"]]:
        """x and y of the pixels' centres as seen from a place of their row."""
        x = (self.columns + 0.5 - places[:, :1]).astype(np.float32)
        y = (self.lines + 0.5 - places[:, 1:]).astype(np.float32)
        return x[:, None, :], y[:, :, None]

    def painted(
        self, frames: UInt8[np.ndarray, "B 3 h w"], alpha: Float32[np.ndarray, "B m n"], colour: Colour
    ) -> UInt8[np.ndarray, "B 3 h w"]:
        """The frames with a colour laid over the squares, by the share `alpha` of each pixel."""
        painted = frames.copy()
        rows, channels = np.arange(len(frames))[:, None, None, None], np.arange(3)[None, :, None, None]
        place = (rows, channels, self.lines[:, None, :, None], self.columns[:, None, None, :])
        below = frames[place].astype(np.float32)
        above = np.array(colour, dtype=np.float32)[None, :, None, None]
        painted[place] = (below + alpha[:, None] * (above - below) + np.float32(0.5)).astype(np.uint8)
        return painted
