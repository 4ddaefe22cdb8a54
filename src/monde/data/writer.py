"""`RecordingWriter`: episodes into a LeRobot v3.0 dataset, a batch at a time, each batch whole or not at all."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Float32

from monde.data.episode import EpisodeData, LazyFrames
from monde.data.lerobot.depth import DepthImages
from monde.data.lerobot.episodes import EpisodeRow, episodes_table
from monde.data.lerobot.frames import FrameStorage, ImageFrames, StoredFrames
from monde.data.lerobot.layout import (
    ACTION,
    AGE,
    DATA_PATH,
    EPISODES_PATH,
    INFO,
    OURS,
    OURS_SCHEMA,
    STATS,
    TASKS,
    TIME,
    VALID,
    Feature,
    feature_key,
    features,
    frames_per_second,
    info,
)
from monde.data.lerobot.recovery import Progress, check_folder, check_same, check_storage, recover
from monde.data.lerobot.stats import FeatureStats, WatchedFrames
from monde.data.lerobot.tables import column, schema, tasks_table, write_table
from monde.data.lock import FolderLock
from monde.data.samples import stored_samples
from monde.errors import ContractError, StoreError, unknown_name
from monde.limits import MAX_SENSORS
from monde.store import digest_json, read_json, write_json
from monde.store.atomic import disk_error
from monde.store.typed import to_json
from monde.types import ActionSpec, Sensor


class RecordingWriter:
    """Writes episodes into a dataset that LeRobot's own tools open, and continues one that was begun before.

    Every `append` adds one data file and one episodes file. It returns once all of it is on disk; if it fails, or the
    process is killed in it, the dataset holds what it held before (the next writer clears what was left over).
    The action of an episode's last row repeats the one before it: LeRobot wants one per row, and there is none.

    Args:
        root: Folder of the dataset; new or empty, or one written by an equal writer.
        sensors: What each episode holds.
        actions: The action space (block = 1), or none for recordings without actions.
        source: Where the recording comes from (JSON); a dataset is continued only from the same source.
        frames: How camera frames are stored; lossless images by default. Depth is stored as lossless images always.
        gaps: Names of sensors whose samples may be missing (`EpisodeData.valid`): each costs a column.
        aged: Names of sensors whose samples have ages (`EpisodeData.age_seconds`), likewise.

    Raises:
        ContractError: Sensors or actions that cannot be recorded.
        DataError: The folder holds something else, a recording of other sensors, actions, source or storage (it says
            which), or another process is writing into it.
        StoreError: The disk is full or read-only.
    """

    def __init__(
        self,
        root: Path,
        *,
        sensors: tuple[Sensor, ...],
        actions: ActionSpec | None,
        source: Mapping[str, object],
        frames: FrameStorage | None = None,
        gaps: Sequence[str] = (),
        aged: Sequence[str] = (),
    ) -> None:
        _check(sensors, actions, source)
        _check_clocks(sensors, gaps, aged)
        self._gaps, self._aged = tuple(gaps), tuple(aged)
        self._root, self._sensors, self._actions = Path(root), sensors, actions
        self._cameras = tuple(sensor for sensor in sensors if sensor.picture)
        self._frames = frames or ImageFrames()
        self._fps = frames_per_second(sensors, actions)
        self._features = features(sensors, actions, self._frame_features(), self._gaps, self._aged)
        self._schema = schema(self._features)
        check_folder(self._root)
        try:
            self._lock: FolderLock | None = FolderLock(self._root / "meta")
        except OSError as error:
            raise disk_error(self._root, error) from error
        try:
            self._progress = self._open(dict(source))
        except BaseException:
            self.close()
            raise

    @property
    def root(self) -> Path:
        """Folder of the dataset."""
        return self._root

    @property
    def episodes_written(self) -> int:
        """Episodes on disk, those of earlier writers included."""
        return self._progress.episodes

    def append(self, episodes: Sequence[EpisodeData]) -> None:
        """Add episodes. On return they are durable; if it raises, none of them is in the dataset.

        Raises:
            ContractError: An episode is not of this recording's sensors and actions, or the writer is closed.
            StoreError: The disk is full or read-only.
        """
        if self._lock is None:
            raise ContractError("this RecordingWriter is closed", remedy="open a new one on the same folder")
        for index, episode in enumerate(episodes):
            try:
                episode.check(self._sensors, self._actions)
                self._check_declared(episode)
            except ContractError as error:
                raise ContractError(
                    f"episode {index} of this batch cannot be recorded: {error.what}",
                    got=error.got,
                    expected=error.expected,
                    remedy=error.remedy,
                ) from error
        if episodes:
            self._progress = self._append(episodes)

    def close(self) -> None:
        """Let others write. Nothing is pending: every append was complete."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_declared(self, episode: EpisodeData) -> None:
        missing = [n for n, valid in episode.valid.items() if n not in self._gaps and not valid.all()]
        aged = [name for name in episode.age_seconds if name not in self._aged]
        if missing or aged:
            raise ContractError(
                "samples are missing, or have ages, of sensors of which the recording does not say so",
                got=f"missing {missing}, with ages {aged}",
                expected=f"missing {list(self._gaps)}, with ages {list(self._aged)}",
                remedy="name them when the writer is made: gaps=[...], aged=[...]",
            )

    def _open(self, source: Mapping[str, object]) -> Progress:
        ours: dict[str, object] = {
            "schema": OURS_SCHEMA,
            "sensors": to_json(self._sensors),
            "actions": to_json(self._actions),
            "source": source,
        }
        if (self._root / OURS).exists():
            check_same(self._root, self._sensors, self._actions, source)
            check_storage(self._root, self._features)
            progress = recover(self._root, self._features)
        else:
            write_json(self._root / OURS, ours)
            progress = Progress()
        found = read_json(self._root / INFO) if (self._root / INFO).exists() else {}
        if found != self._info(progress) or (progress.stats and not (self._root / STATS).exists()):
            self._write_totals(progress)
        return progress

    def _append(self, episodes: Sequence[EpisodeData]) -> Progress:
        before = self._progress
        tasks = list(dict.fromkeys([*before.tasks, *(episode.task for episode in episodes)]))
        starts = before.frames + np.cumsum([0, *(episode.steps for episode in episodes)])
        rows = [
            EpisodeRow(before.episodes + index, (episode.task,), episode.steps, before.data, int(starts[index]))
            for index, episode in enumerate(episodes)
        ]
        with contextlib.ExitStack() as undo:
            if len(tasks) > len(before.tasks):
                # Written first and never taken back: a task that no row refers to does no harm.
                write_table(self._root / TASKS, [tasks_table(tasks)])
            stored: dict[str, StoredFrames] = {}
            watched: dict[str, list[WatchedFrames]] = {}
            for sensor in self._cameras:
                depth = sensor.kind == "depth"
                watched[sensor.name] = [WatchedFrames(episode.values[sensor.name], depth) for episode in episodes]
                part = self._storage(sensor).store(self._root, before.data, sensor, watched[sensor.name])
                stored[sensor.name] = part
                for path in part.files:
                    undo.callback(_remove, path)
            columns, numbers = self._columns(episodes, rows, tasks, stored)
            stats = [
                {key: FeatureStats.of(_delivered(key, values, part)) for key, values in part.items()}
                | {feature_key(sensor): watched[sensor.name][index].levels.stats() for sensor in self._cameras}
                for index, part in enumerate(numbers)
            ]
            data = before.data.path(self._root, DATA_PATH)
            meta = before.meta.path(self._root, EPISODES_PATH)
            for path in (data, meta):
                undo.callback(_remove, path)
            write_table(data, [columns.slice(row.first - rows[0].first, row.length) for row in rows])
            extra = {name: values for part in stored.values() for name, values in part.episode_columns.items()}
            write_table(meta, [episodes_table(rows, stats, before.meta, extra)])
            after = Progress(
                episodes=before.episodes + len(episodes),
                frames=int(starts[-1]),
                tasks=tuple(tasks),
                stats={
                    key: FeatureStats.pooled([*([before.stats[key]] if before.stats else []), *(s[key] for s in stats)])
                    for key in self._features
                },
                data=before.data.after,
                meta=before.meta.after,
            )
            # Last in, first undone: an interrupt may come when the totals already count the new episodes.
            undo.callback(self._restore_totals, before)
            self._write_totals(after)
            undo.pop_all()
        return after

    def _columns(
        self,
        episodes: Sequence[EpisodeData],
        rows: Sequence[EpisodeRow],
        tasks: Sequence[str],
        stored: Mapping[str, StoredFrames],
    ) -> tuple[pa.Table, list[dict[str, np.ndarray]]]:
        """The rows of the data file, and the numbers of each episode by feature."""
        columns: dict[str, pa.Array] = {
            feature_key(sensor): stored[sensor.name].column
            for sensor in self._cameras
            if stored[sensor.name].column is not None
        }
        numbers = [self._numbers(episode, row, tasks.index(episode.task)) for episode, row in zip(episodes, rows)]
        for key in numbers[0]:
            columns[key] = column(np.concatenate([part[key] for part in numbers]), self._features[key])
        return pa.Table.from_arrays([columns[name] for name in self._schema.names], schema=self._schema), numbers

    def _numbers(self, episode: EpisodeData, row: EpisodeRow, task: int) -> dict[str, np.ndarray]:
        steps = np.arange(episode.steps, dtype=np.int64)
        result: dict[str, np.ndarray] = {
            feature_key(sensor): stored_samples(sensor, values, episode.valid.get(sensor.name))
            for sensor in self._sensors
            if not sensor.picture and not isinstance(values := episode.values[sensor.name], LazyFrames)
        }
        if self._actions is not None and episode.actions is not None:
            result[ACTION] = pad_actions(np.asarray(episode.actions, dtype=np.float32))
        everything, nothing = np.ones(episode.steps, dtype=np.bool_), np.zeros(episode.steps)
        result |= {VALID + name: episode.valid.get(name, everything) for name in self._gaps}
        result |= {AGE + name: episode.age_seconds.get(name, nothing) for name in self._aged}
        return result | {
            TIME: episode.times_seconds,
            "timestamp": (steps / self._fps).astype(np.float32),
            "frame_index": steps,
            "episode_index": np.full(episode.steps, row.index, dtype=np.int64),
            "index": steps + row.first,
            "task_index": np.full(episode.steps, task, dtype=np.int64),
        }

    def _frame_features(self) -> dict[str, Feature]:
        return {sensor.name: self._storage(sensor).feature(sensor, float(self._fps)) for sensor in self._cameras}

    def _storage(self, sensor: Sensor) -> FrameStorage:
        return DepthImages() if sensor.kind == "depth" else self._frames

    def _info(self, progress: Progress) -> dict[str, object]:
        return info(
            self._features, self._fps, progress.episodes, progress.frames, len(progress.tasks), self._frames.video_path
        )

    def _write_totals(self, progress: Progress) -> None:
        if progress.stats:
            write_json(self._root / STATS, {key: stats.to_json() for key, stats in progress.stats.items()})
        write_json(self._root / INFO, self._info(progress))

    def _restore_totals(self, progress: Progress) -> None:
        # Where the disk is full the new totals were never written either, and the old ones still stand.
        with contextlib.suppress(StoreError):
            self._write_totals(progress)


