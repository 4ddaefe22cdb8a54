"""`AlignedRecording`: logs of sensors with clocks of their own as a `Recording` on the model's clock."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from jaxtyping import Float64

from monde.data.clocks.align import Alignment, align, mixed_poses
from monde.data.clocks.rules import Rule
from monde.data.clocks.tracks import Log, Samples
from monde.data.fingerprint import fingerprint_files
from monde.data.streaming import EpisodeClocks
from monde.errors import ContractError, unknown_name
from monde.types import ActionSpec, Clip, Sensor, Stream

_MAY_LACK = frozenset({"state", "pose", "twist", "imu", "gnss"})
"""Kinds of which a message may come without a measurement in it."""


@dataclass(frozen=True)
class Episode:
    """One log and its steps.

    Args:
        log: Where the samples are.
        start_seconds: The first step on the log's clock.
        steps: [T] seconds since then.
    """

    log: Log
    start_seconds: float
    steps: Float64[np.ndarray, " T"]


@dataclass(frozen=True, kw_only=True)
class LogDescription:
    """Logs in words.

    Args:
        root: The folder or file that was opened.
        layout: What its layout is called.
        sensors: What is delivered, at the rate of the steps.
        rules: By sensor.
        episodes: The logs and their steps.
        actions: The action space, or none.
        files: The files that hold it.
        settings: All that reading it depends on beside the files, as text.
        absent: Files and logs that are left out, and why.
        tasks: What was to be done in each episode, in words; or empty.
        source: What is known of it (JSON).
    """

    root: Path
    layout: str
    sensors: tuple[Sensor, ...]
    rules: Mapping[str, Rule]
    episodes: tuple[Episode, ...]
    actions: ActionSpec | None
    files: tuple[Path, ...]
    settings: str
    absent: Mapping[str, str]
    tasks: tuple[str, ...]
    source: Mapping[str, object]


class AlignedRecording:
    """Logs of sensors with clocks of their own, aligned to steps by declared rules: a `Recording`.

    `times_seconds` of every stream are those of the steps, `age_seconds` say how much older each sample is, and `valid`
    is false at steps for which there is none. Samples are read when they are asked for; only their times are kept.

    Args:
        description: What there is, and where.
    """

    def __init__(self, description: LogDescription) -> None:
        self._description = description
        self._sensors = {sensor.name: sensor for sensor in description.sensors}

    @property
    def root(self) -> Path:
        """The folder or file that was opened; opening it again gives the same recording."""
        return self._description.root

    @property
    def source(self) -> Mapping[str, object]:
        """Which clock and rules were taken, what was left out or had to be assumed."""
        return MappingProxyType(dict(self._description.source))

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What was recorded, at the rate of the steps; the sensors' own rates are in `source`."""
        return self._description.sensors

    @property
    def rules(self) -> Mapping[str, Rule]:
        """How each sensor is aligned."""
        return MappingProxyType(dict(self._description.rules))

    @property
    def actions(self) -> ActionSpec | None:
        """The actions' space (block = 1), or none."""
        return self._description.actions

    @property
    def lengths(self) -> tuple[int, ...]:
        """Steps of each episode."""
        return tuple(len(episode.steps) for episode in self._description.episodes)

    @property
    def names(self) -> tuple[str, ...]:
        """What the log of each episode is called."""
        return tuple(episode.log.name for episode in self._description.episodes)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The task of each episode, in words; empty texts where none is stored."""
        return self._description.tasks or ("",) * len(self.lengths)

    @property
    def absent_files(self) -> Mapping[str, str]:
        """Files and logs that are left out, and why."""
        return MappingProxyType(dict(self._description.absent))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the files (see `fingerprint_files`) and of how they are read."""
        files = fingerprint_files(self.root, self._description.files)
        return hashlib.sha256(f"{files}\0{self._description.settings}".encode()).hexdigest()

    def alignment(self, episode: int, sensor: str) -> Alignment:
        """Which samples of a sensor stand for the steps of an episode, without reading one.

        Raises:
            ContractError: An episode or sensor that does not exist.
        """
        found = self._episode(episode)
        return self._aligned(found, self._sensor(sensor), found.steps)

    @property
    def complete(self) -> bool:
        """Whether at every step of every episode there is a sample of every sensor."""
        return not self.gaps

    @cached_property
    def gaps(self) -> tuple[str, ...]:
        """Sensors of which a sample is missing at some step. Numbers are read for it: a message may hold none."""
        return tuple(name for name in self._sensors if any(not told.valid[name].all() for told in self._clocks))

    @cached_property
    def aged(self) -> tuple[str, ...]:
        """Sensors of which a sample is older than its step somewhere."""
        return tuple(name for name in self._sensors if any(told.age_seconds[name].any() for told in self._clocks))

    def clocks(self, episode: int) -> EpisodeClocks:
        """Which samples of an episode are missing, and how old the others are; see `monde.data.streaming.Clocked`."""
        self._episode(episode)
        told = self._clocks[episode]
        return EpisodeClocks(
            {name: told.valid[name] for name in self.gaps}, {name: told.age_seconds[name] for name in self.aged}
        )

    @cached_property
    def _clocks(self) -> tuple[EpisodeClocks, ...]:
        return tuple(self._told(episode) for episode in range(len(self.lengths)))

    def _told(self, episode: int) -> EpisodeClocks:
        found = {name: self.alignment(episode, name) for name in self._sensors}
        valid = {name: part.valid for name, part in found.items()}
        ages = {name: part.age_seconds for name, part in found.items()}
        doubtful = [sensor.name for sensor in self.sensors if sensor.kind in _MAY_LACK]
        if doubtful:
            for name, stream in self.read(episode, 0, self.lengths[episode], doubtful).streams.items():
                valid[name] = stream.valid[0].numpy()
                ages[name] = np.where(valid[name], ages[name], 0.0)
        return EpisodeClocks(valid, ages)

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        """Steps `start` to `stop` (exclusive) of one episode, as a clip of B = 1.

        Raises:
            ContractError: An episode, range or sensor that does not exist.
            DataError: The samples cannot be read.
        """
        found = self._episode(episode)
        if not 0 <= start < stop <= len(found.steps):
            raise ContractError(
                f"episode {episode} has no steps {start}:{stop}", expected=f"0 ≤ start < stop ≤ {len(found.steps)}"
            )
        wanted = [self._sensor(name) for name in (self._sensors if sensors is None else sensors)]
        steps = found.steps[start:stop]
        aligned = {sensor.name: self._aligned(found, sensor, steps) for sensor in wanted}
        numbers = {name: part.samples for name, part in aligned.items()}
        read = found.log.read({name: which for name, which in numbers.items() if len(which)})
        times = torch.from_numpy(np.array(steps))[None]
        streams = {s.name: _stream(s, aligned[s.name], numbers[s.name], read.get(s.name), times) for s in wanted}
        if self.actions is None:
            return Clip(streams)
        dim, commands = self.actions.dim, found.log.commands
        taken = np.zeros((len(steps) - 1, dim), np.float32)
        if commands is not None:
            taken = commands.between(found.start_seconds + steps)
        known = torch.full((1, len(steps) - 1), commands is not None)
        return Clip(streams, Stream(torch.from_numpy(taken)[None], times[:, :-1], known))

    def __repr__(self) -> str:
        names = ", ".join(f"{sensor.name}:{sensor.kind}" for sensor in self.sensors)
        size = f"{len(self.lengths)} episodes, {sum(self.lengths)} steps"
        return f"AlignedRecording({self._description.layout}, {str(self.root)!r}, {size}, {names})"

    def _aligned(self, episode: Episode, sensor: Sensor, steps: Float64[np.ndarray, " T"]) -> Alignment:
        samples = episode.log.times.get(sensor.name, np.empty(0))
        return align(samples - episode.start_seconds, steps, self._description.rules[sensor.name])

    def _episode(self, episode: int) -> Episode:
        if not 0 <= episode < len(self.lengths):
            raise ContractError(f"there is no episode {episode}", expected=f"0 to {len(self.lengths) - 1}")
        return self._description.episodes[episode]

    def _sensor(self, name: str) -> Sensor:
        if name not in self._sensors:
            raise unknown_name("sensor", name, list(self._sensors), ContractError)
        return self._sensors[name]


