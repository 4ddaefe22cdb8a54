"""The field's tasks: success of our planner and of the baselines against how far away the goal is.

    python benchmarks/tasks.py --keep DIR [--tasks pointmaze_umaze …] [--seeds 0 1 2] [--episodes 200] [--stage all]

Each task is recorded, trained and fitted by its recipe (skipped where DIR holds it). The headline planner ("auto": the
configurator; "hybrid-deep" for Push-T, "actor" for the cube) runs n episodes for each seed and distance; random, stay,
goal-conditioned behaviour cloning, the flat hybrid, a second level of time in place of landmarks, and CEM with LeWM's
planner settings (300 × 10, latent distance) run fewer, for the first seed. What was counted is kept beside the run, so
that an interrupted benchmark goes on. Writes results/tasks.json and tasks.svg.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

import torch

from common import options, row, write
from kept import differing, made_of, not_as_wanted
from monde.agents import Strategy
from monde.costs import LatentDistance
from monde.errors import UsageError
from monde.evaluation import ControlConfig, describe_strategy, score_control
from monde.evaluation.statistics import wilson
from monde.planning import ProposalConfig, ProposalPlanner
from monde.recipes import RECIPES, strategy
from monde.scorecard import Row
from monde.store import read_json, write_json
from monde.training import FitActorConfig, FitLevelsConfig, GoalShares, clone_recording, fit_levels
from planning import opened, prepare
from tasks_chart import draw

BASELINES: dict[str, tuple[int | None, ...]] = {
    "hybrid": (25, 100, None),
    "hierarchical": (100, 200, None),
    "clone": (25, 100, None),
    "cem-300x10": (25, 100),
}
"""Distances at which each runs. 300 × 10 sequences for every block of a long way would take most of the benchmark."""

HEADLINES = ("auto", "hybrid-deep", "actor")
OLD = "; counted by an earlier version of this script, which did not keep the hash of the model (docs/log.md)"
TIMED_PLANS = 10
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
        reached: The world's own test of success.
    """

    distances: tuple[int | None, ...]
    budget: float = 2.0
    spare: int = 25
    whole: int = 100
    headline: str = "auto"
    reached: str = "the body's middle within 1 m of the goal's (a cell is 4 m)"

    def budget_steps(self, distance: int | None) -> int:
        """Control steps allowed."""
        return self.whole if distance is None else round(self.budget * distance) + self.spare


MAZE = (25, 50, 100)
TASKS = {
    "pointmaze_umaze": Protocol(
        distances=MAZE, whole=250, reached="the ball's middle within 0.45 m of the goal's (a cell is 1 m), at any speed"
    ),
    "pointmaze_medium": Protocol(distances=(*MAZE, None), whole=350),
    "pointmaze_large": Protocol(distances=(*MAZE, 200, None), whole=650),
    "pointmaze_giant": Protocol(distances=(*MAZE, 200, 400, None), whole=1000),
    "antmaze_medium": Protocol(
        distances=(25, 100), budget=4.0, reached="the torso within 0.5 m of the goal's (a cell is 4 m)"
    ),
    "reacher": Protocol(distances=(None,), whole=100, reached="the tip within 0.05 m of the goal's, at any speed"),
    "pusht": Protocol(
        distances=(25,),
        spare=0,
        headline="hybrid-deep",
        reached="agent and block within 20 px of 512 of the goal's as one distance, the block's angle within 20°",
    ),
    "cube_single": Protocol(distances=(25,), spare=0, headline="actor", reached="the cube within 4 cm of the goal's"),
}
"""A maze's goals of its own are uniform over the maze; their budget is about twice its longest way."""


def chosen(name: str, run: Path) -> Strategy:
    """The strategy of a planner; the clone is fitted, for as long as the actor was, where it is first asked for."""
    return cloned(run) if name == "clone" else strategy(name, whose(name, run), device="cpu")


def whose(name: str, run: Path) -> Path:
    """The run that a planner is of: a second level of time has a copy to itself, for the configurator would use it."""
    if name != "hierarchical":
        return run
    levels, making = run.parent / "levels", run.parent / "levels.making"
    if not levels.exists():
        shutil.rmtree(making, ignore_errors=True)
        shutil.copytree(run, making, ignore=shutil.ignore_patterns("tasks", "tensorboard", "landmarks"))
        fit_levels(making, FitLevelsConfig(device="cpu"))
        making.rename(levels)
    return levels


@cache
def cloned(run: Path) -> Strategy:
    """Goal-conditioned behaviour cloning."""
    minutes = float(str(read_json(run / "actor_fit.json")["seconds"])) / 60
    recipe = RECIPES[run.name](run.parent).actor
    goals = GoalShares() if recipe is None else recipe.goals
    actor = clone_recording(run, FitActorConfig(minutes=minutes, goals=goals, device="cpu"))
    return Strategy(ProposalPlanner(ProposalConfig(horizon=1)), LatentDistance(), actor)


def described(name: str, run: Path) -> dict[str, object]:
    """A planner's settings; those of the clone without fitting it."""
    if name == "clone":
        unfitted = Strategy(ProposalPlanner(ProposalConfig(horizon=1)), LatentDistance())
        return describe_strategy(unfitted) | {"actor": True}
    return describe_strategy(strategy(name, whose(name, run), device="cpu"))


def kept_at(run: Path, task: str, name: str, distance: int | None) -> Path:
    """Where what was counted is kept."""
    return run / "tasks" / (task if distance is None else f"{task}@{distance}") / f"{name}.json"


