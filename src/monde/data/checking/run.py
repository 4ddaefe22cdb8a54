"""`check_dataset`: what is wrong with a recording, found before a model is trained on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

from monde.data.checking.amounts import amount
from monde.data.checking.columns import Columns
from monde.data.checking.content import Content
from monde.data.checking.files import Files
from monde.data.checking.findings import Finding, episodes, from_error, graded
from monde.data.checking.looking import Plan, look
from monde.data.checking.senses import Senses
from monde.data.checking.times import Clocks
from monde.data.checking.worth import Worth
from monde.data.recording import open_recording
from monde.errors import MondeError
from monde.protocols import Recording


def check_dataset(
    data: Path | str | Recording,
    *,
    seed: int = 0,
    rate_hz: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Finding]:
    """Look through a recording: is it whole, do its clocks and columns make sense, and would training on it.

    Reads all numbers, one episode at a time, and pairs of pictures spread evenly over each episode, no more than
    limits.py says; never raises for what is wrong with the data.

    Args:
        data: Where the recording is, or an open one.
        seed: Of folds, shuffles and resampling; the same seed gives the same findings.
        rate_hz: Frames per second of a path whose layout does not store it (see `open_recording`).
        progress: Told of (episodes looked at, all of them).

    Returns:
        The findings, gravest first.
    """
    try:
        recording = data if isinstance(data, Recording) else open_recording(data, rate_hz)
    except MondeError as error:
        return [from_error(error, "unreadable")]
    return graded(_findings(recording, seed, progress or (lambda done, wanted: None)))


def _findings(recording: Recording, seed: int, progress: Callable[[int, int], None]) -> Iterator[Finding]:
    plan, count = Plan.of(recording), len(recording.lengths)
    files, clocks, columns = Files(recording), Clocks(recording), Columns(recording)
    content, worth, senses = Content(recording), Worth(recording, plan, seed), Senses(recording)
    for episode in range(count):
        progress(episode, count)
        seen = look(recording, plan, episode)
        for part in (files, clocks, columns, content, worth, senses):
            part.add(seen)
    progress(count, count)
    yield from files.findings()
    yield from clocks.findings()
    yield from columns.findings()
    yield from senses.findings()
    yield from content.findings()
    yield from worth.findings(content.copies)
    yield from amount(recording)
    yield from _looked_at(recording, plan)


def _looked_at(recording: Recording, plan: Plan) -> Iterator[Finding]:
    if not plan.sampled:
        return
    looked = sum(2 * len(plan.starts(recording.lengths[episode])) for episode in plan.pictured)
    total = sum(recording.lengths)
    if looked < total:
        names = ", ".join(sensor.name for sensor in plan.sampled)
        yield Finding(
            level="note",
            code="sampled",
            what=f"of {names}, {looked:,} of {total:,} frames were looked at, in pairs spread evenly over "
            f"{len(plan.pictured)} of {episodes(len(recording.lengths))}",
            remedy="a damaged picture between them shows when training builds its cache",
            figures={"looked_at": looked, "frames": total},
        )
