"""Batches of RGB pictures seen in another light, by another camera, before another background.

Only exactly rounded operations and tables are used, so that a row's pixels do not depend on its place in the batch.
"""

import math

import numpy as np
from jaxtyping import Float32, UInt8

from monde.worlds.drawing import Colour
from monde.worlds.shifts import PixelShift

_NEAR = 60.0
"""Distance (levels, sum over channels) to the background's colour at which a pixel no longer belongs to it at all."""

Frames = UInt8[np.ndarray, "B 3 h w"]


def shift_pixels(
    frames: Frames,
    shift: PixelShift,
    backgrounds: UInt8[np.ndarray, "B 3"] | None = None,
    speckles: Float32[np.ndarray, "B 3 h w"] | None = None,
) -> Frames:
    """The pictures under a shift.

    Args:
        frames: Pictures.
        shift: What is done to them.
        backgrounds: Each row's background colour, where the shift replaces it (`commonest`).
        speckles: Each row's pattern, of unit spread, where the shift lays one over them.
    """
    if shift.background is not None and backgrounds is not None:
        frames = _recoloured(frames, backgrounds, shift.background)
    if shift.hue_degrees:
        frames = _turned(frames, shift.hue_degrees)
    if shift.zoom != 1 or any(shift.offset):
        frames = _viewed(frames, shift.zoom, shift.offset)
    if shift.speckle and speckles is not None:
        frames = _levels(frames.astype(np.float32) + np.float32(shift.speckle) * speckles)
    if shift.gamma != 1 or shift.gain != 1 or shift.gradient:
        frames = _lit(frames, shift)
    return frames


def commonest(frames: Frames) -> UInt8[np.ndarray, "B 3"]:
    """The colour that most pixels of each picture have."""
    found = np.empty((len(frames), 3), dtype=np.uint8)
    for row, frame in enumerate(frames):
        colours, counts = np.unique(frame.reshape(3, -1).T, axis=0, return_counts=True)
        found[row] = colours[counts.argmax()]
    return found


def _levels(values: Float32[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    return np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8)


def _recoloured(frames: Frames, backgrounds: UInt8[np.ndarray, "B 3"], colour: Colour) -> Frames:
    """Moved by what the background is moved by, each pixel in proportion to its nearness to it."""
    values = frames.astype(np.float32)
    old = backgrounds.astype(np.float32)[:, :, None, None]
    away = np.abs(values - old)
    nearness = np.clip(1 - (away[:, 0] + away[:, 1] + away[:, 2]) / np.float32(_NEAR), 0, 1)
    return _levels(values + nearness[:, None] * (np.array(colour, dtype=np.float32)[None, :, None, None] - old))


def _turned(frames: Frames, degrees: float) -> Frames:
    """A rotation about the grey axis, written as a circulant matrix."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    same = cosine + (1 - cosine) / 3
    one, two = (1 - cosine) / 3 - sine / math.sqrt(3), (1 - cosine) / 3 + sine / math.sqrt(3)
    r, g, b = (frames[:, channel].astype(np.float32) for channel in range(3))
    weights = [np.float32(weight) for weight in (same, one, two)]
    turned = [
        weights[0] * first + weights[1] * second + weights[2] * third
        for first, second, third in ((r, g, b), (g, b, r), (b, r, g))
    ]
    return _levels(np.stack(turned, axis=1))


def _viewed(frames: Frames, zoom: float, offset: tuple[float, float]) -> Frames:
    """Bilinear, edges repeated; one axis after the other."""
    across = _taps(frames.shape[-1], zoom, offset[0])
    down = _taps(frames.shape[-2], zoom, offset[1])
    values = frames.astype(np.float32)
    values = values[..., across[0]] * (1 - across[2]) + values[..., across[1]] * across[2]
    weight = down[2][:, None]
    return _levels(values[..., down[0], :] * (1 - weight) + values[..., down[1], :] * weight)


def _taps(side: int, zoom: float, offset: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each pixel the two that it is blended from, and the weight of the second."""
    place = (np.arange(side) + 0.5 - side / 2 - offset * side) / zoom + side / 2 - 0.5
    place = np.clip(place, 0, side - 1)
    first = np.floor(place).astype(np.int64)
    return first, np.minimum(first + 1, side - 1), (place - first).astype(np.float32)


def _lit(frames: Frames, shift: PixelShift) -> Frames:
    width = frames.shape[-1]
    light = shift.gain * (1 + shift.gradient * ((np.arange(width) + 0.5) / width - 0.5))
    curve = 255 * (np.arange(256) / 255) ** shift.gamma
    table = _levels((light[:, None] * curve).astype(np.float32))  # [w, 256]
    return table[np.arange(width), frames]
