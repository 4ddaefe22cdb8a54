"""The field's tasks: success of our planner and of the baselines against how far away the goal is.

    python benchmarks/tasks.py --keep DIR [--tasks pointmaze_umaze …] [--seeds 0 1 2] [--episodes 200] [--stage all]

Each task is recorded, trained and fitted by its recipe (skipped where DIR holds it). The headline planner ("auto": the
configurator; "hybrid-deep" for contacts) runs n episodes for each seed and distance; random, stay, goal-conditioned
behaviour cloning, the flat hybrid and CEM with LeWM's planner settings (300 × 10, latent distance) run fewer, for the
first seed. What was counted is kept beside the run, so that an interrupted benchmark goes on. Writes results/tasks.json
and tasks.svg.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from common import options, write
from monde.agents import Strategy
from monde.costs import LatentDistance
from monde.errors import UsageError
from monde.evaluation import ControlConfig, describe_strategy, score_control
from monde.evaluation.statistics import wilson
from monde.planning import ProposalConfig, ProposalPlanner
from monde.recipes import RECIPES, strategy
from monde.scorecard import Row
from monde.store import read_json, write_json
from monde.training import FitActorConfig, GoalShares, clone_recording
from planning import opened, prepare
from tasks_chart import draw

BASELINES: dict[str, tuple[int | None, ...]] = {
    "hybrid": (25, 100, None),
    "clone": (25, 100, None),
    "cem-300x10": (25, 100),
}
"""Distances at which each runs. 300 × 10 sequences for every block of a long way would take most of the benchmark."""

START_SEED = 1
"""Seed of the first training's starts and goals, and so on: no start is counted twice."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How a task is judged.

    Args:
        distances: Control steps to the goal, in the world's name behind "@"; none for goals of the world's own.
        budget: Control steps allowed for each step of distance.
        spare: And besides.
        whole: Control steps allowed for goals of the world's own.
        headline: Our planner.
    """

    distances: tuple[int | None, ...]
    budget: float = 2.0
    spare: int = 25
    whole: int = 100
    headline: str = "auto"

    def budget_steps(self, distance: int | None) -> int:
        """Control steps allowed."""
        return self.whole if distance is None else round(self.budget * distance) + self.spare


MAZE = (25, 50, 100)
TASKS = {
    "pointmaze_umaze": Protocol(distances=MAZE, whole=250),
    "pointmaze_medium": Protocol(distances=(*MAZE, None), whole=350),
    "pointmaze_large": Protocol(distances=(*MAZE, 200, None), whole=650),
    "pointmaze_giant": Protocol(distances=(*MAZE, 200, 400, None), whole=1000),
    "antmaze_medium": Protocol(distances=(25, 100), budget=4.0),
    "reacher": Protocol(distances=(None,), whole=100),
    "pusht": Protocol(distances=(25,), spare=0, headline="hybrid-deep"),
    "cube_single": Protocol(distances=(25,), spare=0, headline="hybrid-deep"),
}
"""A maze's goals of its own are uniform over the maze; their budget is about twice its longest way."""


def chosen(name: str, run: Path) -> Strategy:
    """The strategy of a planner; the clone is fitted, for as long as the actor was, where it is first asked for."""
    return cloned(run) if name == "clone" else strategy(name, run, device="cpu")


@cache
def cloned(run: Path) -> Strategy:
    """Goal-conditioned behaviour cloning."""
    minutes = float(str(read_json(run / "actor_fit.json")["seconds"])) / 60
    recipe = RECIPES[run.name](run.parent).actor
    goals = GoalShares() if recipe is None else recipe.goals
    actor = clone_recording(run, FitActorConfig(minutes=minutes, goals=goals, device="cpu"))
    return Strategy(ProposalPlanner(ProposalConfig(horizon=1)), LatentDistance(), actor)


