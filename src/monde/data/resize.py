"""Resizing of camera frames and depth: one way everywhere, so that a model plans on what it was trained on."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Shaped

from monde.types import Sensor
from monde.types.geometry import Intrinsics


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


def resize_depth(frames: Float32[np.ndarray, "n h w 1"], size: tuple[int, int]) -> Float32[np.ndarray, "n h2 w2 1"]:
    """Depth maps at `size` = (height, width): 0 stays what was not measured, and is never averaged with distances.

    Shrinking takes the mean over the measured part of each area, where at least half of it was measured; enlarging
    takes the nearest pixel.
    """
    height, width = size
    if frames.shape[1:3] == (height, width):
        return frames
    if height > frames.shape[1] or width > frames.shape[2]:
        rows = (np.arange(height) + 0.5) * frames.shape[1] / height
        columns = (np.arange(width) + 0.5) * frames.shape[2] / width
        return frames[:, rows.astype(int)][:, :, columns.astype(int)]
    measured = (frames > 0).astype(np.float32)
    share, total = resize_frames(measured, size), resize_frames(frames, size)
    enough = share >= 0.5
    return np.where(enough, total / np.where(enough, share, 1), 0).astype(np.float32)


def resized(sensor: Sensor, size: tuple[int, int]) -> Sensor:
    """A camera (colours or depth) whose frames are shown at another size; other sensors stay as they are."""
    if not sensor.picture or sensor.shape[1:] == size:
        return sensor
    camera = sensor.geometry
    seen = camera.resized(*size) if isinstance(camera, Intrinsics) else None
    return replace(sensor, shape=(sensor.shape[0], *size), geometry=seen)


def resize_pictures(
    sensor: Sensor, frames: Shaped[np.ndarray, "n h w C"], size: tuple[int, int]
) -> Shaped[np.ndarray, "n h2 w2 C"]:
    """Frames of a camera or depth maps, each as it is resized."""
    return resize_depth(frames, size) if sensor.kind == "depth" else resize_frames(frames, size)


def thinned(sensor: Sensor, points: int | None) -> Sensor:
    """A cloud of at most so many points; other sensors stay as they are."""
    if sensor.kind != "points" or points is None or sensor.shape[0] <= points:
        return sensor
    return replace(sensor, shape=(points, *sensor.shape[1:]))
