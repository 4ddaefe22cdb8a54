"""A robot's log, as `monde.client.EpisodeLog` takes it down: `log.json` and one `episode-NNNNNN.npz` an episode."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Shaped

from monde.errors import DataError, StoreError
from monde.protocols import Recording
from monde.store import digest_json, read_json
from monde.store.typed import from_json
from monde.types import ActionSpec, Clip, Sensor, Stream

META, SCHEMA, EPISODES = "log.json", "monde.log/1", "episode-*.npz"


class RobotLog:
    """The layout."""

    @property
    def name(self) -> str:
        """What it is called in errors."""
        return "robot log"

    def detect(self, root: Path) -> bool:
        """Whether a folder holds such a log."""
        return (root / META).is_file()

    def open(self, root: Path) -> Recording:
        """The recording in `root`.

        Raises:
            DataError: Malformed, or without episodes.
        """
        try:
            meta = read_json(root / META)
            if meta.get("schema") != SCHEMA:
                raise DataError(f"{root} is a log of another version", got=meta.get("schema"), expected=SCHEMA)
            held = from_json(_Meta, {"sensors": meta.get("sensors"), "actions": meta.get("actions")}, META)
        except StoreError as error:
            raise DataError(f"{root / META} cannot be read", got=error) from error
        files = tuple(sorted(root.glob(EPISODES)))
        if not files:
            raise DataError(f"{root} holds no episodes", remedy="call EpisodeLog.save at the end of each episode")
        shapes, lengths = _Episode(files[0]).shapes(), [_Episode(file).length() for file in files]
        actions = held.actions.with_block(1)
        rate = 1 / actions.dt_seconds
        missing = [each.name for each in held.sensors if each.name not in shapes]
        if missing:
            raise DataError(f"{files[0]} lacks sensors that {META} declares", got=missing, expected=sorted(shapes))
        sensors = tuple(_logged(each, shapes[each.name], rate) for each in held.sensors)
        return LoggedRecording(root=root, sensors=sensors, actions=actions, lengths=tuple(lengths), files=files)


def _logged(sensor: Sensor, shape: tuple[int, ...], rate: float) -> Sensor:
    """The sensor as it was logged: a picture of another size has other intrinsics, which are not known."""
    return replace(sensor, shape=shape, rate_hz=rate, geometry=sensor.geometry if shape == sensor.shape else None)


@dataclass(frozen=True)
class _Meta:
    sensors: tuple[Sensor, ...]
    actions: ActionSpec


@dataclass(frozen=True)
class LoggedRecording:
    """A log as a recording; see `monde.protocols.Recording`."""

    root: Path
    sensors: tuple[Sensor, ...]
    actions: ActionSpec
    lengths: tuple[int, ...]
    files: tuple[Path, ...]

    @property
    def source(self) -> Mapping[str, object]:
        """A robot's log."""
        return {"log": SCHEMA}

    @property
    def fingerprint(self) -> str:
        """Hash of names, sizes and times of writing."""
        stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in self.files]
        return digest_json([SCHEMA, [list(each) for each in stats]])

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        """Steps `start` to `stop` of one episode.

        Raises:
            DataError: No such steps, or a file that cannot be read.
        """
        if not (0 <= episode < len(self.files) and 0 <= start < stop <= self.lengths[episode]):
            raise DataError(f"{self.root} has no such steps", got=f"episode {episode}, {start}:{stop}")
        held = _Episode(self.files[episode])
        times = torch.from_numpy(held.array("times_seconds")[start:stop].copy())[None]
        valid = torch.ones(times.shape, dtype=torch.bool)
        names = [sensor.name for sensor in self.sensors] if sensors is None else list(sensors)
        streams = {
            name: Stream(torch.from_numpy(held.array(f"sensor.{name}")[start:stop].copy())[None], times, valid)
            for name in names
        }
        done = torch.from_numpy(held.array("actions")[start : stop - 1].copy())[None]
        return Clip(streams, Stream(done, times[:, :-1], valid[:, :-1]))


@dataclass(frozen=True)
class _Episode:
    """One file."""

    file: Path

    def array(self, name: str) -> Shaped[np.ndarray, "T ..."]:
        """One array; anything but plain numbers is refused (no pickle)."""
        try:
            with np.load(self.file, allow_pickle=False) as held:
                found: np.ndarray = held[name]
                return found
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise DataError(f"{self.file} cannot be read", got=f"{name}: {error}") from error

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of one sample, by sensor."""
        try:
            with np.load(self.file, allow_pickle=False) as held:
                return {
                    name.removeprefix("sensor."): held[name].shape[1:] for name in held if name.startswith("sensor.")
                }
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise DataError(f"{self.file} cannot be read", got=error) from error

    def length(self) -> int:
        """Moments."""
        return len(self.array("times_seconds"))
