"""Resizing of camera frames: one way everywhere, so that a model plans on what it was trained on."""

import numpy as np
from jaxtyping import Shaped


def resize_frames(frames: Shaped[np.ndarray, "n h w C"], size: tuple[int, int]) -> Shaped[np.ndarray, "n h2 w2 C"]:
    """Frames (uint8 colours, or float32 planes such as depth) at `size` = (height, width).

    Area averaging when shrinking (no aliasing), bilinear when enlarging; the whole picture, its aspect ratio not kept.
    Frames that have the size already are returned as they are.
    """
    height, width = size
    if frames.shape[1:3] == (height, width):
        return frames
    from PIL import Image

    shrinks = height <= frames.shape[1] and width <= frames.shape[2]
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    result = np.empty((len(frames), height, width, frames.shape[3]), dtype=frames.dtype)
    colours = frames.dtype == np.uint8 and frames.shape[3] == 3
    for index, frame in enumerate(frames):
        # Pillow knows pictures of three bytes, and planes of one number.
        parts = [frame] if colours else np.moveaxis(frame, -1, 0)
        done = [
            np.asarray(Image.fromarray(np.ascontiguousarray(part)).resize((width, height), method)) for part in parts
        ]
        result[index] = done[0] if colours else np.stack(done, axis=-1)
    return result
