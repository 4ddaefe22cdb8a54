"""Charts as inline SVG that takes its colours and typeface from the page, and so follows light and dark.

Nothing from a file is ever given to matplotlib as text: names stand in the page around the chart, escaped.
"""

import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np
from jaxtyping import Float

from monde.errors import UsageError
from monde.report.curves import Curve

COLOURS = 6
"""Colours of the page's palette (--c0 … --c5)."""

MAX_DOTS = 700
"""Dots drawn in one scatter."""

# Sentinels that no other part of a chart uses; each becomes a variable of the page's style.
_INK, _FAINT = "#010203", "#010204"
_PALETTE = tuple(f"#0102{10 + i:02d}" for i in range(COLOURS))
_VARIABLES = {_INK: "var(--muted)", _FAINT: "var(--rule)"} | {c: f"var(--c{i})" for i, c in enumerate(_PALETTE)}


def require_drawing() -> None:
    """Refuse, with the remedy, where the extra that draws reports is not installed.

    Raises:
        UsageError: matplotlib or jinja2 is missing.
    """
    missing = [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]
    if missing:
        raise UsageError(
            "the report cannot be drawn", got=f"no {' and no '.join(missing)}", remedy="pip install 'monde[report]'"
        )


def colour(index: int) -> str:
    """The page's variable for the colour of curve `index`."""
    return f"var(--c{index % COLOURS})"


def line_chart(name: str, curves: Sequence[Curve]) -> str:
    """Curves over steps as SVG; the axis is logarithmic where all values are positive and span two decades.

    Args:
        name: Unique within the page; it makes the ids inside the SVG unique.
        curves: Curves that share one unit.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    with _style(name):
        figure = Figure(figsize=(4.1, 2.3))
        axes = figure.subplots()
        values = [value for curve in curves for value in curve.values if math.isfinite(value)]
        if values and min(values) > 0 and max(values) / min(values) > 100:
            axes.set_yscale("log")
            axes.yaxis.set_minor_locator(NullLocator())
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        for index, curve in enumerate(curves):
            thin = curve.thinned()
            axes.plot(
                thin.steps,
                thin.values,
                color=_PALETTE[index % COLOURS],
                linewidth=1.3 if curve.floor else 1.7,
                linestyle=(0, (4, 3)) if curve.floor or index >= COLOURS else "solid",
                marker="o" if len(thin.steps) == 1 else "",
                solid_joinstyle="round",
            )
        axes.set_xlabel("step")
        axes.margins(x=0.02, y=0.08)
        axes.grid(visible=True, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
        return _svg(name, lambda buffer: figure.savefig(buffer, format="svg", transparent=True))


def accuracy_chart(
    name: str,
    lines: Sequence[Sequence[tuple[float, float, tuple[float, float] | None]]],
    floors: Sequence[float],
    over: str,
) -> str:
    """Shares right over a quantity that spans decades, as SVG: each point with its interval; floors dashed.

    Args:
        name: Unique within the page.
        lines: (quantity, share, interval) of each point, by line.
        floors: Shares that know nothing.
        over: What the quantity is; a text of ours, never one from a file.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullLocator

    with _style(name):
        figure = Figure(figsize=(4.1, 2.3))
        axes = figure.subplots()
        for floor in floors:
            axes.axhline(floor, color=_FAINT, linewidth=1.3, linestyle=(0, (4, 3)))
        for index, points in enumerate(lines):
            shade = _PALETTE[index % COLOURS]
            at, values = [point[0] for point in points], [point[1] for point in points]
            axes.plot(at, values, color=shade, linewidth=1.7, marker="o", markersize=3.5)
            for x, _, interval in points:
                if interval is not None:
                    axes.plot([x, x], interval, color=shade, linewidth=1.0, alpha=0.6)
        axes.set_xscale("log")
        # Lines are measured at about the same quantities: the ticks of one would overlap those of the next.
        axes.set_xticks([point[0] for point in lines[-1]] if lines else [])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}" if x >= 100 else f"{x:.2g}"))
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{100 * y:.0f}%"))
        axes.set_xlabel(over)
        axes.grid(visible=True, axis="y")
        return _svg(name, lambda buffer: figure.savefig(buffer, format="svg", transparent=True))


