"""Reading LeRobot datasets of versions 2.0, 2.1 and 3.0, without the `lerobot` package."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Shaped

from monde.data.fingerprint import fingerprint_files
from monde.data.lerobot.cameras import PIECE_FRAMES, Cameras, DatasetPaths, depth_frames, image_frames, video_path
from monde.data.lerobot.data_files import DataFiles
from monde.data.lerobot.described import IMAGES, Description, describe_dataset, read_ours
from monde.data.lerobot.episodes import EpisodeRow, episode_files, read_episodes
from monde.data.lerobot.layout import ACTION, EPISODES_V2, INFO, OURS, TASKS, TASKS_V2, TIME
from monde.data.lerobot.legacy import read_legacy_episodes
from monde.data.lerobot.tables import read_tasks
from monde.data.resize import resize_frames
from monde.data.streaming import EpisodeClocks, EpisodeNumbers
from monde.errors import ContractError, DataError, StoreError, unknown_name
from monde.spatial import cloud_mask
from monde.store import read_json
from monde.types import ActionSpec, Clip, Sensor, Stream


class LeRobotLayout:
    """The layouts of LeRobot: v3.0, and v2.0 and v2.1 with a file an episode; images in Parquet, or videos."""

    name = "LeRobot v2.1 or v3.0"

    def detect(self, root: Path) -> bool:
        """Whether meta/info.json names a version."""
        try:
            return "codebase_version" in read_json(root / INFO)
        except StoreError:
            return False

    def open(self, root: Path) -> "LeRobotRecording":
        """Read what the dataset says of itself and look whether its files are there.

        Raises:
            DataError: Of another version, malformed, half written, or files missing or short.
        """
        said = str(read_json(root / INFO)["codebase_version"])
        versions = {"v2.0": 2, "v2.1": 2, "v3.0": 3}
        if said not in versions:
            raise DataError(
                f"{root} is of a version of LeRobot that is not known",
                got=said,
                expected=", ".join(versions),
                remedy="convert it with the lerobot package, or update monde",
            )
        return LeRobotRecording(root, versions[said])


class LeRobotRecording:
    """A LeRobot dataset on disk: a `Recording`. Nothing but the descriptions is kept in memory.

    Episodes that are listed but whose files are absent are left out; `absent` names them.

    Its `fingerprint` is a SHA-256 over meta/ (without statistics) and the data and video files, of which large ones are
    looked at in pieces (`monde.data.fingerprint`), so that it takes a fraction of a second. A change that moves bytes
    always shows; one in place, in a part of a large file that is not looked at, does not, but then the checksum of its
    page fails when it is read (where the writer made one; ours does).

    Args:
        root: Folder of the dataset.
        version: 2 or 3.

    Raises:
        DataError: See `LeRobotLayout.open`.
    """

    def __init__(self, root: Path, version: int) -> None:
        self._root, self._version = root, version
        self._description: Description = describe_dataset(root)
        filmed = [key for key in self._description.keys.values() if self._filmed(key)]
        listed = (
            read_episodes(episode_files(root))
            if version == 3
            else read_legacy_episodes(root, self._description, filmed)
        )
        if version == 3:
            self._check_totals(listed)
        paths = DatasetPaths(root, self._description)
        self._episodes = tuple(row for row in listed if paths.there(row, filmed))
        self._absent = tuple(row.index for row in listed if not paths.there(row, filmed))
        if not self._episodes:
            missing = paths.missing(listed[0], filmed)
            raise DataError(
                f"{missing} is missing" if len(listed) == 1 else f"the files of all {len(listed)} episodes are missing",
                got=f"no {missing.name}",
                expected="the data and video files that meta/ lists",
                remedy="restore them from where the dataset came",
            )
        self._data = DataFiles(root, self._description, self._episodes)
        self._cameras = Cameras(root, self._description)
        self._tasks = read_tasks(root / TASKS) if version == 3 else ()

    @property
    def root(self) -> Path:
        """Folder of the dataset."""
        return self._root

    @cached_property
    def source(self) -> Mapping[str, object]:
        """What the writer was told of where it comes from; empty for datasets of other tools."""
        return read_ours(self._root)[2] if (self._root / OURS).exists() else {}

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What was recorded."""
        return self._description.sensors

    @property
    def actions(self) -> ActionSpec | None:
        """The actions' space (block = 1), or none."""
        return self._description.actions

    @property
    def lengths(self) -> tuple[int, ...]:
        """Frames of each episode."""
        return tuple(row.length for row in self._episodes)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The task of each episode, in words."""
        return tuple(" / ".join(row.tasks) for row in self._episodes)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content (see the class)."""
        names = (INFO, OURS, TASKS, TASKS_V2, EPISODES_V2)
        metas = [self._root / name for name in names if (self._root / name).exists()]
        if self._version == 3:
            metas += episode_files(self._root)
        filmed = [key for key in self._description.keys.values() if self._filmed(key)]
        videos = [video_path(self._root, self._description, key, row) for key in filmed for row in self._episodes]
        return fingerprint_files(self._root, [*metas, *self._data.paths, *dict.fromkeys(videos)])

    @property
    def absent(self) -> tuple[int, ...]:
        """Numbers of episodes that are listed but whose files are not there."""
        return self._absent

    def original_episode(self, episode: int) -> int:
        """The number that an episode has in the dataset, absent ones counted."""
        return self._episodes[episode].index

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        """Frames `start` to `stop` (exclusive) of one episode, as a clip of B = 1.

        Raises:
            ContractError: An episode, range or sensor that does not exist.
            DataError: The rows are missing, damaged, or hold NaN; the error names file, column and frame.
        """
        row = self._episode(episode, start, stop)
        wanted = [self._sensor(name) for name in sensors] if sensors is not None else list(self.sensors)
        keys = [self._description.keys[sensor.name] for sensor in wanted]
        columns = [key for key in keys if not self._filmed(key)]
        told = [*self._description.gaps.items(), *self._description.aged.items()]
        columns += [column for name, column in told if any(sensor.name == name for sensor in wanted)]
        action = [ACTION] if self.actions is not None else []
        table = self._data.rows(row, start, stop, [*columns, *action, self._time])
        where = self._where(row, episode)
        times = torch.from_numpy(self._data.column(table, self._time, where).astype(np.float64))[None]
        streams = {}
        for sensor, key in zip(wanted, keys, strict=True):
            if self._filmed(key):
                values = self._cameras.read(row, key, sensor, start, stop).transpose(0, 3, 1, 2)
            elif self._description.features[key]["dtype"] in IMAGES:
                values = self._images(table[key], sensor, where, start).transpose(0, 3, 1, 2)
            else:
                values = self._data.finite(table, key, where, start, len(table)).reshape(-1, *sensor.shape)
            streams[sensor.name] = self._told(sensor, _stream(values, times), table, where)
        if self.actions is None:
            return Clip(streams)
        taken = self._data.finite(table, ACTION, where, start, len(table) - 1).reshape(-1, self.actions.dim)
        return Clip(streams, _stream(taken, times[:, :-1]))

    def film(
        self, episode: int, sensor: str, size: tuple[int, int] | None = None
    ) -> Iterator[Shaped[np.ndarray, "t h w C"]]:
        """All frames of one camera of one episode in order; see `monde.data.streaming.Filmed`."""
        camera = self._sensor(sensor)
        row, key = self._episodes[episode], self._description.keys[sensor]
        if self._filmed(key):
            yield from self._cameras.film(row, key, camera, size)
            return
        where = self._where(row, episode)
        for start in range(0, row.length, PIECE_FRAMES):
            stop = min(start + PIECE_FRAMES, row.length)
            table = self._data.rows(row, start, stop, [key])
            if self._description.features[key]["dtype"] in IMAGES:
                frames = self._images(table[key], camera, where, start)
            else:
                planes = self._data.finite(table, key, where, start, stop - start).reshape(-1, *camera.shape)
                frames = planes.transpose(0, 2, 3, 1)
            yield frames if size is None else resize_frames(frames, size)

    def numbers(self, episode: int, sensors: Sequence[str]) -> EpisodeNumbers:
        """Times, actions and some sensors of one episode; see `monde.data.streaming.Filmed`."""
        row = self._episodes[episode]
        found = {name: self._sensor(name) for name in sensors}
        keys = {name: self._description.keys[name] for name in sensors}
        action = [ACTION] if self.actions is not None else []
        table, where = (
            self._data.rows(row, 0, row.length, [*keys.values(), *action, self._time]),
            self._where(row, episode),
        )
        times = self._data.column(table, self._time, where).astype(np.float64)
        values = {
            name: self._data.finite(table, keys[name], where, 0, row.length).reshape(-1, *sensor.shape)
            for name, sensor in found.items()
        }
        if self.actions is None:
            return EpisodeNumbers(times, values, None)
        taken = self._data.finite(table, ACTION, where, 0, row.length - 1).reshape(-1, self.actions.dim)
        return EpisodeNumbers(times, values, taken)

    @property
    def gaps(self) -> tuple[str, ...]:
        """Sensors whose samples may be missing."""
        return tuple(self._description.gaps)

    @property
    def aged(self) -> tuple[str, ...]:
        """Sensors whose samples have ages."""
        return tuple(self._description.aged)

    def clocks(self, episode: int) -> EpisodeClocks:
        """Which samples of an episode are there, and how old they are; see `monde.data.streaming.Clocked`."""
        if not self.gaps and not self.aged:
            return EpisodeClocks()
        row, told = self._episodes[episode], self._description
        table = self._data.rows(row, 0, row.length, [*told.gaps.values(), *told.aged.values()])
        where = self._where(row, episode)
        return EpisodeClocks(
            {name: self._data.column(table, key, where) for name, key in told.gaps.items()},
            {name: self._data.column(table, key, where) for name, key in told.aged.items()},
        )

    def _told(self, sensor: Sensor, stream: Stream, table: pa.Table, where: str) -> Stream:
        """The stream with what further columns say of its samples, and the mask of a cloud."""
        gap, age = self._description.gaps.get(sensor.name), self._description.aged.get(sensor.name)
        if gap is not None:
            stream = replace(stream, valid=torch.from_numpy(self._data.column(table, gap, where).copy())[None])
        if age is not None:
            ages = torch.from_numpy(self._data.column(table, age, where).astype(np.float64))[None]
            stream = replace(stream, age_seconds=ages)
        if sensor.kind == "points":
            stream = replace(stream, mask=torch.from_numpy(cloud_mask(stream.values.numpy())))
        return stream

    def _images(self, column: pa.ChunkedArray, sensor: Sensor, where: str, start: int) -> Shaped[np.ndarray, "T h w C"]:
        form = self._description.depths.get(self._description.keys[sensor.name])
        if form is None:
            return image_frames(column, sensor, where, start)
        return depth_frames(column, sensor, form, where, start)

    @property
    def _time(self) -> str:
        return TIME if TIME in self._description.features else "timestamp"

    def _where(self, row: EpisodeRow, episode: int) -> str:
        return f"{self._data.path(row.data)}, episode {episode}"

    def _filmed(self, key: str) -> bool:
        return self._description.features[key]["dtype"] == "video"

    def __repr__(self) -> str:
        names = ", ".join(f"{sensor.name}:{sensor.kind}" for sensor in self.sensors)
        size = f"{len(self._episodes)} episodes, {sum(self.lengths)} frames"
        absent = f", {len(self._absent)} absent" if self._absent else ""
        return f"LeRobotRecording({str(self._root)!r}, {size}{absent}, {names})"

    def _episode(self, episode: int, start: int, stop: int) -> EpisodeRow:
        if not 0 <= episode < len(self._episodes):
            raise ContractError(f"there is no episode {episode}", expected=f"0 to {len(self._episodes) - 1}")
        row = self._episodes[episode]
        if not 0 <= start < stop <= row.length:
            raise ContractError(
                f"episode {episode} has no frames {start}:{stop}", expected=f"0 ≤ start < stop ≤ {row.length}"
            )
        return row

    def _sensor(self, name: str) -> Sensor:
        for sensor in self.sensors:
            if sensor.name == name:
                return sensor
        raise unknown_name("sensor", name, [sensor.name for sensor in self.sensors], ContractError)

    def _check_totals(self, listed: Sequence[EpisodeRow]) -> None:
        found = len(listed), sum(row.length for row in listed)
        if found == self._description.totals and found[0]:
            return
        if found == self._description.totals:
            raise DataError(f"{self._root} holds no episodes yet", remedy="record some: monde record")
        raise DataError(
            f"{self._root} is half written: {INFO} and meta/episodes disagree",
            got="{} episodes, {} frames".format(*found),
            expected="{} episodes, {} frames".format(*self._description.totals),
            remedy="continue its recording (opening it for writing sets the totals right), or restore meta/",
        )


def _stream(values: np.ndarray, times: torch.Tensor) -> Stream:
    tensor = torch.from_numpy(np.array(values))[None]
    return Stream(tensor, times, torch.ones(tensor.shape[:2], dtype=torch.bool))
