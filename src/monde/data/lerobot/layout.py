"""Names, paths and features of the LeRobot v3.0 layout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monde.errors import DataError
from monde.types import ActionSpec, Sensor

VERSION = "v3.0"
CHUNK_FILES = 1000
"""Files in one chunk folder (lerobot's DEFAULT_CHUNK_SIZE)."""
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
EPISODES_PATH = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
INFO = "meta/info.json"
STATS = "meta/stats.json"
EPISODES_V2 = "meta/episodes.jsonl"
EPISODES_STATS_V2 = "meta/episodes_stats.jsonl"
TASKS_V2 = "meta/tasks.jsonl"
TASKS = "meta/tasks.parquet"
OURS = "meta/monde.json"
OURS_SCHEMA = "monde.recording/1"
ACTION = "action"
TIME = "time_seconds"
"""Our extra column: exact float64 times. LeRobot's own `timestamp` is float32 and nominal, frame_index / fps."""
VALID = "valid."
"""Prefix of our extra columns that say which samples of a sensor were delivered."""
AGE = "age_seconds."
"""Prefix of our extra columns that say how much older than its frame a sample is (float64)."""
COUNTERS = ("timestamp", "frame_index", "episode_index", "index", "task_index")
"""The columns every LeRobot dataset has (lerobot's DEFAULT_FEATURES)."""

Feature = dict[str, object]


@dataclass(frozen=True, order=True)
class Place:
    """Which file of a dataset: chunk folder and number in it. Files sort by name in the order of their places."""

    chunk: int
    file: int

    @classmethod
    def number(cls, index: int) -> "Place":
        """The place of the index-th file of a dataset."""
        return cls(index // CHUNK_FILES, index % CHUNK_FILES)

    @property
    def after(self) -> "Place":
        """The next place."""
        return Place.number(self.chunk * CHUNK_FILES + self.file + 1)

    def path(self, root: Path, template: str, **fields: str) -> Path:
        """The file at this place; a template that leads out of the dataset is refused.

        Raises:
            DataError: The template is malformed or leaves `root`.
        """
        try:
            # The second pair are the names that v2.1 has for them.
            relative = template.format(
                chunk_index=self.chunk,
                file_index=self.file,
                episode_chunk=self.chunk,
                episode_index=self.file,
                **fields,
            )
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise DataError(
                f"{root / INFO} holds an unusable path template", got=template, expected=DATA_PATH
            ) from error
        path = root / relative
        # Compared as text, not resolved: files of a downloaded dataset are often links into a shared blob store.
        if Path(relative).is_absolute() or ".." in Path(relative).parts:
            raise DataError(
                f"{root / INFO} names a path outside of the dataset",
                got=relative,
                expected="a path inside it",
                remedy="do not use this dataset unless you know where it is from; correct data_path in meta/info.json",
            )
        return path


def feature_key(sensor: Sensor) -> str:
    """The feature that holds a sensor: rgb `top` → observation.images.top, state `joints` → observation.joints."""
    return f"observation.images.{sensor.name}" if sensor.kind == "rgb" else f"observation.{sensor.name}"


def frames_per_second(sensors: tuple[Sensor, ...], actions: ActionSpec | None) -> int | float:
    """`fps` of info.json: the control rate, or the fastest sensor's rate where there are no actions. Whole if it is."""
    rate = 1.0 / actions.dt_seconds if actions is not None else max(sensor.rate_hz for sensor in sensors)
    return round(rate) if abs(rate - round(rate)) < 1e-9 * rate else rate


def features(
    sensors: tuple[Sensor, ...],
    actions: ActionSpec | None,
    frames: Mapping[str, Feature],
    gaps: Sequence[str] = (),
    aged: Sequence[str] = (),
) -> dict[str, Feature]:
    """`features` of info.json.

    Args:
        sensors: What is recorded.
        actions: The action space, or none.
        frames: Features of cameras and depth, which depend on how pictures are stored.
        gaps: Sensors whose samples may be missing.
        aged: Sensors whose samples have ages.
    """
    result: dict[str, Feature] = {}
    for sensor in sensors:
        key = feature_key(sensor)
        if sensor.picture:
            result[key] = dict(frames[sensor.name])
        else:
            names = list(sensor.names) if len(sensor.shape) == 1 and sensor.names else None
            result[key] = {"dtype": "float32", "shape": list(sensor.shape), "names": names}
    if actions is not None:
        names = list(actions.names) or None
        result[ACTION] = {"dtype": "float32", "shape": [actions.dim], "names": names}
    result |= {VALID + name: {"dtype": "bool", "shape": [1], "names": None} for name in gaps}
    result |= {AGE + name: {"dtype": "float64", "shape": [1], "names": None} for name in aged}
    result[TIME] = {"dtype": "float64", "shape": [1], "names": None}
    result["timestamp"] = {"dtype": "float32", "shape": [1], "names": None}
    for key in COUNTERS[1:]:
        result[key] = {"dtype": "int64", "shape": [1], "names": None}
    return result


def info(
    features: Mapping[str, Feature],
    fps: int | float,
    episodes: int,
    frames: int,
    tasks: int,
    video_path: str | None,
) -> dict[str, object]:
    """The document of meta/info.json."""
    return {
        "codebase_version": VERSION,
        "robot_type": None,
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": tasks,
        "chunks_size": CHUNK_FILES,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": fps,
        "splits": {"train": f"0:{episodes}"} if episodes else {},
        "data_path": DATA_PATH,
        "video_path": video_path,
        "features": dict(features),
    }