def kept_at(run: Path, task: str, name: str, distance: int | None) -> Path:
    """Where what was counted is kept."""
    return run / "tasks" / (task if distance is None else f"{task}@{distance}") / f"{name}.json"


def counted(
    run: Path, task: str, name: str, distance: int | None, episodes: int | None, seed: int
) -> dict[str, object]:
    """Episodes that reached their goal, kept beside the run; without a number, as many as were counted."""
    world = task if distance is None else f"{task}@{distance}"
    path = kept_at(run, task, name, distance)
    if path.exists():
        earlier = read_json(path)
        if (earlier["episodes"], earlier["start_seed"]) == (episodes or earlier["episodes"], seed):
            return earlier
    if episodes is None:
        raise UsageError("this was not counted with these starts", got=str(path), remedy="count it: --stage all")
    way = chosen(name, run)
    budget = TASKS[task].budget_steps(distance)
    config = ControlConfig(episodes=episodes, budget_steps=budget, seed=seed, timed_plans=10)
    rows = {row.metric: row for row in score_control(opened(run, name), way, world, config).rows}
    kept: dict[str, object] = {
        "episodes": episodes,
        "start_seed": seed,
        "reached": round(rows["success"].value * episodes),
        "floors": dict(rows["success"].floors),
        "budget_steps": budget,
        "plan_seconds": rows["plan_seconds"].value,
        "planner": describe_strategy(way),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, kept)
    print(run, world, name, json.dumps(kept["reached"]), "of", episodes, flush=True)
    return kept


def success_row(runs: Sequence[Path], task: str, name: str, distance: int | None, episodes: int | None) -> Row:
    """Success over the seeds of training; see `counted`."""
    found = [counted(run, task, name, distance, episodes, START_SEED + index) for index, run in enumerate(runs)]
    reached, tried = ([int(str(one[key])) for one in found] for key in ("reached", "episodes"))
    floors = found[0]["floors"]
    return Row(
        metric=f"success/{task}/{name}/{'any' if distance is None else distance}",
        value=sum(reached) / sum(tried),
        interval=wilson(sum(reached), sum(tried)),
        n=sum(tried),
        floors=floors if isinstance(floors, dict) else {},
        note=f"budget {found[0]['budget_steps']} control steps; of {', '.join(map(str, tried))} episodes: "
        f"{', '.join(map(str, reached))} by seed of training",
    )


def main() -> None:
    """Make, measure, write."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="folder of recordings and runs")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--episodes", type=int, default=200, help="of the headline planner, for each seed and distance")
    parser.add_argument("--baseline-episodes", type=int, default=50)
    parser.add_argument("--planners", nargs="+", default=["auto", "hybrid-deep", *BASELINES], help="counted now")
    parser.add_argument("--stage", choices=("models", "all", "report"), default="all", help="report: what was counted")
    given = parser.parse_args()
    torch.set_num_threads(1)
    runs = {task: [prepare(task, seed, given.keep) for seed in given.seeds] for task in given.tasks}
    if given.stage == "models":
        return
    rows = []
    for task, made in runs.items():
        headline = TASKS[task].headline
        for distance in TASKS[task].distances:
            compared = [name for name, distances in BASELINES.items() if distance in distances]
            for name in (headline, *compared):
                which, episodes = (made, given.episodes) if name == headline else (made[:1], given.baseline_episodes)
                now = given.stage == "all" and name in given.planners
                if now or all(kept_at(run, task, name, distance).exists() for run in which):
                    rows.append(success_row(which, task, name, distance, episodes if now else None))
    protocol = {
        "start_seeds": [START_SEED + index for index in range(len(given.seeds))],
        "threads": 1,
        "replan_every_blocks": 1,
        "start_filter": "a start at its goal is drawn again",
        "recipes": {task: repr(RECIPES[task](Path(task))) for task in given.tasks},
    }
    write("tasks", rows, protocol, given.seeds, given.out)
    draw(given.out)


if __name__ == "__main__":
    main()
