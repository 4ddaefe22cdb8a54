"""What the layouts of folders share: which folders are logs, their configuration, their sensors as one set."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

from monde.data.clocks.config import LogConfig, configured
from monde.data.clocks.opening import Opened, aligned
from monde.data.clocks.recording import AlignedRecording
from monde.data.logs.files import FileLog, FileTrack
from monde.errors import ContractError, DataError, unknown_name
from monde.types import Sensor


def sequences(root: Path, is_one: Callable[[Path], bool]) -> list[Path]:
    """The folder itself where it is one log, else the logs directly in it, by name."""
    try:
        if not root.is_dir():
            return []
        if is_one(root):
            return [root]
        return sorted(child for child in root.iterdir() if child.is_dir() and is_one(child))
    except OSError:
        return []


@dataclass(frozen=True)
class SequenceLayout(ABC):
    """A layout of folders: one log, or a folder of them; each is an episode.

    Args:
        config: How it is read; by default what the log's monde.json says, else the defaults.
        rate_hz: Steps per second, whatever the configuration says.
    """

    config: LogConfig | None = None
    rate_hz: float | None = None
    name: ClassVar[str]

    def at_rate(self, rate_hz: float) -> Self:
        """The same layout, with so many steps a second."""
        return replace(self, rate_hz=rate_hz)

    def detect(self, root: Path) -> bool:
        """Whether there is a log of this layout."""
        return bool(sequences(root, self._is_one))

    def open(self, root: Path) -> AlignedRecording:
        """Read times, calibrations and numbers, and the names of pictures.

        Raises:
            DataError: Something is missing or damaged, or logs have other sensors.
        """
        config = configured(self.config, root, self.rate_hz)
        notes: list[str] = []
        try:
            logs, told = self._tracks(sequences(root, self._is_one), config, notes)
        except (ContractError, ValueError) as error:
            raise DataError(f"{root}: calibrations or poses of this {self.name} log are damaged", got=error) from error
        return recording_of(self.name, root, config, logs, notes, told)

    @abstractmethod
    def _is_one(self, folder: Path) -> bool:
        """Whether a folder is one log."""

    @abstractmethod
    def _tracks(
        self, folders: Sequence[Path], config: LogConfig, notes: list[str]
    ) -> tuple[dict[Path, list[FileTrack]], dict[str, object]]:
        """The sensors of each log, and what else is known (JSON); what is to be said about them goes to `notes`."""


def recording_of(
    layout: str,
    root: Path,
    config: LogConfig,
    logs: Mapping[Path, Sequence[FileTrack]],
    notes: Sequence[str],
    told: Mapping[str, object] | None = None,
) -> AlignedRecording:
    """Logs of one kind as a recording; each is an episode.

    Args:
        layout: What the layout is called.
        root: What was opened.
        config: How it is read.
        logs: The sensors of each log, by its folder.
        notes: What is to be said about them.
        told: What else is known (JSON).

    Raises:
        DataError: Sensors of one name that differ, clocks that do not go together, or a configuration that names what
            is not there.
    """
    sensors = _one_set(root, [track.sensor for tracks in logs.values() for track in tracks])
    for name in (*config.without, *config.offsets):
        if name not in sensors:
            raise unknown_name("sensor in the log's monde.json", name, list(sensors), DataError)
    if config.actions is not None:
        raise DataError("this layout holds no commands", got=f"actions = {config.actions!r}", remedy="leave it out")
    return aligned(
        Opened(
            root=root,
            layout=layout,
            sensors=tuple(sensor for name, sensor in sensors.items() if name not in config.without),
            logs=tuple(FileLog(folder.name, tracks, config) for folder, tracks in logs.items()),
            files=tuple(path for folder in logs for path in sorted(folder.rglob("*")) if path.is_file()),
            config=config,
            told={"notes": list(dict.fromkeys(notes)), **(told or {})},
        )
    )


def _one_set(root: Path, found: Sequence[Sensor]) -> dict[str, Sensor]:
    sensors: dict[str, Sensor] = {}
    for sensor in found:
        held = sensors.setdefault(sensor.name, sensor)
        if held != sensor:
            raise DataError(
                f"the sensor {sensor.name!r} is not the same in all logs of {root}",
                got="; ".join(f"{one.shape}, {one.geometry}, {one.mount}" for one in (held, sensor)),
                remedy="open logs of one calibration at a time",
            )
    return sensors
