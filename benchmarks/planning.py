"""TwoRoom with a fixed door and with random ones: success and time of every planner, from recordings made here.

    python benchmarks/planning.py --keep DIR [--seeds 0 1 2] [--stage models|success|all]

models: record, train and fit each task and seed by its recipe (skipped where DIR holds them). success: n episodes of
each planner; hybrid and actor for every seed, each with starts of its own, the others for the first. all: also one plan
of one problem at a time, on one thread, which wants a quiet machine, and results/planning.json and planning.svg.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from common import options, row, write
from monde.agents import Strategy
from monde.evaluation import ControlConfig, describe_strategy, score_control
from monde.evaluation.statistics import wilson
from monde.evaluation.timing import time_plans
from monde.models import JEPA, load_model
from monde.recipes import RECIPES, strategy
from monde.scorecard import Row
from monde.store import RunFolder, read_json, write_json
from monde.training import choose_precision, finish_training, fit_actor, fit_body_motion, fit_landmarks
from monde.worlds import make
from planning_chart import draw

TASKS = ("tworoom", "tworoom_doors")
EVERY_SEED = ("hybrid", "actor")
IN_FLOAT32 = ("auto", "clone", "hierarchical", "hybrid-deep", *EVERY_SEED)
FIRST_SEED = ("cem", "cem-300x10", "icem", "mppi", "gradient", "random-shooting")
TIMED_PLANS = 100
BUDGET_STEPS = 100
START_SEED = 1
"""Seed of the first training's starts and goals, and so on: no start is counted twice."""


def prepare(task: str, seed: int, keep: Path) -> Path:
    """The run of a task and seed, made by its recipe where it is not there yet."""
    recipe = RECIPES[task](keep / f"{task}-{seed}", seed=seed)
    run = RunFolder(recipe.run)
    recipe.record()
    finish_training(recipe.train)
    if recipe.motion is not None and not run.motion.exists():
        fit_body_motion(recipe.run, recipe.motion)
    if recipe.actor is not None and not run.actor.exists():
        summary = fit_actor(recipe.run, recipe.actor)
        write_json(recipe.run / "actor_fit.json", {"steps": summary.steps, "seconds": summary.seconds})
    if recipe.landmarks is not None and not run.landmarks.exists():
        fit_landmarks(recipe.run, recipe.landmarks)
    return recipe.run


def opened(run: Path, name: str = "hybrid") -> JEPA:
    """The model: in float32 for few samples, in bfloat16, where the processor has it, for the searches of hundreds."""
    model = load_model(run, torch.device("cpu")).requires_grad_(False)
    model.autocast = name not in IN_FLOAT32 and choose_precision("auto", model.device)
    return model


def success(run: Path, task: str, name: str, episodes: int, start_seed: int) -> dict[str, object]:
    """Episodes that reached their goal, kept beside the run."""
    path = run / "planning" / f"{name}.json"
    if path.exists():
        earlier = read_json(path)
        if (earlier["episodes"], earlier.get("start_seed", START_SEED)) == (episodes, start_seed):
            return earlier
    chosen = strategy(name, run, device="cpu")
    config = ControlConfig(episodes=episodes, budget_steps=BUDGET_STEPS, seed=start_seed, timed_plans=1)
    found = score_control(opened(run, name), chosen, task, config)
    rows = {row.metric: row for row in found.rows}
    kept = {
        "episodes": episodes,
        "start_seed": start_seed,
        "reached": round(rows["success"].value * episodes),
        "floors": dict(rows["success"].floors),
        "planner": describe_strategy(chosen),
        "redrawn": found.redrawn,
    }
    path.parent.mkdir(exist_ok=True)
    write_json(path, kept)
    print(run, name, json.dumps(kept["reached"]), flush=True)
    return kept


def success_row(runs: Sequence[Path], task: str, name: str, episodes: int) -> Row:
    """Success over all seeds of training together."""
    found = [success(run, task, name, episodes, START_SEED + index) for index, run in enumerate(runs)]
    reached = [int(str(one["reached"])) for one in found]
    floors = found[0]["floors"]
    total = episodes * len(runs)
    return Row(
        metric=f"success/{task}/{name}",
        value=sum(reached) / total,
        interval=wilson(sum(reached), total),
        n=total,
        floors=floors if isinstance(floors, dict) else {},
        note=f"of {episodes} episodes each: {', '.join(map(str, reached))} by seed of training",
    )


def seconds_row(run: Path, task: str, name: str, plans: int) -> Row:
    """One plan at a time: the mean and its interval; the search alone, what is seen is encoded before."""
    chosen: Strategy = strategy(name, run, device="cpu")
    seeds = range(20_000, 20_000 + plans)
    found = time_plans(opened(run, name), chosen, make, task, tuple(seeds), plans=plans, seed=0)
    note = "one problem at a time, one thread, mean; without encoding"
    return row(f"plan_seconds/{task}/{name}", found, "s", note)


def main() -> None:
    """Make, measure, write."""
    parser = options(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--keep", type=Path, required=True, help="folder of recordings and runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--stage", choices=("models", "success", "all"), default="all")
    given = parser.parse_args()
    torch.set_num_threads(1)
    runs = {task: [prepare(task, seed, given.keep) for seed in given.seeds] for task in TASKS}
    if given.stage == "models":
        return
    rows = []
    for task, found in runs.items():
        for name in (*EVERY_SEED, *FIRST_SEED):
            rows.append(success_row(found if name in EVERY_SEED else found[:1], task, name, given.episodes))
    if given.stage == "success":
        return
    for task, found in runs.items():
        for name in (*EVERY_SEED, *FIRST_SEED):
            rows.append(seconds_row(found[0], task, name, TIMED_PLANS if name in EVERY_SEED else 10))
    protocol = {
        "budget_steps": BUDGET_STEPS,
        "start_seeds": [START_SEED + index for index in range(len(given.seeds))],
        "threads": 1,
        "bfloat16": [name for name in FIRST_SEED if opened(runs[TASKS[0]][0], name).autocast],
        "replan_every_blocks": 1,
        "training": {task: [steps_taken(run) for run in found] for task, found in runs.items()},
        "planners": {name: success(runs[TASKS[0]][0], TASKS[0], name, given.episodes, START_SEED)["planner"] for name in
                     (*EVERY_SEED, *FIRST_SEED)},
    }  # fmt: skip
    write("planning", rows, protocol, given.seeds, given.out)
    draw(given.out)


def steps_taken(run: Path) -> dict[str, object]:
    """Optimiser steps of the model and of its actor."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return {"model_steps": lines[-1]["step"], "actor": read_json(run / "actor_fit.json")}


if __name__ == "__main__":
    main()
