"""Reading plain videos: a file, or a folder of them, as a `Recording` without actions."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from jaxtyping import UInt8

from monde.data.fingerprint import fingerprint_files
from monde.data.resize import resize_frames
from monde.data.streaming import EpisodeNumbers, portions
from monde.data.video import VideoFile
from monde.errors import ContractError, DataError, unknown_name
from monde.limits import MAX_FRAME_SIDE_PIXELS, MAX_VIDEO_FILES
from monde.types import ActionSpec, Clip, Sensor, Stream

SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v"})
CAMERA = "camera"
_SHOWN = 5
_ROUNDING = 3e-4


class VideoFolder:
    """The layout of a folder of plain videos, in sub-folders or not."""

    name = "a folder of videos"

    def detect(self, root: Path) -> bool:
        """Whether there is a video in it, and nothing that says it is a dataset of another kind."""
        return not (root / "meta").is_dir() and next(_walk(root), None) is not None

    def open(self, root: Path) -> "VideoRecording":
        """Look through all its videos.

        Raises:
            DataError: See `VideoRecording`.
        """
        return VideoRecording(root)


class VideoRecording:
    """Plain videos as a `Recording`: each an episode of one sensor, "camera", with the times that its frames carry.

    Files that cannot be decoded are left out and named in `absent_files`. The fingerprint is of names, sizes and pieces
    of the files (see `fingerprint_files`).

    Args:
        root: A folder, or a single video.
        size: (h, w) to which all frames are brought; without it, all videos must have one size.

    Raises:
        DataError: No video can be decoded, or they are of several sizes.
        ContractError: An unusable size.
    """

    def __init__(self, root: Path, size: tuple[int, int] | None = None) -> None:
        if size is not None and not all(1 <= side <= MAX_FRAME_SIDE_PIXELS for side in size):
            raise ContractError("frames cannot have this size", got=size, expected=f"1 to {MAX_FRAME_SIDE_PIXELS}")
        self._root = root
        self._folder = root if root.is_dir() else root.parent
        self._videos, self._absent = _opened(self._folder, video_files(root))
        if not self._videos:
            raise DataError(
                f"{root} holds no video that can be decoded",
                got="; ".join(f"{name}: {reason}" for name, reason in list(self._absent.items())[:_SHOWN])
                or "no file that ends in " + ", ".join(sorted(SUFFIXES)),
                remedy="copy the files again from where they came, or encode them anew",
            )
        self._size = size or _one_size(root, self._videos)
        first = next(iter(self._videos.values()))
        self._camera = Sensor(name=CAMERA, kind="rgb", shape=(3, *self._size), rate_hz=_rate(first.fps))

    @property
    def root(self) -> Path:
        """The folder, or the single video."""
        return self._root

    @property
    def source(self) -> Mapping[str, object]:
        """Nothing is known."""
        return {}

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """The camera; its rate is that of the first video."""
        return (self._camera,)

    @property
    def actions(self) -> ActionSpec | None:
        """None."""
        return None

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Frames of each video."""
        return tuple(video.frames for video in self._videos.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The file of each episode, relative to the folder."""
        return tuple(self._videos)

    @property
    def absent_files(self) -> Mapping[str, str]:
        """Files that are left out, and why."""
        return self._absent

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content (see the class)."""
        files = fingerprint_files(self._folder, [self._folder / name for name in self._videos])
        return files if self._size == self._native else f"{files}-{self._size[0]}x{self._size[1]}"

    @property
    def _native(self) -> tuple[int, int] | None:
        sizes = {(video.height, video.width) for video in self._videos.values()}
        return sizes.pop() if len(sizes) == 1 else None

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        """Frames `start` to `stop` (exclusive) of one video, as a clip of B = 1.

        Raises:
            ContractError: An episode, range or sensor that does not exist.
            DataError: The frames cannot be decoded.
        """
        self._check_names([CAMERA] if sensors is None else sensors)
        video = self._video(episode)
        if not 0 <= start < stop <= video.frames:
            raise ContractError(
                f"episode {episode} has no frames {start}:{stop}", expected=f"0 ≤ start < stop ≤ {video.frames}"
            )
        frames = torch.from_numpy(resize_frames(video.read(start, stop), self._size))
        times = torch.from_numpy(video.times_seconds[start:stop])[None]
        values = frames.permute(0, 3, 1, 2)[None]
        return Clip({CAMERA: Stream(values, times, torch.ones(times.shape, dtype=torch.bool))})

    def film(
        self, episode: int, sensor: str, size: tuple[int, int] | None = None
    ) -> Iterator[UInt8[np.ndarray, "t h w 3"]]:
        """All frames of one video in order; see `monde.data.streaming.Filmed`."""
        self._check_names([sensor])
        video = self._video(episode)
        wanted = size or self._size
        yield from portions(video.iterate(size=None if wanted == (video.height, video.width) else wanted))

    def numbers(self, episode: int, sensors: Sequence[str]) -> EpisodeNumbers:
        """The times of one video; see `monde.data.streaming.Filmed`."""
        for name in sensors:
            raise unknown_name("sensor", name, [], ContractError)
        return EpisodeNumbers(self._video(episode).times_seconds, {}, None)

    def __repr__(self) -> str:
        left = f", {len(self._absent)} files left out" if self._absent else ""
        size = f"{len(self._videos)} videos, {sum(self.lengths)} frames of {self._size[0]}×{self._size[1]}"
        return f"VideoRecording({str(self._root)!r}, {size}{left})"

    def _video(self, episode: int) -> VideoFile:
        if not 0 <= episode < len(self._videos):
            raise ContractError(f"there is no episode {episode}", expected=f"0 to {len(self._videos) - 1}")
        return list(self._videos.values())[episode]

    def _check_names(self, sensors: Sequence[str]) -> None:
        for name in sensors:
            if name != CAMERA:
                raise unknown_name("sensor", name, [CAMERA], ContractError)


def is_video(path: Path) -> bool:
    """Whether a file's name ends as those of videos do."""
    return path.suffix.lower() in SUFFIXES


def video_files(root: Path) -> list[Path]:
    """The videos in a folder and its sub-folders, by name, or the single one.

    Raises:
        DataError: There are too many.
    """
    if not root.is_dir():
        return [root]
    paths: list[Path] = []
    for path in _walk(root):
        paths.append(path)
        if len(paths) > MAX_VIDEO_FILES:
            raise DataError(
                f"{root} holds too many videos", expected=f"at most {MAX_VIDEO_FILES}", remedy="open a sub-folder"
            )
    return sorted(paths)


def _walk(root: Path) -> Iterator[Path]:
    """Videos below a folder; hidden files and folders (our cache is one) are passed over, links are not followed."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in files if is_video(Path(name)) and not name.startswith("."))


def _opened(folder: Path, paths: list[Path]) -> tuple[dict[str, VideoFile], Mapping[str, str]]:
    videos: dict[str, VideoFile] = {}
    absent: dict[str, str] = {}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            videos[name] = VideoFile.open(path)
        except DataError as error:
            absent[name] = error.what if error.got is None else f"{error.what} ({error.got})"
    return videos, MappingProxyType(absent)


def _one_size(root: Path, videos: Mapping[str, VideoFile]) -> tuple[int, int]:
    groups: dict[tuple[int, int], list[str]] = {}
    for name, video in videos.items():
        groups.setdefault((video.height, video.width), []).append(name)
    if len(groups) == 1:
        return next(iter(groups))
    told = "; ".join(
        f"{height}×{width}: {', '.join(names[:_SHOWN])}{f' and {len(names) - _SHOWN} more' if names[_SHOWN:] else ''}"
        for (height, width), names in sorted(groups.items())
    )
    raise DataError(
        f"{root} holds videos of several sizes",
        got=told,
        expected="one size: they are episodes of one camera",
        remedy="open one file or a folder of one size, or bring all to one size: monde convert SOURCE OUT --frame HxW",
    )


def _rate(fps: float) -> float:
    """Frames a second, whole where it nearly is: containers round times to their ticks (30000/1001 is another rate)."""
    return float(round(fps)) if round(fps) and abs(fps - round(fps)) < _ROUNDING * fps else fps
