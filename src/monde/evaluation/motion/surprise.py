"""Surprise of a seen point: how far it is from where it was expected, in units of the error that was expected.

A frame surprises only if all of the next few contradict what was believed before it: one wrong point, of which
recordings have many, comes back to where it was expected, and does not.
"""

import numpy as np
import torch
from jaxtyping import Float64

from monde.models.points import PointModel

PERSISTENT_FRAMES = 5
"""Frames that must all contradict."""
BATCH = 4096


@torch.no_grad()
def surprise(model: PointModel, points: Float64[np.ndarray, "t 3"]) -> Float64[np.ndarray, " t"]:
    """One number a frame [t], higher where less expected; NaN in the first window and the last few frames.

    At frame f: from what was seen up to f - 1, where the point is imagined at f, f + 1, …; the smallest of these
    errors, each over the error that the model expects so far ahead.
    """
    W, H = model.config.window, PERSISTENT_FRAMES
    told = np.full(len(points), np.nan)
    if len(points) < W + H:
        return told
    cut = torch.from_numpy(np.lib.stride_tricks.sliding_window_view(points, W + H, axis=0).copy()).transpose(1, 2)
    origin = cut[:, W - 1 : W] * cut.new_tensor([1.0, 1.0, 0.0])
    for start in range(0, len(cut), BATCH):
        part = (cut - origin)[start : start + BATCH].float()
        belief = model.begin(part[:, :W])
        off = part[:, W:] - model.imagine(belief, H)
        scale = model.expected_error(belief)[:, [model.config.horizons.index(h) for h in range(1, H + 1)]]
        squared = off[..., :2].square().sum(-1) / scale[..., 0].square() + off[..., 2].square() / scale[..., 1].square()
        told[W + start : W + start + len(part)] = squared.sqrt().min(1).values.double().numpy()
    return told


def alarms(told: Float64[np.ndarray, " t"], threshold: float, apart: int) -> tuple[int, ...]:
    """Frames whose surprise exceeds the threshold; those within `apart` frames of one another are one alarm."""
    found: list[int] = []
    last = -apart - 1
    for frame in np.flatnonzero(np.nan_to_num(told) > threshold):
        if frame - last > apart:
            found.append(int(frame))
        last = int(frame)
    return tuple(found)
