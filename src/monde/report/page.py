"""What the template shows, as frozen values: every chart and picture made, every text still unescaped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from monde.evaluation.exhibits import Film, Imagination, Scatter
from monde.report.charts import colour, line_chart, scatter_chart
from monde.report.curves import Curve, Log
from monde.report.numbers import duration, number, plural, words
from monde.report.pictures import Movie, movie, png, spread

SHARED = frozenset({"loss", "probe"})
"""Groups of curves that share one unit, and so one chart; the others are drawn one by one."""

MAX_STRIP = 14
"""Moments shown of one imagination."""

MAX_CHARTS = 24
"""Charts drawn of one log."""

MAX_CURVES = 12
"""Curves drawn in one chart."""

# What each group of curves is about, in the order of the page.
_GROUPS = {
    "loss": "what is minimised",
    "probe": "what a linear readout finds in the latent, R²",
    "latent": "collapse meter",
    "effective_rank": "collapse meter",
    "latent_std": "collapse meter",
    "frames_per_second": "speed",
    "gradient_norm": "optimiser",
    "learning_rate": "optimiser",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One curve in a chart's legend."""

    label: str
    colour: str
    text: str
    dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart with what stands around it."""

    title: str
    over: str = ""
    svg: str
    entries: tuple[Entry, ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class FilmView:
    """A planned episode: what it is, and its pictures."""

    name: str
    title: str
    success: bool
    outcome: str
    seed: int
    movie: Movie
    goal: str

    @property
    def weight(self) -> int:
        """Bytes of its pictures."""
        return len(self.movie.url) + len(self.movie.still) + len(self.goal)


@dataclass(frozen=True, kw_only=True)
class StripView:
    """Reality beside imagination: one label and one picture per moment and row."""

    name: str
    title: str
    times: tuple[str, ...]
    imagined_from: int
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    context: str

    @property
    def weight(self) -> int:
        """Bytes of its pictures."""
        return sum(len(url) for _, urls in self.rows for url in urls)


@dataclass(frozen=True, kw_only=True)
class ScatterView:
    """A probe: one chart per component."""

    name: str
    title: str
    charts: tuple[Chart, ...]
    summary: str


def curve_charts(log: Log) -> tuple[Chart, ...]:
    """The log's curves as charts, in an order that a reader looks for; unknown keys keep their own names.

    Of a log with very many, the first `MAX_CHARTS` charts of `MAX_CURVES` curves.
    """
    drawn: dict[str, list[Curve]] = {}
    for curve in log.curves:
        drawn.setdefault(curve.group if curve.group in SHARED else curve.key, []).append(curve)

    def place(key: str) -> int:
        group = key.partition("/")[0]
        return list(_GROUPS).index(group) if group in _GROUPS else len(_GROUPS)

    keys = sorted(drawn, key=place)[:MAX_CHARTS]
    return tuple(_chart(f"curve-{i}", drawn[key][:MAX_CURVES]) for i, key in enumerate(keys))


def _chart(name: str, curves: Sequence[Curve]) -> Chart:
    group = _GROUPS.get(curves[0].group, "")
    alone = len(curves) == 1
    entries = tuple(
        Entry(
            label="last" if alone else words(curve.label),
            colour=colour(index),
            text="never finite" if curve.last is None else number(curve.last),
            dashed=curve.floor,
        )
        for index, curve in enumerate(curves)
    )
    title = words(curves[0].key if alone else curves[0].group).replace("/", " ")
    return Chart(title=title, over=group, svg=line_chart(name, curves), entries=entries)


def film_view(name: str, film: Film, control_seconds: float) -> FilmView:
    """A film for the page; `control_seconds` is the time between its frames."""
    taken = plural(film.steps, "step")
    outcome = f"reached in {taken}" if film.success else f"not reached in {taken}"
    if film.goal_distance is not None and not film.success:
        outcome += f", {number(film.goal_distance)} away"
    return FilmView(
        name=name,
        title=film.title,
        success=film.success,
        outcome=outcome,
        seed=film.seed,
        movie=movie(film.frames, control_seconds),
        goal=png(film.goal),
    )


def strip_view(name: str, imagination: Imagination) -> StripView:
    """An imagination for the page: moments spread evenly, first and last imagined one among them."""
    context = imagination.context_steps
    picks = spread(len(imagination.real), MAX_STRIP, always=(context - 1, context))
    rows = (
        ("reality", imagination.real),
        ("decoded from what was seen", imagination.decoded_observed),
        ("decoded from imagination", imagination.decoded_imagined),
    )
    return StripView(
        name=name,
        title=imagination.title,
        times=tuple(f"{imagination.times_seconds[index]:.1f}" for index in picks),
        imagined_from=sum(index < context for index in picks),
        rows=tuple((label, tuple(png(frames[index]) for index in picks)) for label, frames in rows),
        context=plural(context, "frame"),
    )


def scatter_view(name: str, index: int, scatter: Scatter) -> ScatterView:
    """A probe for the page; rows that are not finite are left out and counted."""
    truth, read = scatter.truth.double().numpy(), scatter.read.double().numpy()
    finite = np.isfinite(truth).all(1) & np.isfinite(read).all(1)
    charts = []
    if finite.any():
        for column, component in enumerate(scatter.names):
            svg = scatter_chart(f"scatter-{index}-{column}", truth[finite, column], read[finite, column], column)
            charts.append(Chart(title=component, svg=svg))
    unit = "" if scatter.unit == "1" else f" {scatter.unit}"
    over = plural(len(truth), "held-out frame")
    summary = f"R² {number(scatter.r2)}, error (RMSE) {number(scatter.rmse)}{unit}, over {over}"
    lost = int((~finite).sum())
    if lost:
        summary += f"; {plural(lost, 'row')} not finite and left out"
    return ScatterView(name=name, title=scatter.title, charts=tuple(charts), summary=summary)


def flatten(document: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """A JSON object as (dotted key, text) pairs; long lists are shortened, folders lose their place on the machine."""
    pairs: list[tuple[str, str]] = []
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            pairs += flatten({str(k): v for k, v in value.items()}, f"{name}.") or [(name, "none")]
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            pairs += flatten({f"{name}[{i}]": item for i, item in enumerate(value)})
        else:
            pairs.append((name, _text(key, value)))
    return pairs


def _text(key: str, value: object) -> str:
    if isinstance(value, list):
        shown = ", ".join(_text(key, item) for item in value[:6])
        return f"{shown}, … ({len(value):,} in all)" if len(value) > 6 else shown or "none"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str) and (key.endswith("path") or key in {"data", "run"}):
        return PurePath(value).name or value
    return str(value)


def training_line(log: Log) -> str:
    """ "2,310 steps in 3.1 min"."""
    steps = plural(log.last_step, "step")
    return steps if log.seconds is None else f"{steps} in {duration(log.seconds)}"
