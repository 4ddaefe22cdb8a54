"""Progress on standard error: a live bar on a terminal, now and then a plain line elsewhere, nothing when quiet."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Advance = Callable[[float, float, str], None]
"""Told (done, wanted, note) as work goes on; counts or shares, whatever the two have in common."""

SECONDS_BETWEEN_LINES = 5.0
"""Least time between two plain lines of one piece of work."""


@dataclass(frozen=True, kw_only=True)
class Reporter:
    """Where verbs tell how far they are.

    Args:
        quiet: Whether to say nothing.
    """

    quiet: bool = False

    def say(self, text: str) -> None:
        """A line on standard error."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    @contextmanager
    def track(self, title: str, unit: str = "") -> Iterator[Advance]:
        """Follow one piece of work.

        Args:
            title: What is being done ("recording tworoom").
            unit: What is counted, in the plural ("episodes"), or empty for shares.
        """
        if self.quiet:
            yield lambda done, wanted, note: None
        elif sys.stderr.isatty():
            with _bar(title, unit) as advance:
                yield advance
        else:
            yield _Lines(title, unit)

    @contextmanager
    def count(self, title: str, unit: str) -> Iterator[Callable[[int, int], None]]:
        """As `track`, for work that is told in (done, wanted) whole numbers."""
        with self.track(title, unit) as advance:
            yield lambda done, wanted: advance(done, wanted, "")


class _Lines:
    """Plain lines: the first, the last, and one every few seconds between."""

    def __init__(self, title: str, unit: str) -> None:
        self._title, self._unit = title, unit
        self._began = time.monotonic()
        self._next = 0.0
        self._ended = False

    def __call__(self, done: float, wanted: float, note: str) -> None:
        now = time.monotonic()
        ending = done >= wanted and not self._ended
        if now < self._next and not ending:
            return
        self._next, self._ended = now + SECONDS_BETWEEN_LINES, done >= wanted
        counted = f"{done:,.0f} of {wanted:,.0f} {self._unit}, " if self._unit else ""
        share = 100 * done / wanted if wanted > 0 else 100.0
        tail = f", {note}" if note else ""
        line = f"{self._title}: {counted}{share:.0f}%, {now - self._began:.0f} s{tail}"
        print(line, file=sys.stderr, flush=True)


@contextmanager
def _bar(title: str, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    counted = [TextColumn("{task.completed:,.0f} of {task.total:,.0f} " + unit)] if unit else []
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        *counted,
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
        task = progress.add_task(title, total=1.0, note="")

        def advance(done: float, wanted: float, note: str) -> None:
            progress.update(task, completed=done, total=max(wanted, 1e-9), note=note)

        yield advance


@contextmanager
def stages(reporter: Reporter, title: str) -> Iterator[Callable[[str, int, int], None]]:
    """Follow work that is told in (stage, done, wanted)."""
    with reporter.track(title) as advance:
        yield lambda stage, done, wanted: advance(done, wanted, stage)
