"""Frames as data URLs: films as animated WebP, single frames as PNG."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

FILM_SIDE_PIXELS = 256
"""Films are enlarged by whole factors, pixel by pixel, up to about this side."""

MAX_FACTOR = 4
"""Largest enlargement of a film."""

LONGEST_FILM_SECONDS = 8.0
"""Longer films are shown faster, and say so."""

MAX_FILM_FRAMES = 240
"""Frames shown of one film; of longer ones, evenly spread."""

_LAST_FRAME_SECONDS = 1.2
_SHORTEST_FRAME_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Movie:
    """An animated picture for a page.

    Args:
        url: data:image/webp.
        still: data:image/png of its last frame, for readers who asked for no motion.
        side: Width and height in pixels.
        speed: How much faster than reality it runs.
    """

    url: str
    still: str
    side: tuple[int, int]
    speed: float


def png(frame: UInt8[Tensor, "3 h w"], factor: int = 1) -> str:
    """One frame as a data URL, enlarged pixel by pixel."""
    buffer = io.BytesIO()
    _image(frame, factor).save(buffer, "PNG", optimize=True)
    return _data_url("png", buffer.getvalue())


def movie(frames: UInt8[Tensor, "T 3 h w"], frame_seconds: float, factor: int | None = None) -> Movie:
    """Frames as a film that repeats, resting on its last frame.

    Args:
        frames: [T, 3, h, w].
        frame_seconds: Real time between frames.
        factor: Enlargement; by default up to about `FILM_SIDE_PIXELS`.
    """
    flat = enlargement(frames) > 1
    factor = enlargement(frames) if factor is None else factor
    picks = spread(len(frames), MAX_FILM_FRAMES)
    images = [_image(frames[index], factor) for index in picks]
    real = frame_seconds * len(frames) / len(images)
    shown = max(_SHORTEST_FRAME_SECONDS, min(real, LONGEST_FILM_SECONDS / len(images)))
    durations = [round(1000 * shown)] * (len(images) - 1) + [round(1000 * _LAST_FRAME_SECONDS)]
    buffer = io.BytesIO()
    # Drawn worlds compress better without loss than with it, and keep their edges; photographs do not.
    images[0].save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=images[1:],
        duration=durations,
        loop=0,
        lossless=flat,
        quality=60 if flat else 80,
        method=2,
    )
    return Movie(
        url=_data_url("webp", buffer.getvalue()),
        still=png(frames[-1], factor),
        side=images[0].size,
        speed=real / shown,
    )


def enlargement(frames: UInt8[Tensor, "T 3 h w"]) -> int:
    """The whole factor by which frames of this size are enlarged."""
    return int(max(1, min(MAX_FACTOR, FILM_SIDE_PIXELS // max(frames.shape[-2:]))))


def spread(count: int, most: int, always: Sequence[int] = ()) -> list[int]:
    """Up to `most` indices spread evenly over `count`, first and last among them, and those in `always`."""
    even = np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()
    return sorted({*even, *(index for index in always if 0 <= index < count)})


def _image(frame: UInt8[Tensor, "3 h w"], factor: int) -> Image.Image:
    array = frame.permute(1, 2, 0).contiguous().numpy()
    if factor > 1:
        array = array.repeat(factor, axis=0).repeat(factor, axis=1)
    return Image.fromarray(array, "RGB")


def _data_url(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
