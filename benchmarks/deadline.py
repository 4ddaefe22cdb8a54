"""Plans under a deadline: do they come in time, and what is success at each?

    python benchmarks/deadline.py --keep DIR        # DIR as of planning.py; wants a quiet machine

Every plan is of one problem alone, on one thread. The first figure asks every planner for a plan within 20 ms and
counts those that took at most 25 ms of wall time; the second runs n episodes at each deadline. Writes
results/deadline.json and deadline.svg.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from common import options, write
from monde.agents import PlanningAgent, Strategy, run_episodes
from monde.evaluation.starts import draw_starts
from monde.evaluation.statistics import wilson
from monde.evaluation.timing import time_plans
from monde.models import JEPA
from monde.recipes import PLANNERS, strategy
from monde.scorecard import Row
from monde.worlds import make
from planning import opened, prepare

WORLD = "tworoom_doors"
ALLOWED, ACCEPTED = 0.020, 0.025
DEADLINES = (0.0, 0.002, 0.005, 0.010, 0.020, 0.050, 0.100)
SHOWN: Mapping[str, tuple[str, str]] = {
    "hybrid": ("hybrid", "auto"),
    "cem-300x10, learned time": ("cem-300x10", "time"),
}
"""Label to planner and cost."""


def in_time(model: JEPA, name: str, chosen: Strategy, plans: int) -> Row:
    """Share of plans that came within `ACCEPTED` where `ALLOWED` was given."""
    seeds = tuple(range(30_000, 30_000 + plans))
    found = np.array(time_plans(model, chosen, make, WORLD, seeds, plans=plans, seed=0, deadline_seconds=ALLOWED))
    reached = int((found <= ACCEPTED).sum())
    p99 = 1e3 * float(np.quantile(found, 0.99))
    note = f"plans within {1e3 * ACCEPTED:g} ms, {1e3 * ALLOWED:g} ms allowed; 99th percentile {p99:.1f} ms"
    return Row(metric=f"in_time/{name}", value=reached / plans, interval=wilson(reached, plans), n=plans, note=note)


def success(model: JEPA, label: str, chosen: Strategy, deadline: float, seeds: Sequence[int]) -> Row:
    """Success with every plan under a deadline, one episode at a time: the deadline is each plan's own."""
    reached = 0
    seconds: list[float] = []
    world = make(WORLD, 1)
    for seed in seeds:
        agent = PlanningAgent(model, chosen, seed=0, deadline_seconds=deadline)
        results = run_episodes(world, agent, [seed], 100)
        reached += int(results.success.sum())
        seconds += results.plan_seconds
    n = len(seeds)
    note = f"median plan {1e3 * float(np.median(seconds)):.1f} ms, longest {1e3 * max(seconds):.1f} ms"
    metric = f"success/{label}/{1e3 * deadline:g}ms"
    return Row(metric=metric, value=reached / n, interval=wilson(reached, n), n=n, note=note)


def draw(found: Mapping[str, Sequence[Row]], out: Path) -> None:
    """Success against the deadline; nothing without matplotlib."""
    try:
        import matplotlib

        matplotlib.use("svg")
        import matplotlib.pyplot as plt
    except ImportError:
        return
    figure, axis = plt.subplots(figsize=(6, 3.4), constrained_layout=True)
    places = [1e3 * deadline for deadline in DEADLINES]
    for label, rows in found.items():
        values = [100 * row.value for row in rows]
        error = np.array([[row.value - row.interval[0], row.interval[1] - row.value] for row in rows if row.interval])
        axis.errorbar(
            places, values, yerr=100 * np.maximum(error, 0).T, marker="o", markersize=4, capsize=2, label=label
        )
    axis.set_xscale("symlog", linthresh=2)
    axis.set_ylim(0, 105)
    axis.set_xticks(places, [f"{place:g}" for place in places])
    axis.set_xlabel("time allowed for a plan, ms (one core)")
    axis.set_ylabel("success, %")
    axis.legend(fontsize=8)
    figure.savefig(out / "deadline.svg", metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Measure, draw, write."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--plans", type=int, default=1000)
    given = parser.parse_args()
    torch.set_num_threads(1)
    run = prepare(WORLD, 0, given.keep)
    model = opened(run)
    rows = [in_time(model, name, strategy(name, run, device="cpu"), given.plans) for name in sorted(PLANNERS)]
    worst = min(rows, key=lambda row: row.value)
    rows.insert(0, Row(metric="in_time", value=worst.value, interval=worst.interval, n=worst.n, note=worst.metric))
    seeds, _ = draw_starts(lambda batch: make(WORLD, batch), given.episodes, 1, 100)
    curves = {}
    for label, (name, cost) in SHOWN.items():
        chosen = strategy(name, run, cost, device="cpu")
        curves[label] = [success(model, label, chosen, deadline, seeds) for deadline in DEADLINES]
        rows += curves[label]
    protocol = {"world": WORLD, "threads": 1, "allowed_seconds": ALLOWED, "accepted_seconds": ACCEPTED}
    write("deadline", rows, protocol, (0,), given.out)
    draw(curves, given.out)


if __name__ == "__main__":
    main()
