"""Success against shift, before and after adapting: from shift.json.

python benchmarks/shift_chart.py
"""

from pathlib import Path

from common import RESULTS
from monde.scorecard import Row, Scorecard
from monde.store import read_json

SERIES = {
    "success": ("as trained", "#aa3377", "o"),
    "seen_through": ("adapted to any look, no new episode", "#ccbb44", "^"),
    "recovered": ("adapted, 20 new episodes", "#4477aa", "s"),
}
"""What is drawn: label, colour, marker."""

ALLOWED = 0.1
"""Success that may be lost."""


def draw(out: Path) -> None:
    """Write shift.svg; nothing without matplotlib."""
    try:
        import matplotlib

        matplotlib.use("svg")
        import matplotlib.pyplot as plt
    except ImportError:
        return
    card = Scorecard.from_json(read_json(out / "shift.json"))
    rows = {row.metric: row for row in card.rows}
    tasks = list(dict.fromkeys(metric.split("/")[1] for metric in rows))
    width = 5.2 * len(tasks)
    figure, axes = plt.subplots(
        1, len(tasks), figsize=(width, 3.4), constrained_layout=True, sharey=True, squeeze=False
    )
    for axis, task in zip(axes[0], tasks, strict=True):
        shifts = list(dict.fromkeys(metric.split("/")[2] for metric in rows if metric.split("/")[1] == task))
        for number, (series, (label, colour, marker)) in enumerate(SERIES.items()):
            shown = {place: rows.get(f"{series}/{task}/{shift}") for place, shift in enumerate(shifts)}
            found = {place + 0.14 * (number - 1): row for place, row in shown.items() if row is not None}
            values = [100 * row.value for row in found.values()]
            errors = [[_reach(row, side) for row in found.values()] for side in (0, 1)]
            axis.errorbar(
                list(found), values, yerr=errors, fmt=marker, color=colour, markersize=5, capsize=2, label=label
            )
        plain = rows[f"success/{task}/none"]
        axis.axhline(100 * (plain.value - ALLOWED), color="#bbbbbb", linewidth=1, linestyle=":")
        axis.axhline(100 * plain.floors.get("random", 0.0), color="#bbbbbb", linewidth=1, linestyle="--")
        axis.set_xticks(range(len(shifts)), shifts, fontsize=8)
        axis.set_ylim(0, 104)
        axis.set_title(task, fontsize=10)
        axis.tick_params(labelsize=8)
    axes[0][0].set_ylabel("success, % (95% interval)\ndashed: random, dotted: 10 points lost", fontsize=8)
    axes[0][0].legend(fontsize=7, loc="lower left")
    figure.savefig(out / "shift.svg", metadata={"Date": None})
    plt.close(figure)


def _reach(row: Row, side: int) -> float:
    low, high = row.interval or (row.value, row.value)
    # A Wilson interval may lie off a value of 0 or 1 by rounding.
    return 100 * max(0.0, row.value - low if side == 0 else high - row.value)


if __name__ == "__main__":
    draw(RESULTS)
