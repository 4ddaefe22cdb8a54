"""`ArrayRecording`: episodes as rows of arrays. HDF5, RLDS and Zarr differ only in where those lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Shaped

from monde.data.columns import Column, finite_numbers, pictures
from monde.data.fingerprint import fingerprint_files
from monde.errors import ContractError, DataError, unknown_name
from monde.limits import MAX_EPISODE_STEPS, MAX_EPISODES, MAX_SENSORS
from monde.types import ActionSpec, Clip, Sensor, Stream


@runtime_checkable
class Rows(Protocol):
    """The arrays of a dataset on disk."""

    def read(
        self, episode: int, start: int, stop: int, keys: Sequence[str]
    ) -> Mapping[str, Shaped[np.ndarray, "_ ..."]]:
        """Rows `start` to `stop` of some arrays of one episode, [T, ...] each.

        Raises:
            DataError: Missing or damaged.
        """
        ...

    def where(self, episode: int) -> str:
        """The file and the place in it, for errors."""
        ...


@dataclass(frozen=True, kw_only=True)
class ArrayDescription:
    """A dataset of arrays in words.

    Args:
        root: The folder or file that was opened.
        layout: What its layout is called.
        columns: Its sensors.
        actions: The action space, or none.
        action_keys: The arrays that make up the actions, joined in this order.
        lengths: Frames of each episode.
        rate_hz: Frames per second: these layouts store no times.
        files: The files that hold it.
        tasks: The task of each episode in words, or empty.
        splits: Episode indices by split.
        source: What is known of where it comes from (JSON).

    Raises:
        DataError: No or too many sensors, two of one name, or episodes that are none, too many, empty or too long.
    """

    root: Path
    layout: str
    columns: tuple[Column, ...]
    actions: ActionSpec | None
    action_keys: tuple[str, ...]
    lengths: tuple[int, ...]
    rate_hz: float
    files: tuple[Path, ...]
    tasks: tuple[str, ...] = ()
    splits: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    source: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [column.sensor.name for column in self.columns]
        if not 0 < len(names) <= MAX_SENSORS or len(set(names)) < len(names):
            raise DataError(
                f"{self.root} has no usable sensors",
                got=", ".join(names)[:200] or "none",
                expected=f"1 to {MAX_SENSORS} numeric arrays or pictures, of different names",
            )
        if not 0 < len(self.lengths) <= MAX_EPISODES:
            raise DataError(
                f"{self.root} holds no episodes, or too many", got=len(self.lengths), expected=f"≤ {MAX_EPISODES}"
            )
        bad = [index for index, length in enumerate(self.lengths) if not 0 < length <= MAX_EPISODE_STEPS]
        if bad:
            raise DataError(
                f"episode {bad[0]} of {self.root} has no usable length",
                got=f"{self.lengths[bad[0]]} frames",
                expected=f"1 to {MAX_EPISODE_STEPS}",
                remedy="leave it out of the dataset",
            )


class ArrayRecording:
    """A dataset of arrays on disk: a `Recording`. Nothing but its description is kept in memory.

    Row t of the actions is what was done after frame t; the last one of an episode leads nowhere and is left out. Times
    are nominal, frame / rate. `fingerprint` is that of `fingerprint_files`.

    Args:
        description: What there is.
        rows: Where it is.
    """

    def __init__(self, description: ArrayDescription, rows: Rows) -> None:
        self._description, self._rows = description, rows
        self._columns = {column.sensor.name: column for column in description.columns}

    @property
    def root(self) -> Path:
        """The folder or file that was opened; opening it again gives the same recording."""
        return self._description.root

    @property
    def source(self) -> Mapping[str, object]:
        """What is known of where it comes from, and of what had to be assumed."""
        return MappingProxyType(dict(self._description.source))

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What was recorded."""
        return tuple(column.sensor for column in self._description.columns)

    @property
    def actions(self) -> ActionSpec | None:
        """The actions' space (block = 1), a box around what was done; or none."""
        return self._description.actions

    @property
    def lengths(self) -> tuple[int, ...]:
        """Frames of each episode."""
        return self._description.lengths

    @property
    def tasks(self) -> tuple[str, ...]:
        """The task of each episode, in words; empty texts where none is stored."""
        return self._description.tasks or ("",) * len(self.lengths)

    @property
    def splits(self) -> Mapping[str, tuple[int, ...]]:
        """Episode indices by the splits that the dataset's maker made; empty where there are none."""
        return MappingProxyType(dict(self._description.splits))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the files; see `fingerprint_files`."""
        root = self.root
        return fingerprint_files(root, self._description.files)

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        """Frames `start` to `stop` (exclusive) of one episode, as a clip of B = 1.

        Raises:
            ContractError: An episode, range or sensor that does not exist.
            DataError: The rows are missing, damaged, or hold NaN; the error names place, array, frame and component.
        """
        self._check(episode, start, stop)
        wanted = [self._column(name) for name in (self._columns if sensors is None else sensors)]
        action_keys = self._description.action_keys if self.actions is not None else ()
        keys = list(dict.fromkeys([*(column.key for column in wanted), *action_keys]))
        rows, where = self._rows.read(episode, start, stop, keys), self._rows.where(episode)
        for key in keys:
            if len(rows[key]) != stop - start:
                raise unequal(where, key, len(rows[key]), stop - start)
        times = torch.arange(start, stop, dtype=torch.float64)[None] / self._description.rate_hz
        streams = {}
        for column in wanted:
            values = rows[column.key]
            if column.sensor.kind == "rgb":
                samples: np.ndarray = pictures(values, column, where, start).transpose(0, 3, 1, 2)
            else:
                samples = finite_numbers(values, column.key, where, start).reshape(-1, *column.sensor.shape)
            streams[column.sensor.name] = _stream(samples, times)
        if self.actions is None:
            return Clip(streams)
        parts = [_flat(finite_numbers(rows[key][:-1], key, where, start)) for key in action_keys]
        return Clip(streams, _stream(np.concatenate(parts, axis=1), times[:, :-1]))

    def __repr__(self) -> str:
        names = ", ".join(f"{sensor.name}:{sensor.kind}" for sensor in self.sensors)
        size = f"{len(self.lengths)} episodes, {sum(self.lengths)} frames"
        return f"ArrayRecording({self._description.layout}, {str(self.root)!r}, {size}, {names})"

    def _check(self, episode: int, start: int, stop: int) -> None:
        if not 0 <= episode < len(self.lengths):
            raise ContractError(f"there is no episode {episode}", expected=f"0 to {len(self.lengths) - 1}")
        if not 0 <= start < stop <= self.lengths[episode]:
            raise ContractError(
                f"episode {episode} has no frames {start}:{stop}",
                expected=f"0 ≤ start < stop ≤ {self.lengths[episode]}",
            )

    def _column(self, name: str) -> Column:
        if name not in self._columns:
            raise unknown_name("sensor", name, list(self._columns), ContractError)
        return self._columns[name]


def unequal(where: str, key: str, got: int, expected: int) -> DataError:
    """The error for an array that has more or fewer rows than the episode has frames."""
    return DataError(
        f"{where}: array {key!r} has another length than the episode",
        got=f"{got} rows",
        expected=f"{expected}",
        remedy="leave this episode out, or write the file again with one row of every array per frame",
    )


def rate_of(rate_hz: float | None, assumed: float) -> tuple[float, Mapping[str, object]]:
    """The rate to use, and what the source has to say of it.

    Raises:
        ContractError: A rate that is none.
    """
    if rate_hz is None:
        return assumed, {"rate_hz": assumed, "rate_assumed": True}
    if not 0 < rate_hz < float("inf"):
        raise ContractError("this is no rate", got=rate_hz, expected="a finite rate > 0 Hz")
    return rate_hz, {"rate_hz": rate_hz, "rate_assumed": False}


def _flat(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(len(rows), int(np.prod(rows.shape[1:])))


def _stream(values: np.ndarray, times: torch.Tensor) -> Stream:
    tensor = torch.from_numpy(np.array(values))[None]
    return Stream(tensor, times, torch.ones(tensor.shape[:2], dtype=torch.bool))
