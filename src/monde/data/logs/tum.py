"""TUM RGB-D sequences (Sturm et al., IROS 2012): rgb.txt, depth.txt, groundtruth.txt, accelerometer.txt."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from monde.data.clocks.config import LogConfig
from monde.data.logs.files import FileTrack, colours, lines, opened, picture_size, present, seconds_to_ns
from monde.data.logs.opening import SequenceLayout
from monde.errors import DataError
from monde.spatial import unit
from monde.types import Intrinsics, Mount, Sensor

_PER_METRE = 5000.0
"""Numbers in a depth image for a metre."""
_CAMERAS = {
    "freiburg1": (517.3, 516.5, 318.6, 255.3),
    "freiburg2": (520.9, 521.0, 325.1, 249.7),
    "freiburg3": (535.4, 539.2, 320.1, 247.6),
}
"""fx, fy, cx, cy of the three cameras, as the makers publish them; sequences have the camera in their name."""
_SIZE = (480, 640)
_CAMERA = "camera"


@dataclass(frozen=True)
class TumRgbd(SequenceLayout):
    """The layout of TUM RGB-D: a sequence, or a folder of them; each is an episode.

    Colours and depth are of one camera, whose pose in the world is `pose`. Depth has 5000 steps a metre.
    """

    name = "TUM RGB-D"

    def _is_one(self, folder: Path) -> bool:
        return any((folder / f"{name}.txt").is_file() and (folder / name).is_dir() for name in ("rgb", "depth"))

    def _tracks(
        self, folders: Sequence[Path], config: LogConfig, notes: list[str]
    ) -> tuple[dict[Path, list[FileTrack]], dict[str, object]]:
        return {folder: _tracks(folder, notes) for folder in folders}, {}


def _tracks(folder: Path, notes: list[str]) -> list[FileTrack]:
    camera = next((numbers for name, numbers in _CAMERAS.items() if name in folder.resolve().name), None)
    if camera is None:
        notes.append(f"{folder.name}: which camera it was is not known, so there are no intrinsics")
    tracks = []
    for name in ("rgb", "depth"):
        if (folder / f"{name}.txt").is_file():
            tracks.append(_pictures(folder, name, camera, notes))
    for name, width in (("groundtruth", 7), ("accelerometer", 3)):
        path = folder / f"{name}.txt"
        if path.is_file():
            times, rows = _rows(path, width)
            if name == "groundtruth":
                sensor = Sensor(name="pose", kind="pose", shape=(7,), unit="m", rate_hz=1.0)
                rows = np.concatenate([rows[:, :3], unit(rows[:, 3:])], axis=1)
            else:
                axes = ("ax", "ay", "az")
                sensor = Sensor(name=name, kind="state", shape=(3,), unit="m/s^2", rate_hz=1.0, names=axes)
            tracks.append(FileTrack(sensor, times, rows.astype(np.float32)))
    return tracks


def _pictures(folder: Path, name: str, camera: tuple[float, float, float, float] | None, notes: list[str]) -> FileTrack:
    listed = [words for words in lines(folder / f"{name}.txt") if len(words) >= 2]
    times = np.array([seconds_to_ns(words[0], folder / f"{name}.txt") for words in listed], dtype=np.int64)
    paths = [folder / name / Path(words[1]).name for words in listed]
    there = present(paths)
    if not there.any():
        raise DataError(f"{folder / name} holds none of its pictures", remedy="copy the folder as well")
    if not there.all():
        notes.append(f"{name}: {int((~there).sum())} of {len(there)} pictures are not there")
    kept = [path for path, is_there in zip(paths, there, strict=True) if is_there]
    size = picture_size(kept[0])
    geometry = None
    if camera is not None and size == _SIZE:
        fx, fy, cx, cy = camera
        geometry = Intrinsics(width=size[1], height=size[0], fx=fx, fy=fy, cx=cx, cy=cy)
    elif camera is not None:
        notes.append(f"{name}: its pictures are not of {_SIZE[0]} × {_SIZE[1]} pixels, so there are no intrinsics")
    mount = Mount(parent=_CAMERA)
    if name == "rgb":
        sensor = Sensor(name=name, kind="rgb", shape=(3, *size), rate_hz=1.0, geometry=geometry, mount=mount)
        return FileTrack(sensor, times[there], kept, colours)
    sensor = Sensor(name=name, kind="depth", shape=(1, *size), unit="m", rate_hz=1.0, geometry=geometry, mount=mount)
    return FileTrack(sensor, times[there], kept, _depth)


def _depth(path: Path) -> Float32[np.ndarray, "h w 1"]:
    with opened(path, ("PNG",)) as picture:
        if not picture.mode.startswith("I"):
            raise ValueError(f"no depth image of 16 bits but one of the mode {picture.mode}")
        return (np.asarray(picture).astype(np.float32) / np.float32(_PER_METRE))[:, :, None]


def _rows(path: Path, width: int) -> tuple[np.ndarray, np.ndarray]:
    times, rows = [], []
    for number, words in enumerate(lines(path)):
        try:
            values = [float(word) for word in words[1 : width + 1]]
        except ValueError:
            values = []
        if len(values) != width:
            raise DataError(
                f"{path} is malformed in row {number}", got=" ".join(words)[:60], expected=f"{width} numbers"
            )
        times.append(seconds_to_ns(words[0], path))
        rows.append(values)
    return np.array(times, dtype=np.int64), np.array(rows, dtype=np.float64).reshape(-1, width)
