"""The scorecard as the page shows it: key figures first, then every row by group."""

import re
from dataclasses import dataclass

from monde.report.numbers import floor_texts, interval_text, number, scale, words
from monde.report.whisker import Whisker, whisker
from monde.scorecard import Row, Scorecard

MAX_KEY_FIGURES = 6
"""Figures at the head of the page."""

# What a reader looks for first, in this order; the first row that fits each is taken.
_KEY_METRICS = (
    r"success([/_].*)?$",
    r"probe_position_rmse_px$",
    r"probe.*rmse",
    r"prediction/(?!retrieval|action_gap).*rmse.*",
    r"prediction/retrieval_top1.*",
    r"ranking_tau$",
    r"plan_seconds$",
)
HORIZON = re.compile(r"/(\d+(?:\.\d+)?) ?s$")
"""The last part of a metric that was measured some seconds ahead."""

_GROUPS = {
    "success": "Control",
    "steps": "Control",
    "final": "Control",
    "plan": "Control",
    "plans": "Control",
    "probe": "State probes",
    "prediction": "Prediction",
    "ranking": "Action ranking",
    "plannable": "Plannable range",
    "range": "Plannable range",
    "no": "Control",
    "abstained": "Trust",
    "auroc": "Trust",
    "brier": "Trust",
    "calibration": "Trust",
}
_NAMES = {
    "rmse": "error (RMSE)",
    "r2": "R²",
    "pearson": "Pearson r",
    "tau": "Kendall τ",
    "top1": "top-1",
    "plan seconds": "time per plan",
    "success": "planning success",
    "ranking tau": "action ranking, Kendall τ",
    "range tau": "order of what could be done, Kendall τ",
    "plannable range steps": "plannable range",
    "auroc": "area under the ROC curve",
    "retrieval top1": "retrieval, top-1",
    "probe position rmse px": "position probe, error (RMSE)",
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row as text.

    Args:
        metric: Its exact name.
        title: Its name for a reader.
        value: Number as text.
        unit: Its unit as text, or empty.
        interval: "0.48 to 0.72", or empty.
        n: What it was measured over, as text.
        floors: (name, figure) of each floor.
        note: The row's note.
        line: Where all of them stand on one scale, or none.
    """

    metric: str
    title: str
    value: str
    unit: str
    interval: str
    n: str
    floors: tuple[tuple[str, str], ...]
    note: str
    line: Whisker | None


@dataclass(frozen=True)
class Group:
    """Figures that belong together."""

    title: str
    figures: tuple[Figure, ...]


def key_figures(score: Scorecard) -> tuple[Figure, ...]:
    """The figures for the head of the page: what is looked for first, else the first rows."""
    chosen: list[Row] = []
    for pattern in _KEY_METRICS:
        subjects = {_subject(row) for row in chosen}
        fit = (row for row in score.rows if re.match(pattern, row.metric) and _subject(row) not in subjects)
        chosen += [row for row in (next(fit, None),) if row is not None]
    return tuple(figure(row) for row in (chosen or list(score.rows))[:MAX_KEY_FIGURES])


def groups(score: Scorecard) -> tuple[Group, ...]:
    """All rows, by the first part of their names."""
    found: dict[str, list[Figure]] = {}
    families = list(dict.fromkeys(_family(row) for row in score.rows))
    for row in sorted(score.rows, key=lambda row: families.index(_family(row))):
        first = re.split("[/_]", row.metric, maxsplit=1)[0]
        title = _GROUPS.get(first) or words(row.metric.partition("/")[0]).capitalize()
        found.setdefault(title, []).append(figure(row))
    return tuple(Group(title, tuple(figures)) for title, figures in found.items())


def figure(row: Row) -> Figure:
    """A row as text."""
    shown = scale(row)
    return Figure(
        metric=row.metric,
        title=readable(row.metric),
        value=shown.bare(row.value),
        unit=shown.unit,
        interval=interval_text(row),
        n=number(row.n),
        floors=floor_texts(row),
        note=row.note,
        line=whisker(row),
    )


def readable(metric: str) -> str:
    """A metric's name in words: "prediction/goal/rmse/0.5s" as "prediction, goal, error (RMSE), 0.5 s ahead"."""
    horizon = HORIZON.search(metric)
    parts = [words(part) for part in HORIZON.sub("", metric).split("/")]
    ahead = [f"{horizon.group(1)} s ahead"] if horizon else []
    return ", ".join([*(_NAMES.get(part, part) for part in parts), *ahead])


def _family(row: Row) -> str:
    """The metric without its horizon: rows of one family stand together, in the order in which they were made."""
    return HORIZON.sub("", row.metric)


def _subject(row: Row) -> str:
    """What a row is about, so that the head of the page does not say one thing twice."""
    first = re.split("[/_]", row.metric, maxsplit=1)[0]
    return row.metric if first == "prediction" else first