def pad_actions(actions: Float[np.ndarray, "T1 A"]) -> Float32[np.ndarray, "T A"]:
    """Control steps [T-1, A] as LeRobot stores them, one per row: the last is repeated (zeros where there is none)."""
    last = actions[-1:] if len(actions) else np.zeros((1, actions.shape[1]), dtype=np.float32)
    return np.concatenate([actions, last]).astype(np.float32)


def _delivered(key: str, values: np.ndarray, part: Mapping[str, np.ndarray]) -> np.ndarray:
    """The samples of a feature that are there."""
    valid = part.get(VALID + key.removeprefix("observation."))
    return values if valid is None else values[valid]


def _check_clocks(sensors: tuple[Sensor, ...], gaps: Sequence[str], aged: Sequence[str]) -> None:
    known = [sensor.name for sensor in sensors]
    for name in [*gaps, *aged]:
        if name not in known:
            raise unknown_name("sensor", name, known, ContractError)


def _remove(path: Path) -> None:
    # What cannot be removed now (the disk has become read-only) is not referred to, and goes at the next opening.
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _check(sensors: tuple[Sensor, ...], actions: ActionSpec | None, source: Mapping[str, object]) -> None:
    if not 0 < len(sensors) <= MAX_SENSORS:
        raise ContractError("a recording needs sensors", got=len(sensors), expected=f"1 to {MAX_SENSORS}")
    keys = [feature_key(sensor) for sensor in sensors]
    taken = sorted({key for key in keys if keys.count(key) > 1})
    if taken or len({sensor.name for sensor in sensors}) < len(sensors):
        raise ContractError("two sensors of a recording share a name", got=sorted(keys), expected="unique names")
    if actions is not None and actions.block != 1:
        raise ContractError(
            "a recording holds control steps, not blocks",
            got=f"block = {actions.block}",
            expected="block = 1",
            remedy="pass actions.with_block(1)",
        )
    try:
        digest_json(dict(source))
    except (TypeError, ValueError) as error:
        raise ContractError(
            "the source of a recording must be JSON", got=error, expected="text, numbers, lists"
        ) from error
