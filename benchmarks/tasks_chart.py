"""Success against the distance of the goal, one panel a task: from tasks.json.

python benchmarks/tasks_chart.py
"""

from pathlib import Path

from common import RESULTS
from monde.scorecard import Row, Scorecard
from monde.store import read_json

COLUMNS = 3
NAMES = {
    "auto": ("monde (configurator)", "#aa3377"),
    "hybrid-deep": ("monde, two blocks deep", "#aa3377"),
    "actor": ("monde, actor alone", "#aa3377"),
    "hybrid": ("monde, flat hybrid", "#4477aa"),
    "hierarchical": ("monde, second level of time", "#66ccee"),
    "cem-300x10": ("CEM 300 × 10, latent distance", "#228833"),
    "clone": ("behaviour cloning", "#ccbb44"),
}


def curves(card: Scorecard, task: str) -> dict[str, dict[str, Row]]:
    """Rows by planner and distance."""
    found: dict[str, dict[str, Row]] = {}
    for row in card.rows:
        kind, of, planner, *distance = row.metric.split("/")
        if kind == "success" and of == task:
            found.setdefault(planner, {})[distance[0]] = row
    return found


def times(card: Scorecard, task: str) -> dict[str, float]:
    """Seconds of one plan by planner."""
    told = [row for row in card.rows if row.metric.startswith(f"plan_seconds/{task}/")]
    return {row.metric.rpartition("/")[2]: row.value for row in told}


def draw(out: Path) -> None:
    """Write tasks.svg; nothing without matplotlib."""
    try:
        import matplotlib

        matplotlib.use("svg")
        import matplotlib.pyplot as plt
    except ImportError:
        return
    card = Scorecard.from_json(read_json(out / "tasks.json"))
    tasks = list(dict.fromkeys(row.metric.split("/")[1] for row in card.rows))
    lines = -(-len(tasks) // COLUMNS)
    size = (3.4 * min(COLUMNS, len(tasks)), 2.8 * lines)
    figure, axes = plt.subplots(lines, min(COLUMNS, len(tasks)), figsize=size, constrained_layout=True, squeeze=False)
    for axis, task in zip(axes.flat, tasks, strict=False):
        found = curves(card, task)
        for planner, rows in found.items():
            name, colour = NAMES[planner]
            values = [100 * row.value for row in rows.values()]
            spans = [row.interval or (row.value, row.value) for row in rows.values()]
            off = [[max(0.0, v - 100 * low) for v, (low, _) in zip(values, spans, strict=True)],
                   [max(0.0, 100 * high - v) for v, (_, high) in zip(values, spans, strict=True)]]  # fmt: skip
            axis.errorbar(list(rows), values, yerr=off, marker="o", markersize=3, capsize=2, color=colour, label=name)
        first = next(iter(found.values()))
        axis.plot(
            list(first), [100 * row.floors["random"] for row in first.values()], ":", color="#888888", label="random"
        )
        for place, (planner, seconds) in enumerate(times(card, task).items()):
            told = f"{1e3 * seconds:,.{0 if seconds >= 0.1 else 1}f} ms a plan"
            colour, at = NAMES[planner][1], (0.98, 0.16 + 0.08 * place)
            axis.text(*at, told, color=colour, fontsize=6, ha="right", transform=axis.transAxes)
        axis.set_title(task, fontsize=9)
        axis.set_ylim(-3, 103)
        axis.tick_params(labelsize=8)
        axis.set_xlabel("control steps to the goal", fontsize=8)
    for axis in axes.flat[len(tasks) :]:
        axis.axis("off")
    axes[0, 0].set_ylabel("success (%)", fontsize=8)
    shown = {label: line for axis in axes.flat for line, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(list(shown.values()), list(shown), fontsize=7, loc="outside lower center", ncols=4)
    figure.savefig(out / "tasks.svg", metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    draw(RESULTS)
