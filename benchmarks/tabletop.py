"""The table-top: where an object is in space, reaching and pushing it, by colours, depth, points, and both.

    python benchmarks/tabletop.py --keep DIR [--senses rgb depth …] [--steps 1500] [--episodes 200]

One recording serves all: a model for each set of senses, with proprioception and the camera's pose beside it. Each is
asked, on held-out episodes, for the object's place by a linear readout of its frozen latents, and for the use of each
sense; then it plans. Reach: the readout of the gap between tip and object is to become 0. Push: the object is to be
where the goal's observation shows it, both told by one readout. What counts is the simulator's own test, in metres.
What was counted is kept beside each run, so that an interrupted benchmark goes on. Writes results/tabletop.json.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from common import options, write
from monde import worlds
from monde.agents import (
    Agent,
    PlanningAgent,
    Strategy,
    observation_to_clip,
    random_agent,
    run_episodes,
    stay_agent,
)
from monde.costs import ReadoutDistance
from monde.data import Windows
from monde.evaluation.imagining import PredictionConfig
from monde.evaluation.latents import EpisodeClips
from monde.evaluation.probes import Target
from monde.evaluation.senses import score_senses
from monde.evaluation.statistics import bootstrap, wilson
from monde.models import JEPA, load_model
from monde.planning import CEMConfig, CEMPlanner
from monde.protocols import Observation, World
from monde.readouts import LinearReadout, fit_linear
from monde.recipes.tabletop import BESIDE, SENSES, tabletop
from monde.scorecard import Row
from monde.store import RunFolder, read_json, write_json
from monde.training import train
from monde.training.frame_latents import encode_frames
from monde.training.setup import Setup, reopen, untrained_floor
from monde.types import ReadoutGoal

TASKS = {"reach": "gap", "push": "object"}
"""By task: the readout that its goal is told by."""

PLANNER = CEMPlanner(CEMConfig(horizon=4, samples=96, rounds=3, elites=12))
BUDGET_STEPS, BATCH, START_SEED = 24, 50, 2_000_000
TOLERANCE_METRES = 0.01
FITTED_EPISODES = 300
"""Training episodes that readouts are fitted on."""
PLACE = Target(name="place", sensor="object", components=(0, 1, 2), unit="m", names=("x", "y", "z"))


@dataclass(frozen=True)
class Places:
    """The object's place on held-out frames: squared errors [n] in m², and the episode [n] of each frame."""

    squared: Float[np.ndarray, " n"]
    episode: Int[np.ndarray, " n"]

    @property
    def metres(self) -> float:
        """Root mean squared distance."""
        return float(np.sqrt(self.squared.mean()))


def trained(senses: str, keep: Path, seed: int, steps: int) -> Path:
    """The run of some senses, made where it is not there."""
    recipe = tabletop("push", keep, seed=seed, senses=senses)
    if not recipe.data.exists():
        print(recipe.record(), flush=True)
    run = recipe.run
    kept = run / "training.json"
    if not kept.exists():
        began = time.process_time()
        summary = train(replace(recipe.train, minutes=None, steps=steps), resume=RunFolder(run).config.exists())
        if not summary.finished:
            raise KeyboardInterrupt
        write_json(kept, {"cpu_seconds": time.process_time() - began, "steps": summary.step})
        print(senses, "trained:", read_json(kept), flush=True)
    return run


@dataclass(frozen=True)
class Frozen:
    """A model at rest, and linear readouts of recorded states, fitted on the latents of its training frames."""

    model: JEPA
    setup: Setup
    readouts: Mapping[str, LinearReadout]

    @classmethod
    def of(cls, model: JEPA, setup: Setup) -> "Frozen":
        """Fit a readout for the place of the object, and for each task's goal."""
        split = setup.split.train[:FITTED_EPISODES]
        latents = encode_frames(model, setup, split).latents
        names = dict.fromkeys(["object", *TASKS.values()])
        readouts = {name: fit_linear(latents, states(setup, split, name), name=name, unit="m") for name in names}
        return cls(model, setup, readouts)

    def places(self) -> Places:
        """Errors of the object's place on held-out episodes."""
        held = encode_frames(self.model, self.setup, self.setup.split.held_out)
        error = self.readouts["object"](held.latents) - states(self.setup, self.setup.split.held_out, "object")
        return Places(error.square().sum(1).double().numpy(), held.first.numpy())


