"""Reading MCAP: a file, or a folder of them, as a recording; each file an episode."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from monde.data.clocks.config import LogConfig, configured
from monde.data.clocks.opening import Opened, aligned
from monde.data.clocks.recording import AlignedRecording
from monde.data.mcap.described import Described, clock_parts, described
from monde.data.mcap.file import MAGIC, McapFile
from monde.data.mcap.library import needed
from monde.data.mcap.making import check_offsets, sensor_parts
from monde.data.mcap.survey import Survey
from monde.data.mcap.tracks import Timing
from monde.errors import DataError
from monde.limits import MAX_LOG_FILES

SUFFIX = ".mcap"


@dataclass(frozen=True)
class Mcap:
    """The layout of MCAP: a file, or a folder in which every file is an episode.

    Args:
        config: How it is read; by default what the log's monde.json says, else the defaults.
        rate_hz: Steps per second, whatever the configuration says.
    """

    config: LogConfig | None = None
    rate_hz: float | None = None
    name = "MCAP"

    def at_rate(self, rate_hz: float) -> Self:
        """The same layout, with so many steps a second."""
        return replace(self, rate_hz=rate_hz)

    def detect(self, root: Path) -> bool:
        """Whether it is an MCAP file, or a folder with one in it."""
        if root.is_file():
            return root.suffix == SUFFIX or _begins_as_mcap(root)
        return next(_walk(root), None) is not None

    def open(self, root: Path) -> AlignedRecording:
        """Look over all files: topics, types, frames, calibrations and the times of messages.

        Raises:
            DataError: No file can be read, none holds a sensor, or clocks do not go together.
        """
        config = configured(self.config, root, self.rate_hz)
        with needed(root):
            return _opened(root, config)


def _opened(root: Path, config: LogConfig) -> AlignedRecording:
    files, absent = _files(root)
    own = described(files[0])
    config = config if own is None else own.applied(config)
    survey = Survey(files, config)
    names = [_named(root, file.path) for file in files]
    survey.notes += [f"{name} {file.broken}: read up to there" for name, file in zip(names, files) if file.broken]
    parts = sensor_parts(survey, config, own)
    check_offsets(survey, parts, config)
    timing = Timing(survey, config)
    clock = {} if own is None else clock_parts(own)
    logs = tuple(timing.log(number, name, {**parts, **clock}) for number, name in enumerate(names))
    return aligned(
        Opened(
            root=root,
            layout=Mcap.name,
            sensors=tuple(part.sensor for made in parts.values() for part in made) if own is None else own.sensors,
            logs=logs,
            files=tuple(file.path for file in files),
            config=config,
            absent=absent,
            told=_told(survey, own),
            actions=None if own is None else own.actions,
            action_names=timing.action_names,
            step_hz=None if own is None else own.step_hz,
            tasks=() if own is None else tuple((described(file) or own).task for file in files),
        )
    )


def _told(survey: Survey, own: Described | None) -> dict[str, object]:
    told: dict[str, object] = {"notes": list(survey.notes), "skipped": dict(survey.skipped)}
    return told if own is None else told | {"recorded": dict(own.source)}


def _files(root: Path) -> tuple[list[McapFile], dict[str, str]]:
    paths = [root] if root.is_file() else sorted(_walk(root))
    if len(paths) > MAX_LOG_FILES:
        raise DataError(f"{root} holds too many files", got=len(paths), expected=f"up to {MAX_LOG_FILES}")
    files, absent = [], {}
    for path in paths:
        try:
            files.append(McapFile(path))
        except DataError as error:
            if len(paths) == 1:
                raise
            absent[_named(root, path)] = error.what if error.got is None else f"{error.what} ({error.got})"
    if not files:
        raise DataError(f"no MCAP file in {root} can be read", got="; ".join(list(absent.values())[:3]))
    return files, absent


def _named(root: Path, path: Path) -> str:
    return path.name if path == root else path.relative_to(root).as_posix()


def _walk(root: Path) -> Iterator[Path]:
    try:
        yield from (
            path
            for path in root.rglob(f"*{SUFFIX}")
            if not any(part.startswith(".") for part in path.relative_to(root).parts) and path.is_file()
        )
    except OSError:
        return


def _begins_as_mcap(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False
