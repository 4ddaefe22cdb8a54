"""meta/episodes: one row per episode, saying how long it is, where its frames are and what they look like."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from monde.data.lerobot.layout import Place
from monde.data.lerobot.stats import FeatureStats
from monde.data.lerobot.tables import read_table
from monde.errors import DataError

_VIDEO = re.compile(r"videos/[^/]+/file_index")
_STRIP = ("chunk_index", "file_index", "from_timestamp")
_COLUMNS = (
    "episode_index",
    "tasks",
    "length",
    "data/chunk_index",
    "data/file_index",
    "dataset_from_index",
    "dataset_to_index",
)


@dataclass(frozen=True)
class Filmstrip:
    """Where one camera's frames of one episode are.

    Args:
        place: The video file.
        from_seconds: When the episode begins in it.
    """

    place: Place
    from_seconds: float


@dataclass(frozen=True)
class EpisodeRow:
    """Where one episode is.

    Args:
        index: Its number.
        tasks: Its tasks, in words.
        length: Frames.
        data: The data file that holds its rows.
        first: Number of its first frame in the whole dataset.
        videos: Where the frames of each camera are that is stored as video, by feature.
    """

    index: int
    tasks: tuple[str, ...]
    length: int
    data: Place
    first: int
    videos: Mapping[str, Filmstrip] = field(default_factory=dict)

    @property
    def stop(self) -> int:
        """Number of the frame after its last."""
        return self.first + self.length


def episode_files(root: Path) -> list[Path]:
    """The files of meta/episodes in the order of their names."""
    return sorted((root / "meta/episodes").glob("chunk-*/file-*.parquet"))


def episodes_table(
    episodes: Sequence[EpisodeRow],
    stats: Sequence[Mapping[str, FeatureStats]],
    place: Place,
    extra: Mapping[str, Sequence[object]],
) -> pa.Table:
    """Rows of one episodes file at `place`; `extra` holds further columns, such as where a video's frames are."""
    columns: dict[str, pa.Array] = {
        "episode_index": pa.array([row.index for row in episodes], pa.int64()),
        "tasks": pa.array([list(row.tasks) for row in episodes], pa.list_(pa.string())),
        "length": pa.array([row.length for row in episodes], pa.int64()),
        "data/chunk_index": pa.array([row.data.chunk for row in episodes], pa.int64()),
        "data/file_index": pa.array([row.data.file for row in episodes], pa.int64()),
        "dataset_from_index": pa.array([row.first for row in episodes], pa.int64()),
        "dataset_to_index": pa.array([row.stop for row in episodes], pa.int64()),
    }
    columns |= {name: pa.array(list(values)) for name, values in extra.items()}
    for key in stats[0]:
        forms = [episode[key].to_json() for episode in stats]
        columns |= {f"stats/{key}/{name}": pa.array([form[name] for form in forms]) for name in forms[0]}
    columns["meta/episodes/chunk_index"] = pa.array([place.chunk] * len(episodes), pa.int64())
    columns["meta/episodes/file_index"] = pa.array([place.file] * len(episodes), pa.int64())
    return pa.table(columns)


def read_episodes(files: Iterable[Path]) -> list[EpisodeRow]:
    """The rows of episodes files, in the order of their numbers.

    Raises:
        DataError: A file is damaged or lacks a column, or the episodes do not follow one another.
    """
    rows: list[EpisodeRow] = []
    for path in files:
        table = read_table(path)
        missing = [name for name in _COLUMNS if name not in table.column_names]
        if missing:
            raise DataError(
                f"{path} lacks columns",
                got=f"no {', '.join(missing)}",
                expected="the columns of LeRobot v3.0's meta/episodes",
                remedy="write the dataset again with the tool that made it",
            )
        filmed = [name.split("/")[1] for name in table.column_names if _VIDEO.fullmatch(name)]
        records = table.select([*_COLUMNS, *(f"videos/{key}/{part}" for key in filmed for part in _STRIP)]).to_pylist()
        if any(value is None for record in records for value in record.values()):
            raise DataError(f"{path} has empty cells", remedy="restore it from where the dataset came")
        rows += [
            EpisodeRow(
                int(record["episode_index"]),
                tuple(map(str, record["tasks"])),
                int(record["length"]),
                Place(int(record["data/chunk_index"]), int(record["data/file_index"])),
                int(record["dataset_from_index"]),
                {
                    key: Filmstrip(
                        Place(int(record[f"videos/{key}/chunk_index"]), int(record[f"videos/{key}/file_index"])),
                        float(record[f"videos/{key}/from_timestamp"]),
                    )
                    for key in filmed
                },
            )
            for record in records
        ]
        if any(record["dataset_to_index"] - record["dataset_from_index"] != record["length"] for record in records):
            raise DataError(f"{path} disagrees with itself on the length of an episode", expected="to - from = length")
    rows.sort(key=lambda row: row.index)
    _check_order(rows)
    return rows


def read_stats(path: Path, keys: Iterable[str]) -> list[dict[str, FeatureStats]]:
    """The statistics of each episode of one episodes file, for the features `keys`.

    Raises:
        DataError: The file is damaged or lacks statistics.
    """
    table = read_table(path)
    result: list[dict[str, FeatureStats]] = [{} for _ in range(len(table))]
    try:
        for key in keys:
            columns = {
                name: table[f"stats/{key}/{name}"].to_pylist() for name in ("min", "max", "mean", "std", "count")
            }
            for row, stats in enumerate(result):
                stats[key] = FeatureStats.from_json({name: values[row] for name, values in columns.items()})
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} lacks statistics", got=error, remedy="write the dataset again with the tool that made it"
        ) from error
    return result


def _check_order(rows: Sequence[EpisodeRow]) -> None:
    frame = 0
    for index, row in enumerate(rows):
        if row.index != index or row.first != frame or row.length < 1:
            raise DataError(
                "meta/episodes does not list episodes one after another",
                got=f"episode {row.index} of {row.length} frames from frame {row.first}",
                expected=f"episode {index} from frame {frame}",
                remedy="a file of meta/episodes is missing or doubled: restore it from where the dataset came",
            )
        frame = row.stop
