"""Open decoders: where each stands, and a bounded pool of them."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from jaxtyping import Shaped, UInt8

from monde.errors import DataError
from monde.limits import MAX_OPEN_VIDEOS

if TYPE_CHECKING:
    from av import VideoFrame

    from monde.data.video.index import VideoIndex
else:
    VideoFrame = VideoIndex = object

_RESTORE = "copy the file again from where it came, or encode it anew"


def damaged(path: Path, error: object, frame: int | None = None) -> DataError:
    """The error for a video that FFmpeg cannot read."""
    where = f"{path} cannot be read as a video" if frame is None else f"frame {frame} of {path} cannot be decoded"
    return DataError(where, got=error, expected="a whole video file", remedy=_RESTORE)


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Turn FFmpeg's errors into ours.

    Raises:
        DataError: Naming the file.
    """
    import av

    try:
        yield
    except (av.FFmpegError, OSError, ValueError) as error:
        raise damaged(path, error) from error


class Decoder:
    """One open file, standing before frame `next`.

    Args:
        path: The file.
        index: Where its frames are.
        threads: Of the decoder; 0 lets FFmpeg choose, which suits long stretches and costs latency on short ones.
    """

    def __init__(self, path: Path, index: VideoIndex, threads: int = 1) -> None:
        import av
        from av.video.reformatter import VideoReformatter

        self.path, self.index, self.next = path, index, 0
        self._reformatter = VideoReformatter()
        self._container = av.open(str(path))
        self._stream = self._container.streams.video[0]
        self._stream.codec_context.thread_count = threads
        self._stream.thread_type = "AUTO" if threads != 1 else "SLICE"
        self._frames = self._container.decode(self._stream)

    def reaches(self, start: int) -> bool:
        """Whether decoding on from here is no detour on the way to frame `start`."""
        return self.index.key_before(start) <= self.next <= start

    def frames(self, start: int, stop: int) -> Iterator[VideoFrame]:
        """Frames `start` to `stop` (exclusive), each checked by its time.

        Raises:
            DataError: A frame cannot be decoded, or is not there.
        """
        import av

        if not self.reaches(start):
            self._seek(start)
        number = start
        try:
            while number < stop:
                frame = next(self._frames, None)
                if frame is None:
                    raise damaged(self.path, "the file ends before it", number)
                if frame.pts is None or frame.pts < self.index.pts[number]:
                    continue
                if frame.pts > self.index.pts[number]:
                    raise damaged(self.path, "it is left out by the decoder", number)
                number += 1
                self.next = number
                yield frame
        except (av.FFmpegError, OSError) as error:
            raise damaged(self.path, error, number) from error

    def rgb(self, frame: VideoFrame, size: tuple[int, int] | None = None) -> UInt8[np.ndarray, "h w 3"]:
        """A frame in RGB, as `frame.to_ndarray(format="rgb24")` gives it, or at `size` = (h, w) by area averaging.

        One converter for all frames, of one thread: PyAV's own way makes one with threads for each frame, which takes
        longer than a small frame takes to decode.
        """
        height, width = size or (None, None)
        converted = self._reformatter.reformat(
            frame, width=width, height=height, format="rgb24", interpolation="AREA" if size else None, threads=1
        )
        return converted.to_ndarray()

    def luma(self, frame: VideoFrame) -> Shaped[np.ndarray, "h w"]:
        """The numbers of a frame's first plane as they are stored, uint8 or uint16: the brightness, or a depth map.

        Raises:
            DataError: Colours that are not stored as brightness, or numbers of another form.
        """
        form = frame.format
        bits = form.components[0].bits
        if form.is_rgb or form.has_palette or form.is_big_endian or not 8 <= bits <= 16 or "f16" in form.name:
            raise DataError(
                f"{self.path} holds no plane of brightness or depth",
                got=f"pixel format {form.name}",
                expected="gray, gray10le, gray12le, gray16le or a planar YUV format",
            )
        plane, kind = frame.planes[0], np.dtype(np.uint8) if bits == 8 else np.dtype("<u2")
        rows = np.frombuffer(bytes(plane), kind).reshape(plane.height, plane.line_size // kind.itemsize)
        return np.ascontiguousarray(rows[:, : plane.width])

    def _seek(self, start: int) -> None:
        with read_errors(self.path):
            self._container.seek(int(self.index.pts[self.index.key_before(start)]), stream=self._stream, backward=True)
        self._frames = self._container.decode(self._stream)
        self.next = start

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):
            self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Decoders:
    """At most `MAX_OPEN_VIDEOS` decoders that nobody uses, the one used longest ago given up first."""

    def __init__(self) -> None:
        self._idle: deque[Decoder] = deque()
        self._lock = threading.Lock()

    def take(self, path: Path, index: VideoIndex, start: int) -> Decoder:
        """A decoder of this file, one that stands before `start` if there is one.

        Raises:
            DataError: The file cannot be opened.
        """
        with self._lock:
            mine = [decoder for decoder in self._idle if decoder.index is index]
            found = next((decoder for decoder in mine if decoder.reaches(start)), None)
            # One that stands elsewhere may be on its way in another thread's stretch: it is left to that, if another
            # can be opened beside it.
            if found is None and len(mine) >= MAX_OPEN_VIDEOS // 4:
                found = mine[0]
            if found is not None:
                self._idle.remove(found)
                return found
        with read_errors(path):
            return Decoder(path, index)

    def give(self, decoder: Decoder) -> None:
        """Hand a decoder back, to be used again."""
        with self._lock:
            self._idle.append(decoder)
            extra = self._idle.popleft() if len(self._idle) > MAX_OPEN_VIDEOS else None
        if extra is not None:
            extra.close()
