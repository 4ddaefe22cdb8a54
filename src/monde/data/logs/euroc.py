"""EuRoC MAV sequences (Burri et al., IJRR 2016) and what else has their layout: mav0/cam0, imu0, state_groundtruth…"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monde.data.clocks.config import LogConfig
from monde.data.logs.files import FileTrack, colours, lines, picture_size, present, stamps_ns, table
from monde.data.logs.opening import SequenceLayout
from monde.errors import ContractError, DataError
from monde.spatial import from_matrix, unit
from monde.types import Intrinsics, Mount, Sensor

_BODY = "body"
_TRUTH = ("state_groundtruth_estimate0", "vicon0", "mocap0")


@dataclass(frozen=True)
class Euroc(SequenceLayout):
    """The layout of EuRoC: a sequence (the folder with mav0 in it), or a folder of them; each is an episode.

    cam0, cam1, … are cameras (grey pictures get three equal channels) and imu0 an IMU, with the mounts and pinholes of
    their sensor.yaml; state_groundtruth_estimate0 (or vicon0, mocap0) is the pose of the body, leica0 a place.
    """

    name = "EuRoC MAV"

    def _is_one(self, folder: Path) -> bool:
        return (folder / "mav0").is_dir() and any((folder / "mav0").glob("*/data.csv"))

    def _tracks(
        self, folders: Sequence[Path], config: LogConfig, notes: list[str]
    ) -> tuple[dict[Path, list[FileTrack]], dict[str, object]]:
        return {folder: _tracks(folder / "mav0", notes) for folder in folders}, {}


def _tracks(mav: Path, notes: list[str]) -> list[FileTrack]:
    tracks = []
    for folder in sorted(path.parent for path in mav.glob("*/data.csv")):
        name = folder.name
        if name.startswith("cam"):
            tracks.append(_camera(folder, notes))
        elif name.startswith("imu"):
            sensor = Sensor(name=name, kind="imu", shape=(6,), rate_hz=1.0, mount=_mount(_yaml(folder), folder))
            rows = table(folder / "data.csv", range(1, 7)).astype(np.float32)
            tracks.append(FileTrack(sensor, stamps_ns(folder / "data.csv"), rows))
        elif name in _TRUTH:
            sensor = Sensor(name="pose", kind="pose", shape=(7,), unit="m", rate_hz=1.0)
            rows = table(folder / "data.csv", range(1, 8))
            turns = unit(rows[:, [4, 5, 6, 3]])  # stored as w, x, y, z
            poses = np.concatenate([rows[:, :3], turns], axis=1).astype(np.float32)
            tracks.append(FileTrack(sensor, stamps_ns(folder / "data.csv"), poses))
        elif name.startswith("leica"):
            sensor = Sensor(name=name, kind="state", shape=(3,), unit="m", rate_hz=1.0, names=("x", "y", "z"))
            rows = table(folder / "data.csv", range(1, 4)).astype(np.float32)
            tracks.append(FileTrack(sensor, stamps_ns(folder / "data.csv"), rows))
        else:
            notes.append(f"{name} is not read")
    return tracks


def _camera(folder: Path, notes: list[str]) -> FileTrack:
    listed = list(lines(folder / "data.csv"))
    if any(len(words) < 2 or not words[0].isdigit() for words in listed):
        raise DataError(f"{folder / 'data.csv'} is malformed", expected="a time in nanoseconds and a file name a line")
    times = np.array([int(words[0]) for words in listed], dtype=np.int64)
    paths = [folder / "data" / Path(words[1]).name for words in listed]
    there = present(paths)
    if not there.any():
        raise DataError(f"{folder} holds none of its pictures", remedy="copy data/ as well")
    if not there.all():
        notes.append(f"{folder.name}: {int((~there).sum())} of {len(there)} pictures are not there")
    kept = [path for path, is_there in zip(paths, there, strict=True) if is_there]
    height, width = picture_size(kept[0])
    told = _yaml(folder)
    sensor = Sensor(
        name=folder.name,
        kind="rgb",
        shape=(3, height, width),
        rate_hz=1.0,
        geometry=_pinhole(told, folder, height, width),
        mount=_mount(told, folder),
    )
    if any(_floats(told.get("distortion_coefficients"))):
        notes.append(f"{folder.name}: its pictures are distorted, which a pinhole camera does not say")
    return FileTrack(sensor, times[there], kept, colours)


def _yaml(folder: Path) -> dict[str, object]:
    """sensor.yaml, or nothing where there is none."""
    path = folder / "sensor.yaml"
    if not path.exists():
        return {}
    try:
        import yaml
    except ImportError as error:
        raise DataError(f"{path} needs PyYAML", got=error, remedy="pip install 'monde[logs]'") from error
    try:
        text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("%YAML"))
        found = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path} cannot be read", got=error, remedy="restore it from where the log came") from error
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def _mount(told: dict[str, object], folder: Path) -> Mount | None:
    placed = told.get("T_BS")
    numbers = _floats(placed.get("data")) if isinstance(placed, dict) else []
    if not numbers:
        return None
    if len(numbers) != 16:
        raise DataError(f"{folder / 'sensor.yaml'}: T_BS is no 4 × 4 matrix", got=f"{len(numbers)} numbers")
    matrix = np.array(numbers).reshape(4, 4)
    x, y, z, w = from_matrix(matrix[:3, :3]).tolist()
    right, left, up = matrix[:3, 3].tolist()
    return Mount(parent=_BODY, translation=(right, left, up), rotation=(x, y, z, w))


def _pinhole(told: dict[str, object], folder: Path, height: int, width: int) -> Intrinsics | None:
    numbers, size = _floats(told.get("intrinsics")), _floats(told.get("resolution"))
    if len(numbers) != 4:
        return None
    if size and size != [float(width), float(height)]:
        raise DataError(
            f"the calibration of {folder} does not fit its pictures",
            got=f"{size[1]:g} × {size[0]:g}",
            expected=f"{height} × {width}",
            remedy="correct resolution and intrinsics in sensor.yaml, or remove the file",
        )
    fx, fy, cx, cy = numbers
    try:
        return Intrinsics(width=width, height=height, fx=fx, fy=fy, cx=cx, cy=cy)
    except ContractError as error:
        raise DataError(f"the calibration of {folder} makes no camera", got=error) from error


def _floats(value: object) -> list[float]:
    found = value if isinstance(value, list) else []
    return [float(number) for number in found if isinstance(number, (int, float))]
