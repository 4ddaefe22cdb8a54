"""What a run folder holds that can be shown: each part there, absent (with the command that makes it), or broken."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from monde.errors import MondeError, StoreError
from monde.evaluation.exhibits import Exhibit, Film, Imagination, Scatter, load_exhibit
from monde.evaluation.surprised import SurprisedFilms
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.report.curves import Log, read_log
from monde.scorecard import Scorecard
from monde.store import RunFolder, read_json

T = TypeVar("T")


@dataclass(frozen=True)
class Absent:
    """A part that was not made yet, and the command that makes it."""

    command: str


@dataclass(frozen=True)
class Broken:
    """A part that is there and cannot be read."""

    part: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that a report is made of.

    Args:
        run: The run folder.
        config: run.json.
        log: metrics.jsonl.
        score: score.json.
        physics: physics.json.
        hidden: hidden.json.
        films: Planned episodes by exhibit name.
        imaginations: Reality beside imagination, likewise.
        scatters: Probe read-outs, likewise.
        sets: Possible and impossible films, likewise.
        broken: Exhibits that cannot be read.
    """

    run: RunFolder
    config: Mapping[str, object] | Absent | Broken
    log: Log | Absent | Broken
    score: Scorecard | Absent | Broken
    physics: Scorecard | Absent | Broken
    hidden: Scorecard | Absent | Broken
    films: Mapping[str, Film]
    imaginations: Mapping[str, Imagination]
    scatters: Mapping[str, Scatter]
    sets: Mapping[str, SurprisedFilms]
    broken: tuple[Broken, ...]

    def command(self, verb: str) -> str:
        """The command line of a verb on this run."""
        return f"monde {verb} {shlex.quote(str(self.run.root))}"

    @property
    def faults(self) -> tuple[Broken, ...]:
        """Every part that cannot be read."""
        parts = (self.config, self.log, self.score, self.physics, self.hidden)
        return (*(part for part in parts if isinstance(part, Broken)), *self.broken)


def gather(root: Path) -> Material:
    """Read a run folder.

    Raises:
        StoreError: There is no such folder, or nothing in it is of a run.
    """
    run = RunFolder(root)
    known = (run.config, run.metrics, run.score, run.physics, run.exhibits)
    if not any(path.exists() for path in known):
        raise StoreError(
            f"{root} is not a run",
            got="none of " + ", ".join(path.name for path in known) if root.exists() else "no such folder",
            remedy="give the folder that `monde train` wrote",
        )
    folder = shlex.quote(str(root))
    films: dict[str, Film] = {}
    imaginations: dict[str, Imagination] = {}
    scatters: dict[str, Scatter] = {}
    sets: dict[str, SurprisedFilms] = {}
    broken: list[Broken] = []
    for path in _exhibit_folders(run):
        exhibit = _read(f"exhibits/{path.name}", partial(_exhibit, path))
        match exhibit:
            case Film():
                films[path.name] = exhibit
            case Imagination():
                imaginations[path.name] = exhibit
            case Scatter():
                scatters[path.name] = exhibit
            case SurprisedFilms():
                sets[path.name] = exhibit
            case Broken():
                broken.append(exhibit)
    train = f"monde train DATA --run {folder}"
    return Material(
        run=run,
        config=_part(run.config, train, lambda: read_json(run.config)),
        log=_part(run.metrics, train, lambda: read_log(run.metrics)),
        score=_card(run.score, f"monde score {folder}"),
        physics=_card(run.physics, f"monde physics {folder}"),
        hidden=_card(run.hidden, f"monde physics {folder} --hidden"),
        films=films,
        imaginations=imaginations,
        scatters=scatters,
        sets=sets,
        broken=tuple(broken),
    )


def _card(path: Path, command: str) -> Scorecard | Absent | Broken:
    return _part(path, command, lambda: Scorecard.from_json(read_json(path)))


def _exhibit(folder: Path) -> Exhibit:
    """An exhibit that has something to show.

    Raises:
        StoreError: As `load_exhibit` does, or it is empty or no picture.
    """
    exhibit = load_exhibit(folder)
    match exhibit:
        case Film():
            pictures, steps = [exhibit.frames, exhibit.goal[None]], len(exhibit.frames)
        case Imagination():
            pictures, steps = [exhibit.real], len(exhibit.real)
        case Scatter():
            pictures, steps = [], len(exhibit.truth)
        case SurprisedFilms():
            pictures, steps = [exhibit.films[0]], exhibit.films.shape[1]
    shapes = [tuple(picture.shape[1:]) for picture in pictures]
    if not steps or any(c != 3 or not 0 < min(h, w) <= max(h, w) <= MAX_FRAME_SIDE_PIXELS for c, h, w in shapes):
        raise StoreError(f"{folder} holds nothing that can be shown", got=f"{steps} moments of {shapes or 'numbers'}")
    return exhibit


def _exhibit_folders(run: RunFolder) -> list[Path]:
    if not run.exhibits.is_dir():
        return []
    # Hidden folders are writes that never finished.
    return sorted(path for path in run.exhibits.iterdir() if path.is_dir() and not path.name.startswith("."))


def _part(path: Path, command: str, read: Callable[[], T]) -> T | Absent | Broken:
    return _read(path.name, read) if path.exists() else Absent(command)


def _read(part: str, read: Callable[[], T]) -> T | Broken:
    try:
        return read()
    except (MondeError, OSError) as error:
        return Broken(part, str(error))
