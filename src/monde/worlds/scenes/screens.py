"""Screens that stand, rise and sink: boxes in pixels of the picture, frame by frame."""

import numpy as np
from jaxtyping import Float64

from monde.worlds.drawing import Colour
from monde.worlds.minimal_pairs.timing import RISE_FRAMES, SINK_FRAMES, Span
from monde.worlds.scenes.render import Panel

MARGIN_PIXELS = 1.5
"""How far a screen reaches beyond what it hides."""


def standing(box: Float64[np.ndarray, " 4"], frames: int, colour: Colour) -> Panel:
    """A screen that never moves."""
    return Panel(boxes=np.tile(box, (frames, 1)), colour=colour)


def rising(
    box: Float64[np.ndarray, " 4"], frames: int, up: Span, side_pixels: int, colour: Colour, from_above: bool = False
) -> Panel:
    """A screen that grows from the lower (or upper) edge of the picture to the far side of `box`, is whole during `up`,
    and withdraws again. If `up` ends with the film it stays.
    """
    t = np.arange(frames)
    rise = np.clip((t - (up.start - RISE_FRAMES)) / RISE_FRAMES, 0, 1)
    sink = np.clip((up.stop - 1 + SINK_FRAMES - t) / SINK_FRAMES, 0, 1) if up.stop < frames else np.ones(frames)
    share = np.minimum(rise, sink)
    boxes = np.tile(box, (frames, 1))
    if from_above:
        boxes[:, 1] = -1
        boxes[:, 3] = -1 + share * (box[3] + 1)
    else:
        boxes[:, 3] = side_pixels + 1
        boxes[:, 1] = side_pixels + 1 - share * (side_pixels + 1 - box[1])
    return Panel(boxes=boxes, colour=colour)


def around(
    places: Float64[np.ndarray, "n 2"], reach: float, margin: float = MARGIN_PIXELS
) -> Float64[np.ndarray, " 4"]:
    """The smallest box that hides objects of a given reach at all of these places."""
    return np.concatenate([places.min(axis=0) - reach - margin, places.max(axis=0) + reach + margin])
