"""Any film as a model's camera would have seen it: a video, a folder of frames or an array, of any size and rate.

Nothing is repaired in silence: what was done to the film, and what is wrong with it, is told line by line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from monde.data.resize import resize_frames
from monde.data.video import VideoFile
from monde.errors import DataError, UsageError
from monde.evaluation.physics.frames import ArrayFrames, FolderFrames, Source, VideoFrames
from monde.limits import MAX_SURPRISE_FRAMES
from monde.types import ActionSpec

_GAP = 1.5
"""A pause of so many usual ones is one in which frames are missing."""

_TOLERANCE = 0.05


@dataclass(frozen=True, kw_only=True, repr=False)
class Footage:
    """A film at a model's size and rate.

    Args:
        frames: [T, 3, h, w].
        rate_hz: Frames a second.
        source_frames: Frames of the film itself.
        source_rate_hz: Its rate.
        missing_seconds: Times (from, to) between which frames are missing.
        told: What was done to it, and what is wrong with it; one sentence each.
    """

    frames: UInt8[np.ndarray, "T 3 h w"]
    rate_hz: float
    source_frames: int
    source_rate_hz: float
    missing_seconds: tuple[tuple[float, float], ...]
    told: tuple[str, ...]

    @property
    def times_seconds(self) -> Float64[np.ndarray, " T"]:
        """[T] since the first frame."""
        return np.arange(len(self.frames)) / self.rate_hz

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.frames.shape))
        return f"Footage(uint8[{shape}] at {self.rate_hz:g} Hz, of {self.source_frames} at {self.source_rate_hz:g} Hz)"


def read_footage(
    path: Path, size: tuple[int, int], actions: ActionSpec, least_steps: int, rate_hz: float | None = None
) -> Footage:
    """A film at the size of a model's camera and at a rate that fits its steps.

    Of each moment the frame nearest in time is taken, the middle of it that has the camera's proportions, resized as
    recordings are.

    Args:
        path: A video, a folder of PNG or JPEG frames, or .npy: uint8 [T, 3, h, w] or [T, h, w, 3] (or grey, or RGBA).
        size: (h, w) of the camera.
        actions: The model's; they say how long a step is.
        least_steps: Model steps that the film must last.
        rate_hz: Frames a second, where the film does not state it, or states it wrongly.

    Raises:
        DataError: Not a film, damaged, of another number format, of fewer frames a second than the model's steps,
            shorter than the context, or longer than `MAX_SURPRISE_FRAMES`.
        UsageError: No rate, or an unusable one; or PyAV is not installed.
    """
    if rate_hz is not None and not 1e-3 <= rate_hz <= 1e5:
        raise UsageError("a film cannot have this rate", got=f"{rate_hz:g} Hz", expected="above 0", remedy="--rate 25")
    return footage_of(path, _open(path, rate_hz), size, actions, least_steps)


def footage_of(path: Path, source: Source, size: tuple[int, int], actions: ActionSpec, least_steps: int) -> Footage:
    """As `read_footage`, of a film that is open.

    Args:
        path: What errors call it.
        source: It.
        size: (h, w) of the camera.
        actions: The model's; they say how long a step is.
        least_steps: Model steps that the film must last.

    Raises:
        DataError: As `read_footage`.
    """
    times, told = source.times_seconds, list(source.told)
    usual = float(np.median(np.diff(times))) if len(times) > 1 else 1 / source.rate_hz
    rate = _fitting_rate(path, 1 / usual, actions)
    wanted = np.arange(round(float(times[-1] * rate)) + 1) / rate
    least = (least_steps - 1) * max(1, round(actions.block_seconds * rate)) + 1
    if len(wanted) < least:
        raise DataError(
            f"{path} is shorter than the context",
            got=f"{source.count} frames, {times[-1]:.2f} s",
            expected=f"at least {(least - 1) / rate:.2f} s",
            remedy="give a longer film, or its true rate (--rate)",
        )
    if len(wanted) > MAX_SURPRISE_FRAMES:
        raise DataError(
            f"{path} is too long to be judged at once",
            got=f"{len(wanted):,} frames at {rate:g} Hz",
            expected=f"at most {MAX_SURPRISE_FRAMES:,}",
            remedy="cut it into parts",
        )
    picks = _nearest(times, wanted)
    frames, repeats, grey = _seen(source, picks, size)
    told += _size_told(source, size)
    if abs(rate * usual - 1) > _TOLERANCE:
        told.append(f"brought from {1 / usual:.4g} Hz to the {rate:.4g} Hz of the model")
    missing = _missing(times, usual)
    if missing:
        lost = sum(round((stop - start) / usual) - 1 for start, stop in missing)
        told.append(f"{lost} frames are missing, first after {missing[0][0]:.2f} s: the one before stands for them")
    if repeats:
        told.append(f"{repeats} frames amid motion repeat the one before: surprise there may be the recorder's")
    if grey:
        told.append("the film is grey: its three channels are equal")
    return Footage(
        frames=frames,
        rate_hz=rate,
        source_frames=source.count,
        source_rate_hz=1 / usual,
        missing_seconds=missing,
        told=tuple(told),
    )


def _open(path: Path, rate_hz: float | None) -> Source:
    if not path.exists():
        raise DataError(f"{path} does not exist", remedy="give a video, a folder of frames, or an .npy file")
    if path.is_dir():
        return FolderFrames(path, rate_hz)
    if path.suffix == ".npy":
        return ArrayFrames(path, rate_hz)
    if find_spec("av") is None:
        raise UsageError("videos cannot be read", got="no PyAV", remedy="pip install 'monde[video]'")
    return VideoFrames(VideoFile.open(path), rate_hz)


def _fitting_rate(path: Path, rate_hz: float, actions: ActionSpec) -> float:
    """The highest rate up to the film's and the recording's at which a model step is a whole number of frames."""
    step = actions.block_seconds
    if rate_hz * step < 1 - _TOLERANCE:
        raise DataError(
            f"{path} has fewer frames a second than the model has steps",
            got=f"{rate_hz:.4g} Hz",
            expected=f"at least {1 / step:.4g} Hz",
            remedy="give a film of a higher rate, its true rate (--rate), or train with longer --step-seconds",
        )
    frames = min(actions.block, max(1, int(rate_hz * step + _TOLERANCE)))
    return frames / step


def _nearest(times: Float64[np.ndarray, " N"], wanted: Float64[np.ndarray, " T"]) -> Int64[np.ndarray, " T"]:
    """For each wanted moment the last frame that has been shown by then, or the one just about to be."""
    if len(times) == 1:
        return np.zeros(len(wanted), dtype=np.int64)
    usual = float(np.median(np.diff(times)))
    return np.clip(np.searchsorted(times, wanted + usual / 2, side="right") - 1, 0, len(times) - 1).astype(np.int64)


def _seen(
    source: Source, picks: Int64[np.ndarray, " T"], size: tuple[int, int]
) -> tuple[UInt8[np.ndarray, "T 3 h w"], int, bool]:
    """The picked frames at the camera's size, how many frames of the film repeat the one before amid motion, and
    whether all is grey."""
    frames = np.empty((len(picks), 3, *size), dtype=np.uint8)
    same: list[bool] = []
    before: np.ndarray | None = None
    grey, number = True, -1
    for number, frame in enumerate(source.frames()):
        if before is not None:
            same.append(bool(np.array_equal(frame, before)))
        before = frame
        grey = grey and bool((frame[..., :1] == frame).all())
        rows = np.flatnonzero(picks == number)
        if len(rows):
            frames[rows] = resize_frames(_middle(frame, size)[None], size)[0].transpose(2, 0, 1)
    if number + 1 < source.count:
        raise DataError("the film ends before its last frame", got=number + 1, expected=source.count)
    repeats = sum(b and not a and not c for a, b, c in zip(same, same[1:], same[2:]))
    return frames, repeats, grey


def _middle(frame: UInt8[np.ndarray, "h w 3"], size: tuple[int, int]) -> UInt8[np.ndarray, "h2 w2 3"]:
    """The greatest part in the middle that has the proportions of `size`."""
    h, w = frame.shape[:2]
    height, width = min(h, round(w * size[0] / size[1])), min(w, round(h * size[1] / size[0]))
    top, left = (h - max(1, height)) // 2, (w - max(1, width)) // 2
    return frame[top : top + max(1, height), left : left + max(1, width)]


def _size_told(source: Source, size: tuple[int, int]) -> Iterator[str]:
    h, w = source.size
    if (h, w) == size:
        return
    cut = "" if h * size[1] == w * size[0] else "the middle of "
    yield f"{cut}{h}×{w} px resized to the {size[0]}×{size[1]} px of the model's camera"


def _missing(times: Float64[np.ndarray, " N"], usual: float) -> tuple[tuple[float, float], ...]:
    gaps = np.flatnonzero(np.diff(times) > _GAP * usual)
    return tuple((float(times[index]), float(times[index + 1])) for index in gaps)