def states(setup: Setup, episodes: Sequence[int], name: str) -> Float[Tensor, "n k"]:
    """A recorded state on all frames of some episodes."""
    clips = [setup.recording.read(e, 0, setup.recording.lengths[e], [name]) for e in episodes]
    return torch.cat([clip.stream(name).values[0] for clip in clips])


def position_rows(found: Mapping[str, tuple[Places, Places, float]], seed: int) -> list[Row]:
    """The error of each set of senses beside its floors, and that of colours and depth over that of colours."""
    rows = []
    for senses, (own, blank, mean) in found.items():
        interval = bootstrap(own.squared, lambda part: float(np.sqrt(part.mean())), seed, own.episode)
        floors = {"mean": mean, "untrained": blank.metres}
        note = "object's place, linear readout of frozen latents, root mean squared distance; held-out episodes"
        metric, n = f"position_error_metres/{senses}", len(own.squared)
        rows.append(Row(metric=metric, value=own.metres, unit="m", interval=interval, n=n, floors=floors, note=note))
    for senses in sorted({"rgbd", "rgb_points"} & set(found)) if "rgb" in found else []:
        pair = np.stack([found["rgb"][0].squared, found[senses][0].squared], axis=1)

        def ratio(part: np.ndarray) -> float:
            colours, both = np.sqrt(part.mean(0))
            return float(both / colours)

        interval = bootstrap(pair, ratio, seed, found["rgb"][0].episode)
        note = f"position error of {senses} over that of rgb, on the same frames"
        value, n = ratio(pair), len(pair)
        rows.append(Row(metric=f"position_error_ratio/{senses}", value=value, interval=interval, n=n, note=note))
    return rows


def use_rows(senses: str, frozen: Frozen, seed: int) -> list[Row]:
    """Of each sense: with another episode's samples, and without it."""
    model, setup = frozen.model, frozen.setup
    steps = (min(setup.recording.lengths) - 1) // model.actions.block + 1
    names = tuple(dict.fromkeys([*setup.judged, "object"]))
    windows = Windows(setup.cache, setup.split.held_out, names, steps, model.actions)
    clips = EpisodeClips(windows, steps * model.actions.block)
    ahead = PredictionConfig(context=2, horizon=steps - 4, report=(steps - 4,))
    rows = score_senses(model, clips, [PLACE], {PLACE.name: frozen.readouts["object"]}, ahead, seed=seed)
    found = [row for row in rows if row.metric.startswith("use/")]
    return [replace(row, metric=f"use/{senses}/{row.metric.removeprefix('use/')}") for row in found]


def told(task: str, frozen: Frozen, world: World) -> ReadoutGoal:
    """What is wanted in each row: no gap, or the object where the goal's observation shows it."""
    name, aim = TASKS[task], world.goal()
    if task == "reach" or aim is None:
        return ReadoutGoal(name, torch.zeros(world.batch, 3), TOLERANCE_METRES)
    with torch.no_grad():
        seen = observation_to_clip(aim, frozen.model.sensors)
        latents = frozen.model.encode(seen).values[:, 0].float()
    return ReadoutGoal(name, frozen.readouts[name](latents), TOLERANCE_METRES)


def succeeded(task: str, agent: Agent, episodes: int, goal: Callable[[World], ReadoutGoal]) -> int:
    """Episodes that succeeded by the simulator's test."""
    reached = 0
    for start in range(0, episodes, BATCH):
        seeds = range(START_SEED + start, START_SEED + min(start + BATCH, episodes))
        world = worlds.make(f"tabletop_{task}", len(seeds))

        def judge(_: Observation, world: World = world) -> Bool[np.ndarray, " B"]:
            return world.success()

        try:
            world.reset(seeds)
            results = run_episodes(world, agent, seeds, BUDGET_STEPS, goal=goal(world), judge=judge)
            reached += int(results.success.sum())
        finally:
            world.close()
    return reached


