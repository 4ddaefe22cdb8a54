"""The Parquet files of a LeRobot dataset: rows of an episode, checked to be those."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monde.data.lerobot.described import Description
from monde.data.lerobot.episodes import EpisodeRow
from monde.data.lerobot.layout import INFO, Place
from monde.data.lerobot.tables import READ_ERRORS, rows, unreadable
from monde.errors import DataError

COUNTED = ("episode_index", "frame_index")
"""Columns that say which episode and frame a row is."""


class DataFiles:
    """Where the rows of each episode are.

    Args:
        root: Folder of the dataset.
        description: What it says of itself.
        episodes: Those whose files are there.

    Raises:
        DataError: A file is damaged or shorter than the episodes in it.
    """

    def __init__(self, root: Path, description: Description, episodes: Sequence[EpisodeRow]) -> None:
        self._root, self._description = root, description
        # File by file: number of the first frame in it, and where its row groups begin.
        held: dict[Place, list[EpisodeRow]] = {}
        for row in episodes:
            held.setdefault(row.data, []).append(row)
        self._files = {place: self._file(place, rows) for place, rows in held.items()}

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, in the order of their episodes."""
        return tuple(self.path(place) for place in self._files)

    def path(self, place: Place) -> Path:
        """The file at a place."""
        return place.path(self._root, self._description.data_path)

    def rows(self, row: EpisodeRow, start: int, stop: int, columns: list[str]) -> pa.Table:
        """Frames `start` to `stop` (exclusive) of an episode, the named columns and `COUNTED`.

        Raises:
            DataError: Columns or rows are missing, damaged, or those of another episode.
        """
        columns = [*columns, *COUNTED]
        path, (base, bounds) = self.path(row.data), self._files[row.data]
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
        counters = np.stack([self.column(table, name, str(path)) for name in COUNTED])
        expected = np.stack([np.full(stop - start, row.index), np.arange(start, stop)])
        if counters.shape != expected.shape or (counters != expected).any():
            raise DataError(
                f"{path} does not hold frames {start} to {stop - 1} of episode {row.index} where meta/episodes says",
                got=f"episode {counters[0][:1]}, frame {counters[1][:1]}, {len(table)} rows",
                expected=f"{stop - start} rows",
                remedy="data and meta/episodes are of different versions: restore both from where they came",
            )
        return table

    def column(self, table: pa.Table, key: str, where: str) -> np.ndarray:
        """The values of one column, [n, ...]; `where` says in errors what they are of."""
        return rows(table[key], self._description.features[key], f"{where}, column {key!r}")

    def finite(self, table: pa.Table, key: str, where: str, start: int, count: int) -> np.ndarray:
        """The first `count` values of a column as float32, refused if they are not finite."""
        values = self.column(table.slice(0, count), key, where).astype(np.float32)
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

    def _file(self, place: Place, held: list[EpisodeRow]) -> tuple[int, np.ndarray]:
        path = self.path(place)
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
