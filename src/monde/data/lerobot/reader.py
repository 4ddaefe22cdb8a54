"""Reading LeRobot v3.0 datasets, without the `lerobot` package."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import UInt8

from monde.data.lerobot.described import Description, describe_dataset, read_ours
from monde.data.lerobot.episodes import EpisodeRow, episode_files, read_episodes
from monde.data.lerobot.frames import decode_image
from monde.data.lerobot.layout import ACTION, INFO, OURS, TASKS, TIME, Place
from monde.data.lerobot.tables import READ_ERRORS, read_tasks, rows, unreadable
from monde.errors import ContractError, DataError, StoreError, unknown_name
from monde.store import read_json
from monde.types import ActionSpec, Clip, Sensor, Stream

_PIECE_BYTES = 64 * 1024
_PIECES_PER_FILE = 64
_PIECES = 4096
_COUNTERS = ("episode_index", "frame_index")


class LeRobotV3:
    """The layout of LeRobot v3.x, images in Parquet."""

    name = "LeRobot v3.0"

    def detect(self, root: Path) -> bool:
        """Whether meta/info.json says v3."""
        try:
            return str(read_json(root / INFO).get("codebase_version", "")).startswith("v3.")
        except StoreError:
            return False

    def open(self, root: Path) -> "LeRobotRecording":
        """Read what the dataset says of itself and look whether its files are there.

        Raises:
            DataError: Malformed, half written, or files missing or short.
        """
        return LeRobotRecording(root)


class LeRobotRecording:
    """A LeRobot v3 dataset on disk: a `Recording`. Nothing but the descriptions is kept in memory.

    Its `fingerprint` is a SHA-256 over meta/ (without statistics) and, of each data file, name, size and up to 64
    pieces of 64 KiB spread evenly over it: files up to 4 MiB whole, and never more than about 256 MiB of a dataset, so
    that it takes a fraction of a second. A change that moves bytes always shows; one in place, in a part of a large
    file that is not looked at, does not, but then the checksum of its page fails when it is read (where the writer made
    one; ours does).

    Raises:
        DataError: See `LeRobotV3.open`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._description: Description = describe_dataset(root)
        self._episodes = tuple(read_episodes(episode_files(root)))
        self._check_totals()
        self._video_refused()
        # File by file: number of the first frame in it, and where its row groups begin.
        held: dict[Place, list[EpisodeRow]] = {}
        for row in self._episodes:
            held.setdefault(row.data, []).append(row)
        self._files = {place: self._file(place, rows) for place, rows in held.items()}
        self._tasks = read_tasks(root / TASKS)

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
        total = hashlib.sha256()
        metas = [self._root / name for name in (INFO, OURS, TASKS) if (self._root / name).exists()]
        paths = [*metas, *episode_files(self._root), *(self._path(place) for place in self._files)]
        for path in paths:
            total.update(f"{path.relative_to(self._root).as_posix()}\0{path.stat().st_size}\0".encode())
            total.update(_hash_pieces(path, min(_PIECES_PER_FILE, max(2, _PIECES // len(paths)))))
        return total.hexdigest()

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        """Frames `start` to `stop` (exclusive) of one episode, as a clip of B = 1.

        Raises:
            ContractError: An episode, range or sensor that does not exist.
            DataError: The rows are missing, damaged, or hold NaN; the error names file, column and frame.
        """
        row = self._episode(episode, start, stop)
        wanted = [self._sensor(name) for name in sensors] if sensors is not None else list(self.sensors)
        keys = [self._description.keys[sensor.name] for sensor in wanted]
        time = TIME if TIME in self._description.features else "timestamp"
        action = [ACTION] if self.actions is not None else []
        table = self._rows(row, start, stop, [*keys, *action, time, *_COUNTERS])
        where = f"{self._path(row.data)}, episode {episode}"
        times = torch.from_numpy(self._column(table, time, where).astype(np.float64))[None]
        streams = {}
        for sensor, key in zip(wanted, keys, strict=True):
            if sensor.kind == "rgb":
                values = _frames(table[key], sensor, where, start).transpose(0, 3, 1, 2)
            else:
                values = self._finite(table, key, where, start, len(table)).reshape(-1, *sensor.shape)
            streams[sensor.name] = _stream(values, times)
        if self.actions is None:
            return Clip(streams)
        taken = self._finite(table, ACTION, where, start, len(table) - 1).reshape(-1, self.actions.dim)
        return Clip(streams, _stream(taken, times[:, :-1]))

    def __repr__(self) -> str:
        names = ", ".join(f"{sensor.name}:{sensor.kind}" for sensor in self.sensors)
        size = f"{len(self._episodes)} episodes, {sum(self.lengths)} frames"
        return f"LeRobotRecording({str(self._root)!r}, {size}, {names})"

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

    def _path(self, place: Place) -> Path:
        return place.path(self._root, self._description.data_path)

    def _rows(self, row: EpisodeRow, start: int, stop: int, columns: list[str]) -> pa.Table:
        path, (base, bounds) = self._path(row.data), self._files[row.data]
        first, last = row.first - base + start, row.first - base + stop
        groups = range(int(np.searchsorted(bounds, first, "right")) - 1, int(np.searchsorted(bounds, last, "left")))
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                missing = [name for name in columns if name not in file.schema_arrow.names]
                if missing:
                    raise DataError(
                        f"{path} lacks columns", got=f"no {', '.join(missing)}", expected=f"the features of {INFO}"
                    )
                table = file.read_row_groups(list(groups), columns=columns, use_threads=False)
        except READ_ERRORS as error:
            raise unreadable(path, error) from error
        table = table.slice(first - int(bounds[groups[0]]), last - first).combine_chunks()
        counters = np.stack([self._column(table, name, str(path)) for name in _COUNTERS])
        expected = np.stack([np.full(stop - start, row.index), np.arange(start, stop)])
        if counters.shape != expected.shape or (counters != expected).any():
            raise DataError(
                f"{path} does not hold frames {start} to {stop - 1} of episode {row.index} where meta/episodes says",
                got=f"episode {counters[0][:1]}, frame {counters[1][:1]}, {len(table)} rows",
                expected=f"{stop - start} rows",
                remedy="data and meta/episodes are of different versions: restore both from where they came",
            )
        return table

    def _column(self, table: pa.Table, key: str, where: str) -> np.ndarray:
        return rows(table[key], self._description.features[key], f"{where}, column {key!r}")

    def _finite(self, table: pa.Table, key: str, where: str, start: int, count: int) -> np.ndarray:
        values = self._column(table.slice(0, count), key, where).astype(np.float32)
        finite = np.isfinite(values)
        if not finite.all():
            frame, *component = (int(index) for index in np.argwhere(~finite)[0])
            raise DataError(
                f"{where}, column {key!r} holds NaN or infinite values",
                got=f"{int((~finite).sum())}, the first in frame {start + frame}, component {component}",
                expected="finite numbers",
                remedy="leave this episode out, or find out why the sensor delivered none; nothing is filled in here",
            )
        return values

    def _check_totals(self) -> None:
        found = len(self._episodes), sum(self.lengths)
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

    def _video_refused(self) -> None:
        for name, key in self._description.keys.items():
            if self._description.features[key]["dtype"] == "video":
                raise DataError(
                    f"{self._root} stores sensor {name!r} as video, which cannot be read yet",
                    expected="features of dtype image",
                    remedy="store its frames as images",
                )

    def _file(self, place: Place, held: list[EpisodeRow]) -> tuple[int, np.ndarray]:
        path = self._path(place)
        try:
            metadata = pq.read_metadata(path)
        except READ_ERRORS as error:
            raise unreadable(path, error) from error
        groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
        bounds = np.cumsum([0, *groups])
        if (
            any(before.stop != after.first for before, after in pairwise(held))
            or held[-1].stop - held[0].first > bounds[-1]
        ):
            raise DataError(
                f"{path} holds fewer rows than meta/episodes says",
                got=f"{bounds[-1]} rows",
                expected=f"{sum(row.length for row in held)} rows for episodes {held[0].index} to {held[-1].index}",
                remedy="restore it from where the dataset came",
            )
        return held[0].first, bounds


def _frames(column: pa.ChunkedArray, sensor: Sensor, where: str, start: int) -> UInt8[np.ndarray, "T h w 3"]:
    _, height, width = sensor.shape
    result = np.empty((len(column), height, width, 3), dtype=np.uint8)
    for index, cell in enumerate(column):
        place = f"{where}, frame {start + index}, sensor {sensor.name!r}"
        data = cell.as_py() or {}
        if not data.get("bytes"):
            raise DataError(
                f"{place} holds no image", got=data.get("path"), expected="the image's bytes in the Parquet file"
            )
        result[index] = decode_image(data["bytes"], height, width, place)
    return result


def _stream(values: np.ndarray, times: torch.Tensor) -> Stream:
    tensor = torch.from_numpy(np.array(values))[None]
    return Stream(tensor, times, torch.ones(tensor.shape[:2], dtype=torch.bool))


def _hash_pieces(path: Path, pieces: int) -> bytes:
    size = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if size <= pieces * _PIECE_BYTES:
            digest.update(file.read())
        else:
            for offset in np.linspace(0, size - _PIECE_BYTES, pieces).astype(int):
                file.seek(int(offset))
                digest.update(file.read(_PIECE_BYTES))
    return digest.digest()
