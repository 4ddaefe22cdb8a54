"""Anti-aliased drawing of boxes and discs into batches of small RGB frames. No loop over rows.

Coordinates are pixels: x to the right, y downwards, (0, 0) the upper left corner of the upper left pixel, whose centre
is (0.5, 0.5). Only exactly rounded operations are used, so a row's pixels do not depend on its place in the batch.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from monde.errors import ContractError

Colour = tuple[int, int, int]

FLOOR: Colour = (236, 236, 230)
WALL: Colour = (52, 66, 84)
AGENT: Colour = (214, 56, 48)


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a world appears in its pictures, apart from what it is: what visual shifts change.

    Args:
        floor: Colour of free space.
        wall: Colour of walls.
        agent: Colour of the agent.
        agent_scale: Drawn size of the agent, 1 as the world draws it; the body itself keeps its size.
        gain: Light: every pixel is multiplied by it, and cut off at 255.
        zoom: Magnification about the middle of the picture.
        offset: Shift of the view, in pixels to the right and downwards, after zooming.

    Raises:
        ContractError: Colours outside 0 to 255, sizes or a gain that are not positive and finite.
    """

    floor: Colour = FLOOR
    wall: Colour = WALL
    agent: Colour = AGENT
    agent_scale: float = 1.0
    gain: float = 1.0
    zoom: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        channels = (*self.floor, *self.wall, *self.agent)
        if len(channels) != 9 or not all(0 <= channel <= 255 for channel in channels):
            got = (self.floor, self.wall, self.agent)
            raise ContractError("Look has a colour that is none", got=got, expected="three numbers of 0 to 255 each")
        sizes = (self.agent_scale, self.gain, self.zoom)
        if not all(0 < size < math.inf for size in sizes) or not all(map(math.isfinite, self.offset)):
            raise ContractError("Look has a size that is none", got=self, expected="positive, finite numbers")

    def place(self, points: Float64[np.ndarray, "... 2"], side: int) -> Float64[np.ndarray, "... 2"]:
        """Where points of the plain picture (pixels) lie in this view of it."""
        return (points - side / 2) * self.zoom + (side / 2 + np.array(self.offset))

    def light(self, frames: UInt8[np.ndarray, "B 3 h w"]) -> UInt8[np.ndarray, "B 3 h w"]:
        """The frames at this gain."""
        if self.gain == 1.0:
            return frames
        levels = np.minimum(np.arange(256) * self.gain + 0.5, 255).astype(np.uint8)
        return levels[frames]


PLAIN = Look()
"""The look that worlds are recorded with."""


def blank(batch: int, side: int, colour: Colour = FLOOR) -> UInt8[np.ndarray, "B 3 h w"]:
    """Frames of one colour."""
    return np.tile(np.array(colour, dtype=np.uint8)[None, :, None, None], (batch, 1, side, side))


def paint_boxes(
    frames: UInt8[np.ndarray, "B 3 h w"], boxes: Float64[np.ndarray, "B K 4"], colour: Colour
) -> UInt8[np.ndarray, "B 3 h w"]:
    """The frames with axis-aligned boxes (x0, y0, x1, y1) of one colour; each pixel by the area that they cover.

    Boxes must not overlap where they share a pixel only in part; empty boxes draw nothing.
    """
    height, width = frames.shape[-2:]
    across = _covered(boxes[..., 0], boxes[..., 2], width)
    down = _covered(boxes[..., 1], boxes[..., 3], height)
    alpha = np.minimum((down[..., :, None] * across[..., None, :]).sum(axis=1), 1.0).astype(np.float32)
    return _blend(frames, alpha, colour)


def paint_discs(
    frames: UInt8[np.ndarray, "B 3 h w"], centres: Float64[np.ndarray, "B 2"], radius: float, colour: Colour
) -> UInt8[np.ndarray, "B 3 h w"]:
    """The frames with one disc each. Its edge falls off over one pixel: shifts well below a pixel are visible."""
    height, width = frames.shape[-2:]
    n = min(2 * math.ceil(radius + 1), height, width)
    # Only the n × n pixels around each centre change: the rest is a plain copy.
    corner = np.clip(np.floor(centres + 0.5).astype(np.int64) - n // 2, 0, [width - n, height - n])
    columns = corner[:, :1] + np.arange(n)
    lines = corner[:, 1:] + np.arange(n)
    dx = (columns + 0.5 - centres[:, :1]).astype(np.float32)
    dy = (lines + 0.5 - centres[:, 1:]).astype(np.float32)
    distance = np.sqrt(dy[:, :, None] ** 2 + dx[:, None, :] ** 2)
    alpha = np.clip(np.float32(radius + 0.5) - distance, 0, 1)
    painted = frames.copy()
    rows = np.arange(len(frames))[:, None, None, None]
    place = (rows, np.arange(3)[None, :, None, None], lines[:, None, :, None], columns[:, None, None, :])
    painted[place] = _blend(frames[place], alpha, colour)
    return painted


def _covered(low: Float64[np.ndarray, "B K"], high: Float64[np.ndarray, "B K"], n: int) -> Float64[np.ndarray, "B K n"]:
    """The fraction of each of n unit cells that the interval [low, high] covers."""
    cells = np.arange(n)
    return np.clip(np.minimum(high[..., None], cells + 1) - np.maximum(low[..., None], cells), 0, 1)


def _blend(
    frames: UInt8[np.ndarray, "B 3 h w"], alpha: Float32[np.ndarray, "B h w"], colour: Colour
) -> UInt8[np.ndarray, "B 3 h w"]:
    below = frames.astype(np.float32)
    above = np.array(colour, dtype=np.float32)[None, :, None, None]
    return (below + alpha[:, None] * (above - below) + np.float32(0.5)).astype(np.uint8)
