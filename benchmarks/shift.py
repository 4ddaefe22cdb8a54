"""Success under the declared shifts of a task (`monde.worlds.SHIFTS`), and after getting used to them.

    python benchmarks/shift.py --keep DIR [--tasks tworoom pointmaze_medium] [--episodes 200] [--stage all]

DIR holds the runs of benchmarks/planning.py, or makes them by their recipes. For each task and shift: `success`, the
run as its recipe leaves it; `recovered`, where more than 5 points are lost, the same run adapted with 20 new episodes
of the shifted world, recorded by the recipe's own policy; `seen_through`, the run adapted once, without any new
episode, to looks of every kind. Goal pictures are shown in the shifted look, as all else. What is measured is kept
beside the runs: a second call goes on.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from common import options, write
from kept import differing, made_of, not_as_wanted
from monde.agents import Agent, PlanningAgent, random_agent, record, run_episodes
from monde.evaluation import describe_strategy
from monde.evaluation.starts import draw_starts
from monde.evaluation.statistics import wilson
from monde.models import load_model, weights_hash
from monde.recipes import RECIPES, strategy
from monde.scorecard import Row
from monde.store import RunFolder, read_json, write_json
from monde.training import AdaptConfig, adapt
from monde.worlds import SHIFTS, make
from planning import prepare
from shift_chart import draw

STAGES = ("success", "recovered", "seen_through", "all", "report")
LOST = 0.05
"""Share of episodes lost from which on a run is adapted: there is nothing to recover below."""

NEW_EPISODES = 20
NEW_SEED = 1000
START_SEED = 1
BATCH = 50
STEPS = {"look": 400, "any": 300, "dynamics": 120}
"""Optimiser steps of adapting: to one look, to looks of any kind, to other dynamics."""


def world(task: str, shift: str) -> str:
    """The name of a task's world under a shift; "none" is none."""
    return task if shift == "none" else f"{task}+{shift}"


def reached(agent: Agent, task: str, shift: str, episodes: int) -> int:
    """Episodes that end at their goal; the same starts and goals under every shift."""
    seeds, _ = draw_starts(lambda batch: make(task, batch), episodes, START_SEED, BATCH)
    budget = RECIPES[task](Path()).score.budget_steps
    found = 0
    for first in range(0, episodes, BATCH):
        chunk = seeds[first : first + BATCH]
        place = make(world(task, shift), len(chunk))
        found += int(run_episodes(place, agent, chunk, budget).success.sum())
        place.close()
    return found


def success(run: Path, task: str, shift: str, episodes: int, report: bool = False) -> int:
    """Of the hybrid planner with a run's model; kept beside the run with what it was measured with, and measured again
    where that differs. A `report` takes files of old, which do not say all, too.

    Raises:
        UsageError: For a report, what was measured otherwise.
    """
    path, chosen = run / "shift" / f"{shift}.json", strategy("hybrid", run, device="cpu")
    planner = describe_strategy(chosen)
    wanted = protocol_of(task, episodes) | {"planner": planner, "made_of": made_of(run, planner)}
    if path.exists():
        earlier = read_json(path)
        other = differing(earlier, wanted, lenient=report)
        if not other:
            return int(str(earlier["reached"]))
        if report:
            raise not_as_wanted(path, other, "measure it again: --stage all")
    model = load_model(run).requires_grad_(False)
    found = reached(PlanningAgent(model, chosen, seed=START_SEED), task, shift, episodes)
    path.parent.mkdir(exist_ok=True)
    write_json(path, wanted | {"reached": found})
    print(run, shift, f"{found} of {episodes}", flush=True)
    return found


def protocol_of(task: str, episodes: int) -> dict[str, object]:
    """What figures depend on beside the run and its planner."""
    budget = RECIPES[task](Path()).score.budget_steps
    return {"episodes": episodes, "start_seed": START_SEED, "budget_steps": budget}


def floor(run: Path, task: str, shift: str, episodes: int, report: bool = False) -> float:
    """Of acting at random; pictures and weights make no difference to it."""
    path, wanted = run / "shift" / f"random-{shift}.json", protocol_of(task, episodes)
    if not path.exists() or differing(read_json(path), wanted, lenient=report):
        agent = random_agent(load_model(run).actions, START_SEED)
        path.parent.mkdir(exist_ok=True)
        write_json(path, wanted | {"reached": reached(agent, task, shift, episodes)})
    return int(str(read_json(path)["reached"])) / episodes


