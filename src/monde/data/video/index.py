"""Where the frames of a video are: one pass over its packets, without decoding more than one frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from monde.data.video.decoder import read_errors
from monde.errors import DataError
from monde.limits import MAX_EPISODE_STEPS, MAX_FRAME_SIDE_PIXELS

_RESTORE = "copy the file again from where it came, or encode it anew"


@dataclass(frozen=True, kw_only=True)
class VideoIndex:
    """Frames in the order in which they are shown.

    Args:
        pts: [N] presentation times in ticks, strictly increasing.
        keys: [N] whether a decoder can start there.
        tick_seconds: Duration of a tick.
        height: Stored height in pixels.
        width: Stored width in pixels.
        codec: FFmpeg's name of the codec.
        declared_fps: The rate that the file declares.
        quarter_turns: Turns by 90°, counter-clockwise, that bring a stored frame upright.
    """

    pts: Int64[np.ndarray, " N"]
    keys: Bool[np.ndarray, " N"]
    tick_seconds: float
    height: int
    width: int
    codec: str
    declared_fps: float
    quarter_turns: int

    def key_before(self, number: int) -> int:
        """The last frame up to `number` at which a decoder can start."""
        return int(np.flatnonzero(self.keys[: number + 1])[-1]) if self.keys[: number + 1].any() else 0

    def together(self, numbers: Int64[np.ndarray, " n"]) -> Iterator[Int64[np.ndarray, " m"]]:
        """Ascending numbers in groups without a key frame between them: each group is one stretch of decoding."""
        starts = np.array([self.key_before(int(number)) for number in numbers])
        yield from np.split(numbers, np.flatnonzero(np.diff(starts)) + 1)


def read_index(path: Path) -> VideoIndex:
    """Read the packets of the first picture track.

    Raises:
        DataError: Missing, empty, cut short, without a picture track, not a video, or of a size beyond the limits.
    """
    import av

    if not path.is_file():
        raise DataError(f"{path} does not exist" if not path.exists() else f"{path} is not a file", remedy=_RESTORE)
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty", got="0 bytes", expected="a video", remedy=_RESTORE)
    with read_errors(path), av.open(str(path)) as container:
        if not container.streams.video:
            kinds = sorted({stream.type for stream in container.streams})
            raise DataError(f"{path} has no picture track", got=", ".join(kinds) or "no track", expected="video")
        stream = container.streams.video[0]
        context = stream.codec_context
        if not 0 < context.width <= MAX_FRAME_SIDE_PIXELS or not 0 < context.height <= MAX_FRAME_SIDE_PIXELS:
            raise DataError(
                f"{path} has frames beyond the limits",
                got=f"{context.height}×{context.width}",
                expected=f"1 to {MAX_FRAME_SIDE_PIXELS} a side",
            )
        packets = [(p.pts, p.is_keyframe) for p in container.demux(stream) if p.pts is not None and p.size > 0]
        _check_count(path, len(packets), stream.frames)
        pts, keys = zip(*sorted(packets), strict=True)
        rate = stream.average_rate or stream.base_rate
        index = VideoIndex(
            pts=np.array(pts, dtype=np.int64),
            keys=np.array(keys, dtype=bool),
            tick_seconds=float(stream.time_base or 0),
            height=context.height,
            width=context.width,
            codec=context.name if context.codec is None else context.codec.canonical_name,
            declared_fps=float(rate) if rate else 1.0,
            quarter_turns=_quarter_turns(path),
        )
    if not index.tick_seconds > 0 or bool((np.diff(index.pts) <= 0).any()):
        raise DataError(
            f"{path} has frames without a time of their own", expected="presentation times that go up", remedy=_RESTORE
        )
    return index


def _check_count(path: Path, found: int, declared: int) -> None:
    if found == 0:
        raise DataError(f"{path} holds no frame", expected="at least one", remedy=_RESTORE)
    if found < declared:
        raise DataError(
            f"{path} is cut short", got=f"{found} frames", expected=f"{declared}, as its header says", remedy=_RESTORE
        )
    if found > MAX_EPISODE_STEPS:
        raise DataError(f"{path} is too long", got=f"{found} frames", expected=f"at most {MAX_EPISODE_STEPS}")


def _quarter_turns(path: Path) -> int:
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0]):
            turns, rest = divmod(round(frame.rotation), 90)
            if rest:
                raise DataError(
                    f"{path} is turned by an angle that is no quarter turn",
                    got=f"{frame.rotation}°",
                    expected="0, 90, 180 or 270°",
                    remedy="encode it anew with upright frames",
                )
            return turns % 4
    raise DataError(f"{path} holds no frame that can be decoded", remedy=_RESTORE)
