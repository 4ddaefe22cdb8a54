"""metrics.jsonl as curves: any numeric key is one; a line cut short by a crash is tolerated and said."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from monde.errors import StoreError
from monde.limits import MAX_JSON_BYTES

MAX_POINTS = 400
"""Points drawn per curve; longer ones are shown as means of neighbouring lines."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One quantity over training.

    Args:
        key: Its name in the log ("loss/prediction").
        steps: Optimiser steps, one per value.
        values: Values; NaN where the log says that the value was not finite.
    """

    key: str
    steps: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def group(self) -> str:
        """The part before the first "/", or the whole key."""
        return self.key.partition("/")[0]

    @property
    def label(self) -> str:
        """The part after the first "/"; "total" for the key that is its group's name."""
        return self.key.partition("/")[2] or "total"

    @property
    def floor(self) -> bool:
        """Whether it is what another curve must beat."""
        return any(word in self.key for word in ("untrained", "copy_last"))

    @property
    def last(self) -> float | None:
        """The newest finite value."""
        return next((value for value in reversed(self.values) if math.isfinite(value)), None)

    def thinned(self, most: int = MAX_POINTS) -> "Curve":
        """At most `most` points: means over equal runs of neighbours (a run without a finite value is a gap)."""
        if len(self.steps) <= most:
            return self
        edges = [round(i * len(self.steps) / most) for i in range(most + 1)]
        runs = list(pairwise(edges))
        return Curve(
            key=self.key,
            steps=tuple(_mean(self.steps[a:b]) for a, b in runs),
            values=tuple(_mean(self.values[a:b]) for a, b in runs),
        )


@dataclass(frozen=True, kw_only=True)
class Log:
    """What metrics.jsonl says.

    Args:
        curves: By key, in the order in which the keys first appear; "step" and "seconds" are not among them.
        lines: Lines read.
        last_step: Newest step.
        seconds: Training time at the last line, or none.
        alarms: (step, text) of the alarms raised.
        faults: What is wrong with the file, as sentences.
    """

    curves: tuple[Curve, ...]
    lines: int
    last_step: int
    seconds: float | None
    alarms: tuple[tuple[int, str], ...]
    faults: tuple[str, ...]

    def __getitem__(self, key: str) -> Curve:
        return next(curve for curve in self.curves if curve.key == key)

    def __contains__(self, key: object) -> bool:
        return any(curve.key == key for curve in self.curves)


def read_log(path: Path) -> Log:
    """Read metrics.jsonl.

    Raises:
        StoreError: The file is missing, too large, not text, or holds not one readable line.
    """
    lines = _lines(path)
    entries: list[Mapping[str, object]] = []
    bad: list[int] = []
    for index, line in enumerate(lines, start=1):
        entry = _entry(line)
        if entry is None:
            bad.append(index)
        else:
            entries.append(entry)
    if not entries:
        raise StoreError(
            f"{path} holds no readable line", got=f"{len(lines)} lines", expected="one JSON object per line"
        )
    curves = _curves(entries)
    seconds = [float(s) for e in entries if isinstance(s := e.get("seconds"), int | float)]
    return Log(
        curves=curves,
        lines=len(entries),
        last_step=_step(entries[-1]),
        seconds=seconds[-1] if seconds else None,
        alarms=tuple((_step(e), str(e["alarm"])) for e in entries if e.get("alarm")),
        faults=(*_line_faults(bad, len(lines)), *_value_faults(curves)),
    )


def _lines(path: Path) -> list[str]:
    try:
        size = path.stat().st_size
        if size > MAX_JSON_BYTES:
            raise StoreError(f"{path} is too large to be drawn", got=f"{size} bytes", expected=MAX_JSON_BYTES)
        # A crash may cut a line inside a character; only that line must suffer.
        text = path.read_bytes().decode(errors="replace")
    except OSError as error:
        raise StoreError(f"{path} cannot be read", got=error.strerror) from error
    return [line for line in text.split("\n") if line.strip()]


def _entry(line: str) -> Mapping[str, object] | None:
    try:
        entry = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("step"), int):
        return None
    return entry


def _step(entry: Mapping[str, object]) -> int:
    step = entry["step"]
    return step if isinstance(step, int) else 0


def _curves(entries: Sequence[Mapping[str, object]]) -> tuple[Curve, ...]:
    points: dict[str, list[tuple[float, float]]] = {}
    for entry in entries:
        for key, value in entry.items():
            if key in {"step", "seconds"} or isinstance(value, bool):
                continue
            if value is None:
                points.setdefault(key, []).append((float(_step(entry)), math.nan))
            elif isinstance(value, int | float):
                finite = float(value) if math.isfinite(value) else math.nan
                points.setdefault(key, []).append((float(_step(entry)), finite))
    return tuple(
        Curve(key=key, steps=tuple(step for step, _ in pairs), values=tuple(value for _, value in pairs))
        for key, pairs in points.items()
    )


def _line_faults(bad: Sequence[int], total: int) -> list[str]:
    faults = []
    middle = [index for index in bad if index < total]
    if total in bad:
        faults.append("The last line of metrics.jsonl was cut short, as after a crash; the curves end before it.")
    if middle:
        named = ", ".join(map(str, middle[:5])) + ("…" if len(middle) > 5 else "")
        what = f"Line {named} of metrics.jsonl is" if len(middle) == 1 else f"Lines {named} of metrics.jsonl are"
        faults.append(f"{what} not readable and left out.")
    return faults


def _value_faults(curves: Sequence[Curve]) -> list[str]:
    counts = {curve.key: sum(math.isnan(value) for value in curve.values) for curve in curves}
    told = [f"{c.key} ({counts[c.key]} of {len(c.values)})" for c in curves if counts[c.key]]
    return [f"Values that were not finite are gaps in the curves: {', '.join(told)}."] if told else []


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan
