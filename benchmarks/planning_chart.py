"""Success against the time of one plan, all systems: from planning.json and, where it is there, planning_peers.json.

python benchmarks/planning_chart.py
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common import RESULTS
from monde.scorecard import Row, Scorecard
from monde.store import read_json

LABEL_GAP = 5.5
"""Least distance between labels, in points of success."""

TITLES = {"tworoom": "TwoRoom, one layout", "tworoom_doors": "a door at a new height in every episode"}


@dataclass(frozen=True)
class Point:
    """One system on one task.

    Args:
        name: Of the system.
        seconds: A plan.
        success: Its row.
    """

    name: str
    seconds: float
    success: Row


def points(card: Scorecard, task: str) -> list[Point]:
    """The planners of a task that have both figures."""
    rows = {row.metric: row for row in card.rows}
    names = [metric.rpartition("/")[2] for metric in rows if metric.startswith(f"success/{task}/")]
    timed = [name for name in names if f"plan_seconds/{task}/{name}" in rows]
    return [Point(name, rows[f"plan_seconds/{task}/{name}"].value, rows[f"success/{task}/{name}"]) for name in timed]


def peers(card: Scorecard) -> list[Point]:
    """The other packages, on the fixed layout."""
    rows = {row.metric: row for row in card.rows}
    names = [metric.partition("/")[2] for metric in rows if metric.startswith("success/")]
    return [
        Point(name, rows[f"plan_seconds/{name}_fp32"].value, rows[f"success/{name}"])
        for name in names
        if f"plan_seconds/{name}_fp32" in rows
    ]


def draw(out: Path) -> None:
    """Write planning.svg; nothing without matplotlib."""
    try:
        import matplotlib

        matplotlib.use("svg")
        import matplotlib.pyplot as plt
    except ImportError:
        return
    card = Scorecard.from_json(read_json(out / "planning.json"))
    others = out / "planning_peers.json"
    beside = peers(Scorecard.from_json(read_json(others))) if others.exists() else []
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), constrained_layout=True, sharey=True, squeeze=False)
    for axis, (task, title) in zip(axes[0], TITLES.items(), strict=True):
        mine = points(card, task)
        _scatter(axis, mine, "#4477aa", "o")
        if task == "tworoom":
            _scatter(axis, beside, "#aa3377", "s")
        if mine:
            floor = mine[0].success.floors.get("random", 0.0)
            axis.axhline(100 * floor, color="#bbbbbb", linewidth=1, linestyle="--")
        axis.set_xscale("log")
        axis.set_xlim(3e-4, 1e3)
        axis.set_ylim(0, 108)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("seconds a plan, one core (log)", fontsize=9)
        axis.tick_params(labelsize=8)
    axes[0][0].set_ylabel("success, % (95% interval; dashed: random)", fontsize=9)
    figure.savefig(out / "planning.svg", metadata={"Date": None})
    plt.close(figure)


def _scatter(axis: object, shown: Sequence[Point], colour: str, marker: str) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axis, Axes)
    last = 200.0
    for point in sorted(shown, key=lambda point: -point.success.value):
        low, high = point.success.interval or (point.success.value, point.success.value)
        value = 100 * point.success.value
        # A Wilson interval may lie off a value of 0 or 1 by rounding.
        error = [[max(0.0, value - 100 * low)], [max(0.0, 100 * high - value)]]
        axis.errorbar(point.seconds, value, yerr=error, fmt=marker, color=colour, markersize=5, capsize=2)
        # Labels keep a distance from each other; a thin line leads to the point.
        last = min(value + 1, last - LABEL_GAP)
        axis.annotate(
            point.name,
            (point.seconds, value),
            xytext=(point.seconds * 1.5, last),
            fontsize=7,
            va="center",
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": "#888888"},
        )


if __name__ == "__main__":
    draw(RESULTS)