def _stream(
    sensor: Sensor, aligned: Alignment, numbers: np.ndarray, read: Samples | None, times: torch.Tensor
) -> Stream:
    """The samples of a sensor, one for each step; zeros where there is none."""
    channels_last = (*sensor.shape[1:], sensor.shape[0]) if sensor.picture else sensor.shape
    count = times.shape[1]
    dtype = np.uint8 if sensor.kind == "rgb" else np.float32
    valid, mask = np.zeros(count, dtype=bool), None
    if read is None:
        values = np.zeros((count, *channels_last), dtype=dtype)
        mask = np.zeros((count, sensor.shape[0]), dtype=bool) if sensor.kind == "points" else None
    else:
        first, second = np.searchsorted(numbers, aligned.first), np.searchsorted(numbers, aligned.second)
        first, second = (index.clip(max=len(numbers) - 1) for index in (first, second))
        valid = aligned.valid & read.there[first] & read.there[second]
        values = _taken(read.values, first)
        if bool((aligned.share > 0).any()):
            poses = mixed_poses(values.astype(np.float64), read.values[second].astype(np.float64), aligned.share)
            values = poses.astype(np.float32)
        if not valid.all():
            values = np.array(values)
            values[~valid] = 0
        if read.mask is not None:
            mask = read.mask[first] & valid[:, None]
    tensor = torch.from_numpy(np.ascontiguousarray(values) if values.base is None else np.array(values))
    if sensor.picture:
        tensor = tensor.permute(0, 3, 1, 2)
    age = np.where(valid, aligned.age_seconds, 0.0)
    return Stream(
        tensor[None],
        times,
        torch.from_numpy(valid)[None],
        None if mask is None else torch.from_numpy(mask)[None],
        torch.from_numpy(age)[None],
    )


def _taken(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Rows by number, without a copy where that is all of them in order."""
    if len(index) == len(values) and bool((index == np.arange(len(values))).all()):
        return values
    return values[index]
