"""KITTI raw drives (Geiger et al., IJRR 2013), synced or not: image_0X, velodyne_points, oxts, and calib_*.txt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Int64

from monde.data.clocks.config import LogConfig
from monde.data.logs.files import FileTrack, colours, lines, picture_size
from monde.data.logs.opening import SequenceLayout
from monde.errors import DataError, MondeError
from monde.limits import MAX_LOG_FILES
from monde.spatial import compose, east_north_up, from_matrix, inverse
from monde.types import Intrinsics, Mount, Sensor

_BASE = "imu"
_CAMERAS = ("image_00", "image_01", "image_02", "image_03")
_POINT_BYTES = 16
_LEAST_POINTS = 16


@dataclass(frozen=True)
class KittiRaw(SequenceLayout):
    """The layout of KITTI raw: a drive, or the folder of a date with several; each is an episode.

    Cameras have the pinhole and place of the rectified or raw pictures, whichever their size fits; the laser's points
    lie in its own frame. The car's GNSS and inertial unit gives `gnss` (metres east, north and up of the recording's
    first fix), `pose` (of the unit, there), `twist` and `imu` (both in its own frame). Mounts are on the unit ("imu").
    """

    name = "KITTI raw"

    def _is_one(self, folder: Path) -> bool:
        return any((folder / name / "data").is_dir() for name in (*_CAMERAS, "velodyne_points", "oxts")) and any(
            folder.glob("*/timestamps.txt")
        )

    def _tracks(
        self, folders: Sequence[Path], config: LogConfig, notes: list[str]
    ) -> tuple[dict[Path, list[FileTrack]], dict[str, object]]:
        units = [_oxts(drive) for drive in folders]
        origin = next((rows[0, :3] for _, rows in units if len(rows)), np.zeros(3))
        room = _room(folders, config, notes)
        logs = {}
        for drive, (times, rows) in zip(folders, units, strict=True):
            calibration = _Calibration.of(drive, notes)
            tracks = [_camera(drive / name, calibration) for name in _CAMERAS if (drive / name / "data").is_dir()]
            if room:
                tracks.append(_laser(drive / "velodyne_points", room, calibration))
            logs[drive] = tracks + (_unit(times, rows, origin) if len(rows) else [])
        return logs, {"origin_degrees": origin.tolist()}


@dataclass(frozen=True)
class _Calibration:
    """What calib_*.txt say; empty where they are not there."""

    cameras: Mapping[str, Float64[np.ndarray, " _"]]
    laser: Float64[np.ndarray, "7"] | None
    first_camera: Float64[np.ndarray, "7"] | None

    @classmethod
    def of(cls, drive: Path, notes: list[str]) -> "_Calibration":
        """The files in the drive's folder, or in that of its date.

        Raises:
            DataError: One is damaged.
        """
        home = next((home for home in (drive, drive.parent) if (home / "calib_cam_to_cam.txt").is_file()), None)
        if home is None:
            notes.append(f"{drive.name}: no calib_cam_to_cam.txt, so there are no intrinsics and no mounts")
            return cls({}, None, None)
        laser = _motion(home / "calib_imu_to_velo.txt")
        camera = _motion(home / "calib_velo_to_cam.txt")
        on_unit = None if laser is None else inverse(laser)
        first = None if on_unit is None or camera is None else compose(on_unit, inverse(camera))
        return cls(_numbers(home / "calib_cam_to_cam.txt"), on_unit, first)

    def camera(self, number: str, height: int, width: int) -> tuple[Intrinsics | None, Mount | None]:
        """Pinhole and mount of a camera whose pictures have this size."""
        for rectified in (True, False):
            size = self.cameras.get(f"S_rect_{number}" if rectified else f"S_{number}")
            if size is None or size.tolist() != [float(width), float(height)]:
                continue
            projection = self.cameras.get(f"P_rect_{number}", np.zeros(12)).reshape(3, 4)
            matrix = projection[:, :3] if rectified else self.cameras.get(f"K_{number}", np.zeros(9)).reshape(3, 3)
            if not matrix[0, 0] > 0:
                return None, None
            camera = Intrinsics(
                width=width, height=height, fx=matrix[0, 0], fy=matrix[1, 1], cx=matrix[0, 2], cy=matrix[1, 2]
            )
            return camera, self._mount(number, projection if rectified else None)
        return None, None

    def _mount(self, number: str, projection: Float64[np.ndarray, "3 4"] | None) -> Mount | None:
        """Of a rectified camera: turned as R_rect_00 says, and moved along the line that all four lie on."""
        if self.first_camera is None:
            return None
        if projection is not None:
            turn = self.cameras.get("R_rect_00", np.eye(3)).reshape(3, 3)
            place = np.array([projection[0, 3] / projection[0, 0], 0.0, 0.0])
            into = np.concatenate([place, from_matrix(turn)])
        else:
            turn = self.cameras.get(f"R_{number}", np.eye(3)).reshape(3, 3)
            into = np.concatenate([self.cameras.get(f"T_{number}", np.zeros(3)), from_matrix(turn)])
        return _as_mount(compose(self.first_camera, inverse(into)))


def _camera(folder: Path, calibration: _Calibration) -> FileTrack:
    times, paths = _samples(folder, (".png", ".jpg"))
    height, width = picture_size(paths[0])
    geometry, mount = calibration.camera(folder.name[-2:], height, width)
    sensor = Sensor(name=folder.name, kind="rgb", shape=(3, height, width), rate_hz=1.0, geometry=geometry, mount=mount)
    return FileTrack(sensor, times, paths, colours)


def _laser(folder: Path, room: int, calibration: _Calibration) -> FileTrack:
    times, paths = _samples(folder, (".bin",))
    mount = None if calibration.laser is None else _as_mount(calibration.laser)
    sensor = Sensor(name="velodyne", kind="points", shape=(room, 3), unit="m", rate_hz=1.0, mount=mount)
    return FileTrack(sensor, times, paths, _points)


def _points(path: Path) -> Float32[np.ndarray, "n 3"]:
    size = path.stat().st_size
    if size % _POINT_BYTES:
        raise ValueError(f"{size} bytes, which make no points of {_POINT_BYTES}")
    points = np.fromfile(path, dtype="<f4").reshape(-1, 4)[:, :3]
    return np.ascontiguousarray(points[np.isfinite(points).all(axis=1)])


def _room(drives: Sequence[Path], config: LogConfig, notes: list[str]) -> int:
    """Points that a cloud has room for: the largest that there is, or as many as are to be kept."""
    sizes = [
        path.stat().st_size // _POINT_BYTES for drive in drives for path in drive.glob("velodyne_points/data/*.bin")
    ]
    if not sizes:
        return 0
    room = min(config.cloud_points, max(_LEAST_POINTS, max(sizes)))
    if max(sizes) > room:
        notes.append(f"velodyne: clouds of up to {max(sizes)} points are thinned to {room} (`cloud_points`)")
    return room


def _unit(
    times: Int64[np.ndarray, " N"], rows: Float64[np.ndarray, "N C"], origin: Float64[np.ndarray, "3"]
) -> list[FileTrack]:
    """The sensors in oxts: latitude, longitude, height, roll, pitch, yaw, velocities, accelerations, turn rates."""
    place = east_north_up(rows[:, :3], origin)
    turn = np.stack([_turned(roll, pitch, yaw) for roll, pitch, yaw in rows[:, 3:6]])
    values = {
        Sensor(name="gnss", kind="gnss", shape=(3,), unit="m", rate_hz=1.0): place,
        Sensor(name="pose", kind="pose", shape=(7,), unit="m", rate_hz=1.0): np.concatenate([place, turn], axis=1),
        Sensor(name="twist", kind="twist", shape=(6,), rate_hz=1.0): rows[:, [8, 9, 10, 17, 18, 19]],
        Sensor(name="imu", kind="imu", shape=(6,), rate_hz=1.0, mount=Mount(parent=_BASE)): rows[
            :, [17, 18, 19, 11, 12, 13]
        ],
    }
    return [FileTrack(sensor, times, part.astype(np.float32)) for sensor, part in values.items()]


def _turned(roll: float, pitch: float, yaw: float) -> Float64[np.ndarray, "4"]:
    """Turned by roll about x, then pitch about y, then yaw about z (0: towards the east, counterclockwise)."""
    sr, cr, sp, cp, sy, cy = (f(a / 2) for a in (roll, pitch, yaw) for f in (np.sin, np.cos))
    return np.array(
        [
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
            cr * cp * cy + sr * sp * sy,
        ]
    )


def _oxts(drive: Path) -> tuple[Int64[np.ndarray, " N"], Float64[np.ndarray, "N C"]]:
    if not (drive / "oxts" / "data").is_dir():
        return np.empty(0, dtype=np.int64), np.empty((0, 30))
    times, paths = _samples(drive / "oxts", (".txt",))
    rows = []
    for path in paths:
        try:
            values = [float(word) for word in path.read_text().split()]
        except (OSError, ValueError) as error:
            raise DataError(f"{path} holds no numbers", got=error, remedy="restore it from where it came") from error
        if len(values) < 20:
            raise DataError(f"{path} is cut off", got=f"{len(values)} numbers", expected="30")
        rows.append(values[:20])
    return times, np.array(rows)


def _samples(folder: Path, endings: tuple[str, ...]) -> tuple[Int64[np.ndarray, " N"], list[Path]]:
    """Times and files of a sensor; a file's name is the number of its line in timestamps.txt (some have no file).

    Raises:
        DataError: No times, no files, or too many.
    """
    moments = [_stamp_ns(" ".join(words), folder) for words in lines(folder / "timestamps.txt")]
    paths = sorted(path for path in (folder / "data").iterdir() if path.suffix in endings and path.stem.isdigit())
    numbers = [int(path.stem) for path in paths]
    if not paths or len(paths) > MAX_LOG_FILES or max(numbers) >= len(moments):
        raise DataError(
            f"{folder} does not hold a time for each of its files",
            got=f"{len(paths)} files, {len(moments)} times",
            expected=f"at least one file, up to {MAX_LOG_FILES}, and a time for each",
        )
    return np.array([moments[number] for number in numbers], dtype=np.int64), paths


def _stamp_ns(text: str, folder: Path) -> int:
    try:
        return int(np.datetime64(text.replace(" ", "T"), "ns").astype(np.int64))
    except ValueError as error:
        raise DataError(f"{folder / 'timestamps.txt'} holds a time that is none", got=text[:40]) from error


def _motion(path: Path) -> Float64[np.ndarray, "7"] | None:
    """R and T of a calibration as a motion, or none where there is no such file."""
    if not path.is_file():
        return None
    found = _numbers(path)
    try:
        return np.concatenate([found["T"].reshape(3), from_matrix(found["R"].reshape(3, 3))])
    except (KeyError, ValueError) as error:
        got = error.what if isinstance(error, MondeError) else error
        raise DataError(f"{path} holds no rotation R and translation T", got=got) from error


def _numbers(path: Path) -> dict[str, Float64[np.ndarray, " _"]]:
    found = {}
    for words in lines(path):
        try:
            found[words[0].rstrip(":")] = np.array([float(word) for word in words[1:]])
        except ValueError:
            continue  # the time of the calibration
    return found


def _as_mount(pose: Float64[np.ndarray, "7"]) -> Mount:
    x, y, z, qx, qy, qz, qw = pose.tolist()
    return Mount(parent=_BASE, translation=(x, y, z), rotation=(qx, qy, qz, qw))