def adapted(run: Path, task: str, shift: str) -> Path:
    """The run adapted to a shift from new episodes, or to looks of any kind ("any"); made where it is not there yet.

    Raises:
        UsageError: What is there was adapted from other weights.
    """
    out = run.parent / f"{run.name}-{shift}"
    if (out / "adapt.json").exists():
        parent = RunFolder(out).read_config().get("adapted")
        if not isinstance(parent, dict) or parent.get("weights") != weights_hash(run):
            raise not_as_wanted(out, ["the weights that it was adapted from"], "move it away; it is made again")
        return out
    began, data = time.process_time(), None
    if shift != "any":
        recipe = RECIPES[task](Path())
        data = run.parent / f"new-{shift}"
        record(world(task, shift), data, episodes=NEW_EPISODES, steps=recipe.steps, policy=recipe.policy, seed=NEW_SEED)
    kind = shift if shift in STEPS else "look"
    summary = adapt(
        AdaptConfig(
            run=str(run),
            out=str(out),
            data=None if data is None else str(data),
            changed="dynamics" if shift == "dynamics" else "look",
            minutes=None,
            steps=STEPS[kind],
        ),
        resume=RunFolder(out).config.exists(),
    )
    if not summary.finished:
        raise KeyboardInterrupt
    seconds = time.process_time() - began
    told = {"cpu_seconds": seconds, "steps": summary.step, "before": summary.before, "after": summary.after}
    write_json(out / "adapt.json", told)
    print(out, told, flush=True)
    return out


def measured(run: Path, adapted_to: str, shift: str) -> bool:
    """Whether success under a shift is known of a run that was adapted."""
    return (run.parent / f"{run.name}-{adapted_to}" / "shift" / f"{shift}.json").exists()


def row(metric: str, found: int, episodes: int, random: float, note: str = "") -> Row:
    """A share with Wilson's interval."""
    share, interval = found / episodes, wilson(found, episodes)
    return Row(metric=metric, value=share, interval=interval, n=episodes, floors={"random": random}, note=note)


def task_rows(run: Path, task: str, episodes: int, stage: str, shifts: Sequence[str]) -> list[Row]:
    """All rows of a task."""
    rows = []
    every, report = stage in {"all", "report"}, stage == "report"
    for shift in shifts:
        random = floor(run, task, "dynamics" if shift == "dynamics" else "none", episodes, report)
        if stage == "success" or every:
            rows.append(row(f"success/{task}/{shift}", success(run, task, shift, episodes, report), episodes, random))
        lost = success(run, task, "none", episodes, report) - success(run, task, shift, episodes, report)
        if (
            (stage == "recovered" or every)
            and lost > LOST * episodes
            and (stage != "report" or measured(run, shift, shift))
        ):
            out = adapted(run, task, shift)
            told = read_json(out / "adapt.json")
            note = f"{NEW_EPISODES} new episodes, {told['steps']} steps, {float(str(told['cpu_seconds'])):.0f} s"
            found = success(out, task, shift, episodes, report)
            rows.append(row(f"recovered/{task}/{shift}", found, episodes, random, f"{note} of one core in all"))
        if (
            (stage == "seen_through" or every)
            and shift != "dynamics"
            and (stage != "report" or measured(run, "any", shift))
        ):
            out = adapted(run, task, "any")
            told = read_json(out / "adapt.json")
            note = f"no new episode, {told['steps']} steps, {float(str(told['cpu_seconds'])):.0f} s of one core, once"
            rows.append(
                row(f"seen_through/{task}/{shift}", success(out, task, shift, episodes, report), episodes, random, note)
            )
    return rows


def main() -> None:
    """Make, measure, write."""
    parser = options(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--keep", type=Path, required=True, help="folder of recordings and runs")
    parser.add_argument("--tasks", nargs="+", default=["tworoom", "pointmaze_medium"])
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--stage", choices=STAGES, default="all", help="report: what is measured, no more")
    parser.add_argument("--shifts", nargs="+", default=["none", *SHIFTS], help="some of them, for a part")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for task in given.tasks:
        rows += task_rows(prepare(task, 0, given.keep), task, given.episodes, given.stage, given.shifts)
    if given.stage not in {"all", "report"}:
        return
    protocol = {
        "planner": "hybrid",
        "start_seed": START_SEED,
        "budget_steps": {task: RECIPES[task](Path()).score.budget_steps for task in given.tasks},
        "new_episodes": NEW_EPISODES,
        "new_seed": NEW_SEED,
        "adapting_steps": STEPS,
        "shifts": {name: repr(shift) for name, shift in SHIFTS.items()},
        "goals": "shown in the shifted look",
        "threads": 1,
    }
    write("shift", rows, protocol, [0], given.out)
    draw(given.out)


if __name__ == "__main__":
    main()
