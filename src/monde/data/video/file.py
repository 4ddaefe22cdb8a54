"""`VideoFile`: exact frames of a video by number, through an index of its packets and a few open decoders."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from jaxtyping import Float64, Int64, Shaped, UInt8

from monde.data.video.decoder import Decoder, Decoders, read_errors
from monde.data.video.index import VideoIndex, read_index
from monde.errors import ContractError

if TYPE_CHECKING:
    from av import VideoFrame
else:
    VideoFrame = object

_THREADED_PIXELS = 160 * 160
"""Frames from this size on are decoded by several threads; for smaller ones handing over takes longer than decoding."""
_VARIABLE = 0.02
"""Frame durations that differ by more than this share of the usual one make a variable rate (clocks round)."""


@dataclass(frozen=True, repr=False)
class VideoFile:
    """A video on disk. Opening it reads its packets and one frame; frames are decoded when they are read.

    Reads are safe from several threads. Frames are RGB as FFmpeg converts them (`rgb24`), turned upright where the file
    says that the camera was turned.

    Args:
        path: The file.
        index: Where its frames are.
    """

    path: Path
    index: VideoIndex

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Read the index of a video.

        Raises:
            DataError: Missing, empty, cut short, without a picture track, or not a video at all.
        """
        return cls(Path(path), read_index(Path(path)))

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.index.pts)

    @property
    def height(self) -> int:
        """Of upright frames, in pixels."""
        return self.index.width if self.index.quarter_turns % 2 else self.index.height

    @property
    def width(self) -> int:
        """Of upright frames, in pixels."""
        return self.index.height if self.index.quarter_turns % 2 else self.index.width

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec ("h264", "hevc", "av1")."""
        return self.index.codec

    @property
    def times_seconds(self) -> Float64[np.ndarray, " N"]:
        """Time of each frame since the first, as the file states it."""
        return (self.index.pts - self.index.pts[0]) * self.index.tick_seconds

    @property
    def fps(self) -> float:
        """Frames a second: as measured over the whole file, or as declared where there is a single frame."""
        span = float(self.times_seconds[-1])
        return (self.frames - 1) / span if span > 0 else self.index.declared_fps

    @property
    def rotation_degrees(self) -> int:
        """By how much stored frames are turned, counter-clockwise, to stand upright."""
        return 90 * self.index.quarter_turns

    @property
    def variable_rate(self) -> bool:
        """Whether the time between frames varies by more than a container's clock rounds."""
        if self.frames < 3:
            return False
        gaps = np.diff(self.times_seconds)
        usual = float(np.median(gaps))
        return bool(np.abs(gaps - usual).max() > max(_VARIABLE * usual, 1.5 * self.index.tick_seconds))

    def read(self, start: int, stop: int) -> UInt8[np.ndarray, "T h w 3"]:
        """Frames `start` to `stop` (exclusive).

        Raises:
            ContractError: A range that the video does not have.
            DataError: A frame cannot be decoded; the error names it.
        """
        self._check(start, stop)
        result = np.empty((stop - start, self.height, self.width, 3), dtype=np.uint8)
        with self._decoder(start) as decoder:
            for number, frame in zip(range(start, stop), decoder.frames(start, stop), strict=True):
                result[number - start] = self._upright(decoder.rgb(frame))
        return result

    def read_at(self, indices: Sequence[int] | Int64[np.ndarray, " n"]) -> UInt8[np.ndarray, "n h w 3"]:
        """The frames of these numbers, in the order given; what lies close together is decoded in one go.

        Raises:
            ContractError: A number that the video does not have.
            DataError: A frame cannot be decoded.
        """
        wanted = np.asarray(indices, dtype=np.int64)
        if len(wanted) == 0:
            return np.empty((0, self.height, self.width, 3), dtype=np.uint8)
        self._check(int(wanted.min()), int(wanted.max()) + 1)
        result = np.empty((len(wanted), self.height, self.width, 3), dtype=np.uint8)
        for group in self.index.together(np.unique(wanted)):
            first, last = int(group[0]), int(group[-1])
            needed = set(group.tolist())
            with self._decoder(first) as decoder:
                for number, frame in zip(range(first, last + 1), decoder.frames(first, last + 1), strict=True):
                    if number in needed:
                        result[wanted == number] = self._upright(decoder.rgb(frame))
        return result

    def read_luma(self, start: int, stop: int) -> Shaped[np.ndarray, "T h w"]:
        """The first plane of frames `start` to `stop` (exclusive) as it is stored, uint8 or uint16: depth maps.

        Raises:
            ContractError: A range that the video does not have.
            DataError: A frame cannot be decoded, or the video stores colours otherwise.
        """
        self._check(start, stop)
        with self._decoder(start) as decoder:
            return np.stack([self._upright(decoder.luma(frame)) for frame in decoder.frames(start, stop)])

    def iterate(
        self, start: int = 0, stop: int | None = None, size: tuple[int, int] | None = None
    ) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """Frames in order, one at a time, by a decoder of several threads; for reading a whole film once.

        Args:
            start: First frame.
            stop: End, exclusive; the last if none.
            size: (h, w) to which frames are brought while their colours are converted, by area averaging.

        Raises:
            ContractError: A range that the video does not have.
            DataError: A frame cannot be decoded.
        """
        stop = self.frames if stop is None else stop
        self._check(start, stop)
        turned = self.index.quarter_turns % 2
        stored = (size[1], size[0]) if size and turned else size
        with read_errors(self.path):
            threads = 0 if self.height * self.width >= _THREADED_PIXELS else 1
            decoder = Decoder(self.path, self.index, threads=threads)
        with decoder:
            for frame in decoder.frames(start, stop):
                yield self._upright(decoder.rgb(frame, stored))

    def __repr__(self) -> str:
        return (
            f"VideoFile({str(self.path)!r}, {self.frames} frames {self.height}×{self.width} at {self.fps:.4g} Hz, "
            f"{self.codec})"
        )

    @contextmanager
    def _decoder(self, start: int) -> Iterator[Decoder]:
        decoder = DECODERS.take(self.path, self.index, start)
        try:
            yield decoder
        except BaseException:
            decoder.close()
            raise
        DECODERS.give(decoder)

    def _upright(self, frame: Shaped[np.ndarray, "h w *C"]) -> Shaped[np.ndarray, "h2 w2 *C"]:
        turns = self.index.quarter_turns
        return np.ascontiguousarray(np.rot90(frame, turns)) if turns else frame

    def _check(self, start: int, stop: int) -> None:
        if not 0 <= start < stop <= self.frames:
            raise ContractError(
                f"{self.path} has no frames {start}:{stop}", expected=f"0 ≤ start < stop ≤ {self.frames}"
            )


DECODERS = Decoders()
"""Open decoders of all videos, so that reads one after another go on where the last one ended."""
