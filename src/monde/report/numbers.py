"""Figures as a person reads them: one scale per row, three significant digits, floors and interval in the same unit."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from monde.scorecard import Row

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Fractions that count how often something came true are read as percentages; R² and correlations are not.
_SHARES = re.compile(r"(^|[/_])(success|pairwise|top\d+|accuracy|share|solved|reached|rate)([/_]|$)")


def number(value: float, digits: int = 3) -> str:
    """`value` with `digits` significant digits; thousands in groups, very large and small ones as powers of ten."""
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    sign, size = ("−" if value < 0 else ""), abs(value)
    if size == int(size) and size < 1e7:
        return f"{sign}{int(size):,}"
    if not 1e-3 <= size < 1e7:
        mantissa, exponent = f"{size:.{digits - 1}e}".split("e")
        return f"{sign}{float(mantissa):g}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return f"{sign}{size:,.{decimals}f}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """ "1 episode", "2 episodes", "1,204 episodes"; `many` where an s is not enough."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A duration in the unit that a person would use."""
    factor, unit = _scale_seconds(seconds)
    return f"{seconds / factor:.1f} {unit}" if seconds < 10 * factor else f"{seconds / factor:.0f} {unit}"


def size_bytes(count: float) -> str:
    """A number of bytes in binary units."""
    factor, unit = _scale_bytes(count)
    return f"{number(count / factor)} {unit}"


@dataclass(frozen=True)
class Scale:
    """How the numbers of one row are written: divided by `factor`, followed by `unit`.

    Args:
        factor: What a value is divided by.
        unit: Its unit then.
        decimals: Most decimals that any of the row's numbers is given.
    """

    factor: float
    unit: str
    decimals: int

    def bare(self, value: float) -> str:
        """The number alone, with three significant digits but no finer than the row."""
        shown = value / self.factor
        size = abs(shown)
        if not 1e-3 <= size < 1e7 or self.decimals > 6:
            return number(shown)
        if round(size, self.decimals) == 0:
            return number(shown, 1)
        decimals = min(self.decimals, max(0, 2 - math.floor(math.log10(size))))
        return f"{shown:,.{decimals}f}".replace("-", "−")

    def bound(self, value: float) -> str:
        """An end of the interval: exactly as fine as the value."""
        shown = value / self.factor
        if self.decimals > 6 or not abs(shown) < 1e7:
            return number(shown)
        return f"{shown:,.{self.decimals}f}".replace("-", "−")

    def text(self, value: float) -> str:
        """The number and its unit; a percent sign stands close."""
        gap = "" if self.unit in {"%", ""} else " "
        return f"{self.bare(value)}{gap}{self.unit}"


def scale(row: Row) -> Scale:
    """The scale that a row's value, interval and floors share."""
    if row.unit == "1":
        shown = [row.value, *(row.interval or ())]
        if _SHARES.search(row.metric) and all(0 <= value <= 1 for value in shown):
            # A tenth of a percent means nothing below a thousand episodes or so.
            return Scale(0.01, "%", 1 if row.n >= 500 else 0)
        return Scale(1.0, "", _decimals(row.value))
    factor, unit = 1.0, row.unit
    if row.unit in {"s", "seconds"}:
        factor, unit = _scale_seconds(row.value)
    elif row.unit in {"B", "bytes"}:
        factor, unit = _scale_bytes(row.value)
    return Scale(factor, unit, _decimals(row.value / factor))


def _decimals(value: float) -> int:
    """Decimals of three significant digits."""
    if value == 0 or not math.isfinite(value):
        return 3
    return max(0, 2 - math.floor(math.log10(abs(value))))


def interval_text(row: Row) -> str:
    """The 95% interval in the row's scale, or an empty text."""
    if row.interval is None:
        return ""
    shown = scale(row)
    return f"{shown.bound(row.interval[0])} to {shown.bound(row.interval[1])}"


def floor_texts(row: Row) -> tuple[tuple[str, str], ...]:
    """(name, figure) of each floor, in the row's scale."""
    return tuple((words(name), scale(row).text(value)) for name, value in row.floors.items())


def words(name: str) -> str:
    """ "random_walk" as "random walk"."""
    return name.replace("_", " ")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Plain text in aligned columns, for a terminal; columns in `right` are flushed right."""
    widths = [max(len(line[i]) for line in [header, *rows]) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        aligned = (c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True)))
        return "  ".join(aligned).rstrip()

    return "\n".join([line(header), "  ".join("─" * width for width in widths), *(line(row) for row in rows)])


def _scale_seconds(seconds: float) -> tuple[float, str]:
    size = abs(seconds)
    for least, factor, unit in ((7200, 3600, "h"), (120, 60, "min"), (1, 1, "s"), (1e-3, 1e-3, "ms")):
        if size >= least or size == 0:
            return (float(factor), unit) if size else (1.0, "s")
    return 1e-6, "µs"


def _scale_bytes(count: float) -> tuple[float, str]:
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if abs(count) >= 1024**power:
            return float(1024**power), unit
    return 1.0, "bytes"