def horizon_chart(
    name: str,
    times: Sequence[float],
    lines: Sequence[Sequence[float]],
    band: tuple[Sequence[float], Sequence[float]] | None,
    over: str = "seconds ahead",
) -> str:
    """Figures over the time ahead as SVG: the first line whole, with its interval; the others, floors, dashed.

    Args:
        name: Unique within the page.
        times: Horizons in seconds.
        lines: One value per horizon for each line.
        band: Lower and upper bounds of the first line, or none.
        over: What the times are; a text of ours, never one from a file.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    with _style(name):
        figure = Figure(figsize=(4.1, 2.3))
        axes = figure.subplots()
        if band is not None:
            axes.fill_between(times, *band, color=_PALETTE[0], alpha=0.18, linewidth=0)
        for index, values in reversed(list(enumerate(lines))):
            axes.plot(
                times,
                values,
                color=_PALETTE[index % COLOURS],
                linewidth=1.2 if index else 1.9,
                linestyle=(0, (4, 3)) if index else "solid",
                marker="" if index else "o",
                markersize=4,
            )
        axes.set_ylim(bottom=min(0.0, *(value for values in lines for value in values)))
        axes.set_xlabel(over)
        axes.grid(visible=True, axis="y")
        few = len(times) <= 6
        axes.xaxis.set_major_locator(FixedLocator(list(times)) if few else MaxNLocator(nbins=6))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
        return _svg(name, lambda buffer: figure.savefig(buffer, format="svg", transparent=True))


def scatter_chart(name: str, truth: Float[np.ndarray, " n"], read: Float[np.ndarray, " n"], index: int) -> str:
    """Read-out against truth as SVG, with the diagonal of a perfect reading.

    Args:
        name: Unique within the page.
        truth: [n], finite.
        read: [n], finite.
        index: Colour of the dots.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    picks = np.unique(np.linspace(0, len(truth) - 1, min(len(truth), MAX_DOTS)).astype(int))
    low, high = float(min(truth.min(), read.min())), float(max(truth.max(), read.max()))
    margin = 0.04 * (high - low) or 0.5
    limits = (low - margin, high + margin)
    with _style(name):
        figure = Figure(figsize=(3.9, 3.9))
        axes = figure.subplots()
        axes.plot(limits, limits, color=_INK, linewidth=0.9)
        axes.plot(
            truth[picks],
            read[picks],
            linestyle="none",
            marker="o",
            markersize=3.0,
            markeredgewidth=0,
            color=_PALETTE[index % COLOURS],
            alpha=0.45,
        )
        axes.set(xlim=limits, ylim=limits, xlabel="truth", ylabel="read from the latent", aspect="equal")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.grid(visible=True)
        return _svg(name, lambda buffer: figure.savefig(buffer, format="svg", transparent=True))


@contextmanager
def _style(name: str) -> Iterator[None]:
    """The look of every chart; `name` makes the ids that matplotlib invents the same each time."""
    from matplotlib import rc_context

    with rc_context(
        {
            "svg.hashsalt": name,
            "svg.fonttype": "none",
            "path.simplify": True,
            "font.size": 10,
            "text.color": _INK,
            "text.parse_math": False,
            "axes.edgecolor": _FAINT,
            "axes.labelcolor": _INK,
            "axes.grid.axis": "y",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.spines.left": False,
            "axes.labelsize": 9.5,
            "axes.axisbelow": True,
            "xtick.color": _FAINT,
            "ytick.color": _FAINT,
            "xtick.labelcolor": _INK,
            "ytick.labelcolor": _INK,
            "xtick.labelsize": 9.5,
            "ytick.labelsize": 9.5,
            "ytick.left": False,
            "ytick.minor.left": False,
            "grid.color": _FAINT,
            "grid.linewidth": 0.7,
            "figure.constrained_layout.use": True,
        }
    ):
        yield


def _svg(name: str, save: Callable[[io.StringIO], None]) -> str:
    """Matplotlib's file as an element of a page: no prologue, metadata, namespaces, fonts or fixed colours."""
    buffer = io.StringIO()
    save(buffer)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = text.replace("xlink:href", "href")
    for sentinel, variable in _VARIABLES.items():
        text = text.replace(sentinel, variable)
    text = re.sub(r"font(-family|-weight|-style|-stretch|-variant)?: [^;\"]*(;|(?=\"))", _keep_size, text)
    # The page decides the size, the viewBox keeps the proportions; what a chart says is also in its caption, as text.
    text = re.sub(r'<svg[^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \1 aria-hidden="true">', text, count=1)
    text = _own_ids(name, text)
    return re.sub(r"\n\s*", "\n", text).strip()


def _keep_size(match: re.Match[str]) -> str:
    size = re.search(r"[\d.]+px", match.group(0))
    return f"font-size: {size.group(0)};" if size else ""


def _own_ids(name: str, text: str) -> str:
    used = set(re.findall(r"url\(#([^)]+)\)", text)) | set(re.findall(r'href="#([^"]+)"', text))
    text = re.sub(r'\sid="([^"]*)"', lambda m: f' id="{name}-{m.group(1)}"' if m.group(1) in used else "", text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    return re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