def counted(
    run: Path, task: str, name: str, distance: int | None, episodes: int | None, seed: int
) -> dict[str, object]:
    """Episodes that reached their goal, kept beside the run with what they were counted with, and counted again where
    that differs. Without a number, as many as were counted: then files of old, which do not say all, are taken too.

    Raises:
        UsageError: Without a number, where nothing was counted, or otherwise than it would be now.
    """
    world = task if distance is None else f"{task}@{distance}"
    path = kept_at(run, task, name, distance)
    planner, budget = described(name, run), TASKS[task].budget_steps(distance)
    wanted: dict[str, object] = {
        "start_seed": seed,
        "budget_steps": budget,
        "planner": planner,
        "made_of": made_of(whose(name, run), planner),
    } | ({} if episodes is None else {"episodes": episodes})
    if path.exists():
        earlier = read_json(path)
        other = differing(earlier, wanted, lenient=episodes is None)
        if not other:
            return earlier
        if episodes is None:
            raise not_as_wanted(path, other, "count it again: --stage all")
    if episodes is None:
        raise UsageError("this was not counted", got=str(path), remedy="count it: --stage all")
    way = chosen(name, run)
    config = ControlConfig(episodes=episodes, budget_steps=budget, seed=seed, timed_plans=TIMED_PLANS)
    rows = {each.metric: each for each in score_control(opened(run, name), way, world, config).rows}
    kept: dict[str, object] = wanted | {
        "reached": round(rows["success"].value * episodes),
        "floors": dict(rows["success"].floors),
        "plan_seconds": rows["plan_seconds"].value,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, kept)
    print(run, world, name, json.dumps(kept["reached"]), "of", episodes, flush=True)
    return kept


def success_row(found: Sequence[Mapping[str, object]], task: str, name: str, distance: int | None) -> Row:
    """Success over the seeds of training; see `counted`."""
    reached, tried = ([int(str(one[key])) for one in found] for key in ("reached", "episodes"))
    floors = found[0]["floors"]
    return Row(
        metric=f"success/{task}/{name}/{'any' if distance is None else distance}",
        value=sum(reached) / sum(tried),
        interval=wilson(sum(reached), sum(tried)),
        n=sum(tried),
        floors=floors if isinstance(floors, dict) else {},
        note=f"budget {found[0]['budget_steps']} control steps; of {', '.join(map(str, tried))} episodes: "
        f"{', '.join(map(str, reached))} by seed of training{'' if all('made_of' in one for one in found) else OLD}",
    )


def seconds_row(found: Sequence[Mapping[str, object]], task: str, name: str) -> Row:
    """Time of one plan, from what was kept: TIMED_PLANS plans of one problem for each distance and training."""
    note = f"one plan of one problem at a time, {TIMED_PLANS} for each distance and training, whatever else ran"
    return row(f"plan_seconds/{task}/{name}", [float(str(one["plan_seconds"])) for one in found], "s", note)


def runs_with(name: str, task: str) -> bool:
    """Whether a baseline is run in a task: levels of time where the recipe leads far, by landmarks."""
    return name != "hierarchical" or RECIPES[task](Path(task)).landmarks is not None


def prepared(task: str, seeds: Sequence[int], keep: Path) -> list[Path]:
    """Runs of these seeds, made where they are not there yet."""
    return [prepare(task, seed, keep) for seed in seeds]


def made(task: str, seeds: Sequence[int], keep: Path) -> list[Path]:
    """Those runs that are there already, of the first seeds: a report makes none."""
    runs = [RECIPES[task](keep / f"{task}-{seed}", seed=seed).run for seed in seeds]
    return list(takewhile(Path.exists, runs))


def main() -> None:
    """Make, measure, write."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="folder of recordings and runs")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--episodes", type=int, default=200, help="of the headline planner, for each seed and distance")
    parser.add_argument("--baseline-episodes", type=int, default=50)
    parser.add_argument(
        "--planners", nargs="+", default=["auto", "hybrid-deep", "actor", *BASELINES], help="counted now"
    )
    parser.add_argument("--stage", choices=("models", "all", "report"), default="all", help="report: what was counted")
    given = parser.parse_args()
    torch.set_num_threads(1)
    make = made if given.stage == "report" else prepared
    runs = {task: make(task, given.seeds, given.keep) for task in given.tasks}
    if given.stage == "models":
        return
    rows, planners = [], {}
    for task, trained in runs.items():
        times: dict[str, list[dict[str, object]]] = {}
        headline = TASKS[task].headline
        for distance in TASKS[task].distances:
            compared = [name for name in BASELINES if distance in BASELINES[name] and runs_with(name, task)]
            for name in (headline, *compared):
                counts = (given.episodes, trained) if name == headline else (given.baseline_episodes, trained[:1])
                episodes, which = counts
                now = given.stage == "all" and name in given.planners
                if not now:
                    which = list(takewhile(lambda run: kept_at(run, task, name, distance).exists(), which))  # noqa: B023
                if which:
                    found = [
                        counted(run, task, name, distance, episodes if now else None, START_SEED + index)
                        for index, run in enumerate(which)
                    ]
                    rows.append(success_row(found, task, name, distance))
                    times.setdefault(name, []).extend(found)
        rows += [seconds_row(found, task, name) for name, found in times.items()]
        planners[task] = {name: found[0]["planner"] for name, found in times.items()}
    protocol = {
        "start_seeds": [START_SEED + index for index in range(len(given.seeds))],
        "threads": 1,
        "replan_every_blocks": 1,
        "start_filter": "a start at its goal is drawn again",
        "success": {task: f"{TASKS[task].reached}, after any control step within the budget" for task in given.tasks},
        "planners": planners,
        "recipes": {task: repr(RECIPES[task](Path(task))) for task in given.tasks},
    }
    write("tasks", rows, protocol, given.seeds, given.out)
    draw(given.out)


if __name__ == "__main__":
    main()
