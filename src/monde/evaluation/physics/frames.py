"""Where the frames of a film come from: a video file, numbered pictures, an array; all as RGB [h, w, 3], with times."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, UInt8

from monde.data.video import VideoFile
from monde.errors import DataError, MondeError, UsageError
from monde.limits import MAX_EPISODE_STEPS, MAX_FRAME_SIDE_PIXELS

PICTURES = frozenset({".png", ".jpg", ".jpeg"})
_NUMBER = re.compile(r"(\d+)$")
_MODES = {
    "RGB": "",
    "L": "grey frames shown in three equal channels",
    "1": "black and white frames shown in three equal channels",
    "P": "colours of a palette converted to RGB",
    "LA": "grey frames shown in three equal channels; how transparent they are is left out",
    "RGBA": "RGBA converted to RGB: how transparent it is is left out",
}
_CHANNELS = {1: _MODES["L"], 3: "", 4: _MODES["RGBA"]}


@runtime_checkable
class Source(Protocol):
    """A film as it is stored."""

    @property
    def count(self) -> int:
        """Frames."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) in pixels."""
        ...

    @property
    def rate_hz(self) -> float:
        """Frames a second, as stated."""
        ...

    @property
    def times_seconds(self) -> Float64[np.ndarray, " N"]:
        """[N] since the first frame."""
        ...

    @property
    def told(self) -> tuple[str, ...]:
        """What is done to its colours."""
        ...

    def frames(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """All, in order."""
        ...


class VideoFrames:
    """A video file, with the times that its frames carry unless a rate is given.

    Args:
        video: It.
        rate_hz: In the place of its times.
    """

    def __init__(self, video: VideoFile, rate_hz: float | None) -> None:
        self._video = video
        self.count, self.size = video.frames, (video.height, video.width)
        self.rate_hz = rate_hz or video.fps
        self.times_seconds = np.arange(video.frames) / rate_hz if rate_hz else video.times_seconds
        kept = _pixel_format(video.path)
        told = [_MODES["L"]] if kept.startswith("gray") else []
        told += [_MODES["RGBA"]] if any(name in kept for name in ("rgba", "bgra", "argb", "yuva", "gbrap")) else []
        self.told = tuple(told)

    def frames(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """All, in order."""
        yield from self._video.iterate()


class FolderFrames:
    """Pictures in a folder, by the number at the end of their names; a number that is left out is a frame that is
    missing. Names without numbers go by their order.

    Args:
        folder: Where they are.
        rate_hz: Frames a second.

    Raises:
        DataError: No pictures, two of one number, or a first one that cannot be read.
        UsageError: No rate.
    """

    def __init__(self, folder: Path, rate_hz: float | None) -> None:
        self._paths, numbers = _numbered(folder)
        self.rate_hz = _stated(folder, rate_hz)
        self.count = len(self._paths)
        first, mode = _picture(self._paths[0])
        self.size = (first.shape[0], first.shape[1])
        self.times_seconds = (numbers - numbers[0]) / self.rate_hz
        self.told = (_MODES[mode],) if _MODES[mode] else ()

    def frames(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """All, in order.

        Raises:
            DataError: One cannot be read, or has another size than the first.
        """
        for path in self._paths:
            frame, _ = _picture(path)
            if frame.shape[:2] != self.size:
                raise DataError(
                    f"{path} has another size than the frames before it",
                    got=f"{frame.shape[0]}×{frame.shape[1]}",
                    expected=f"{self.size[0]}×{self.size[1]}",
                    remedy="leave it out, or bring all frames to one size",
                )
            yield frame


class ArrayFrames:
    """An array in an .npy file: uint8, channels first or last, grey, RGB or RGBA.

    Args:
        path: The file.
        rate_hz: Frames a second.

    Raises:
        DataError: Not an array, of another number format or shape, or beyond the limits.
        UsageError: No rate.
    """

    def __init__(self, path: Path, rate_hz: float | None) -> None:
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(
                f"{path} cannot be read as an array", got=error, remedy="write it with numpy.save"
            ) from error
        self._array, channels = _as_frames(path, array)
        self.rate_hz = _stated(path, rate_hz)
        self.count = len(self._array)
        self.size = (int(self._array.shape[1]), int(self._array.shape[2]))
        self.times_seconds = np.arange(self.count) / self.rate_hz
        self.told = (_CHANNELS[channels],) if _CHANNELS[channels] else ()

    def frames(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """All, in order."""
        for frame in self._array:
            rgb = np.repeat(frame, 3, axis=2) if frame.shape[2] == 1 else frame[..., :3]
            yield np.ascontiguousarray(rgb)


class LaterFrames:
    """A film from one of its frames on.

    Args:
        source: The film.
        first: Frames that are left out before.

    Raises:
        DataError: It has no frame after them.
    """

    def __init__(self, source: Source, first: int) -> None:
        if source.count <= first:
            raise DataError(
                "a film ends before what is judged begins", got=f"{source.count} frames", expected=f"more than {first}"
            )
        self._source, self._first = source, first
        self.count, self.size, self.rate_hz = source.count - first, source.size, source.rate_hz
        self.times_seconds = source.times_seconds[first:] - source.times_seconds[first]
        self.told = source.told

    def frames(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """All after them, in order."""
        yield from islice(self._source.frames(), self._first, None)


def _as_frames(path: Path, array: np.ndarray) -> tuple[UInt8[np.ndarray, "N h w C"], int]:
    """Channels last, and how many."""
    frames = array[..., None] if array.ndim == 3 else array
    if frames.ndim == 4 and frames.shape[1] in _CHANNELS and (frames.shape[1] == 3 or frames.shape[3] not in _CHANNELS):
        frames = frames.transpose(0, 2, 3, 1)
    fits = frames.ndim == 4 and frames.shape[3] in _CHANNELS and array.dtype == np.uint8
    if not fits or not (1 <= len(frames) <= MAX_EPISODE_STEPS and 1 <= max(frames.shape[1:3]) <= MAX_FRAME_SIDE_PIXELS):
        raise DataError(
            f"{path} holds no film",
            got=f"{array.dtype}{list(array.shape)}",
            expected=f"uint8 [T, 3, h, w] or [T, h, w, 3], sides up to {MAX_FRAME_SIDE_PIXELS}",
            remedy="scale it to 0 to 255 and write it with numpy.save(path, frames.astype(numpy.uint8))",
        )
    return frames, int(frames.shape[3])


def _stated(path: Path, rate_hz: float | None) -> float:
    if rate_hz is None:
        raise UsageError(f"{path} states no rate", got="frames without times", remedy="give it: --rate 25")
    return rate_hz


def _numbered(folder: Path) -> tuple[list[Path], Float64[np.ndarray, " N"]]:
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES and not p.name.startswith("."))
    if not paths:
        raise DataError(
            f"{folder} holds no frames",
            expected="frame_0001.png, … (PNG or JPEG)",
            remedy="give the folder that the pictures lie in, or a video file",
        )
    found = [_NUMBER.search(path.stem) for path in paths]
    numbers = [int(match.group(1)) for match in found if match is not None]
    if len(numbers) < len(paths):
        return paths, np.arange(len(paths), dtype=np.float64)
    order = np.argsort(numbers, kind="stable")
    ordered = np.array(numbers, dtype=np.float64)[order]
    if (np.diff(ordered) == 0).any():
        twice = int(ordered[np.flatnonzero(np.diff(ordered) == 0)[0]])
        raise DataError(f"two frames in {folder} have one number", got=twice, remedy="keep one of them")
    return [paths[index] for index in order], ordered


def _picture(path: Path) -> tuple[UInt8[np.ndarray, "h w 3"], str]:
    from PIL import Image

    try:
        with Image.open(path) as image:
            mode = str(image.mode)
            if mode not in _MODES or max(image.size) > MAX_FRAME_SIDE_PIXELS:
                raise DataError(
                    f"{path} has another colour format or size than frames may have",
                    got=f"{mode}, {image.size[1]}×{image.size[0]}",
                    expected=f"8 bits a channel ({', '.join(_MODES)}), up to {MAX_FRAME_SIDE_PIXELS} px a side",
                    remedy="save it as 8-bit RGB",
                )
            return np.asarray(image.convert("RGB")), mode
    except MondeError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{path} cannot be read as a picture", got=error, expected="a whole PNG or JPEG", remedy="copy it again"
        ) from error


def _pixel_format(path: Path) -> str:
    import av

    with av.open(str(path)) as container:
        return str(container.streams.video[0].codec_context.pix_fmt or "")
