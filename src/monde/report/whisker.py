"""One figure, its interval and its floors on a line: where they would stand on a scale, in percent of its width."""

from dataclasses import dataclass

from monde.report.numbers import scale, words
from monde.scorecard import Row


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A floor on the line: its name, its figure as text, its place."""

    name: str
    text: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Whisker:
    """Places on a line of width 100.

    Args:
        value: Of the figure.
        low: Start of the interval, or of nothing.
        high: End of the interval.
        marks: The floors.
        start: What the left end stands for.
        stop: What the right end stands for.
    """

    value: float
    low: float | None
    high: float | None
    marks: tuple[Mark, ...]
    start: str
    stop: str


def whisker(row: Row) -> Whisker | None:
    """The row's whisker; none where there is neither an interval nor a floor to stand beside."""
    numbers = [row.value, *(row.interval or ()), *row.floors.values()]
    if len(numbers) == 1 or any(abs(number) == float("inf") for number in numbers):
        return None
    shown = scale(row)
    low, high = min(*numbers, 0.0), max(numbers)
    if shown.unit == "%" or (row.unit == "1" and low >= 0 and 0.5 < high <= 1):
        low, high = 0.0, 1.0
    if high <= low:
        high = low + 1.0

    def place(value: float) -> float:
        return round(3 + 94 * (value - low) / (high - low), 2)

    interval = row.interval
    return Whisker(
        value=place(row.value),
        low=None if interval is None else place(interval[0]),
        high=None if interval is None else place(interval[1]),
        marks=tuple(Mark(name=words(n), text=shown.text(v), at=place(v)) for n, v in row.floors.items()),
        start=shown.text(low),
        stop=shown.text(high),
    )
