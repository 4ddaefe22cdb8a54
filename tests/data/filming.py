"""Small real films for tests."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np


def numbered(count: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Grey frames [T, h, w, 3]; the level tells the number: 20 + 5 k."""
    levels = (20 + 5 * np.arange(count) % 230).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, height, width, 3))


def numbers_of(frames: np.ndarray) -> list[int]:
    """The numbers that `numbered` frames [T, h, w, 3] tell. FFmpeg's conversions lose up to a level each, hence 18."""
    return [round((float(frame.mean()) - 18) / 5) for frame in frames]


def write_film(
    path: Path,
    frames: np.ndarray,
    rate: float = 10.0,
    codec: str = "libx264",
    gop: int = 12,
    times_ms: Sequence[int] | None = None,
) -> Path:
    """Encode frames [T, h, w, 3]; `times_ms` are the frames' own times, for films of variable rate."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=Fraction(rate).limit_denominator(1000))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = gop
        stream.bit_rate = 4_000_000
        if times_ms is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            if times_ms is None:
                frame.pts = index
                frame.time_base = 1 / Fraction(rate).limit_denominator(1000)
            else:
                frame.pts, frame.time_base = times_ms[index], Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """A second of silence: a film without pictures."""
    import av

    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=16_000)
        for start in range(0, 16_000, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16_000, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path