def counted(path: Path, episodes: int, count: Callable[[], int]) -> int:
    """A count kept beside a run, made where it is not there."""
    if not path.exists() or read_json(path)["episodes"] != episodes:
        path.parent.mkdir(exist_ok=True)
        write_json(path, {"episodes": episodes, "reached": count()})
        print(path, read_json(path), flush=True)
    return int(str(read_json(path)["reached"]))


def control_rows(senses: str, run: Path, frozen: Frozen, episodes: int) -> list[Row]:
    """Success of planning in each task, beside acting at random and resting."""
    ready = Strategy(PLANNER, ReadoutDistance(readouts=frozen.readouts))
    agents: dict[str, Agent] = {
        senses: PlanningAgent(frozen.model, ready, seed=0),
        "random": random_agent(frozen.model.actions, 0),
        "stay": stay_agent(frozen.model.actions),
    }
    rows = []
    for task in TASKS:
        reached = {}
        for name, agent in agents.items():
            # The floors do not depend on the model.
            path = (run if name == senses else run.parent) / "control" / f"{task}_{name}.json"
            count = partial(succeeded, task, agent, episodes, partial(told, task, frozen))
            reached[name] = counted(path, episodes, count)
        rows.append(
            Row(
                metric=f"success/{task}/{senses}",
                value=reached[senses] / episodes,
                interval=wilson(reached[senses], episodes),
                n=episodes,
                floors={name: count / episodes for name, count in reached.items() if name != senses},
                note=f"by the simulator, within 3 cm; budget {BUDGET_STEPS} control steps; no start is at its goal",
            )
        )
    return rows


def main() -> None:
    """Make, measure, write."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="folder of the recording and the runs")
    parser.add_argument("--senses", nargs="+", default=list(SENSES), choices=list(SENSES))
    parser.add_argument("--steps", type=int, default=1500, help="optimiser steps of each model")
    parser.add_argument("--episodes", type=int, default=200, help="planned, for each task and set of senses")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    runs = {senses: trained(senses, given.keep, given.seed, given.steps) for senses in given.senses}
    found: dict[str, tuple[Places, Places, float]] = {}
    rows: list[Row] = []
    for senses, run in runs.items():
        _, setup = reopen(run)
        frozen, blank = Frozen.of(load_model(run), setup), Frozen.of(untrained_floor(setup, given.seed), setup)
        mean = states(setup, setup.split.train, "object").mean(0)
        middle = float((states(setup, setup.split.held_out, "object") - mean).square().sum(1).mean().sqrt())
        found[senses] = (frozen.places(), blank.places(), middle)
        print(f"{senses}: {found[senses][0].metres:.4f} m, untrained {found[senses][1].metres:.4f} m", flush=True)
        rows += control_rows(senses, run, frozen, given.episodes)
        rows += use_rows(senses, frozen, given.seed)
    spent = {senses: float(str(read_json(run / "training.json")["cpu_seconds"])) for senses, run in runs.items()}
    minutes = sum(spent.values()) / 60
    note = ", ".join(f"{senses} {seconds:.0f} s" for senses, seconds in spent.items())
    cost = Row(metric="training_cpu_minutes", value=minutes, unit="min", n=len(spent), note=f"one core: {note}")
    protocol = {
        "steps": {senses: read_json(run / "training.json")["steps"] for senses, run in runs.items()},
        "beside_each": list(BESIDE),
        "planner": repr(PLANNER.config),
        "start_seed": START_SEED,
        "threads": 1,
        "recipe": repr(tabletop("push", Path("push"))),
    }
    write("tabletop", [*position_rows(found, given.seed), *rows, cost], protocol, [given.seed], given.out)


if __name__ == "__main__":
    main()
