"""A robot with a laser scanner: random rooms that nobody recorded, and the real campus of Málaga, which was never seen.

    MONDE_SHARED_DATA=DIR python benchmarks/laser.py --keep DIR [--episodes 200]

The recipe `laser_rooms` is recorded, trained and fitted (skipped where the folder holds it). Then n episodes on each
map: rooms of other seeds, and the held-out part of the campus (this model was recorded in rooms alone: all of the
campus is new to it). The goal is a place, 1.5 to 6 m away on the shortest way, told in odometry's frame at the start; a
run succeeds when the robot is within 0.3 m of it in truth, before 100 control steps (25 s) are spent. Floors: actions
at random, straight to the goal, staying. A step is free of collisions if the robot ran into nothing in it. Writes
results/laser.json.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from common import options, row, write
from monde.agents import Agent, Decision, PlanningAgent, Strategy, random_agent, run_episodes, stay_agent
from monde.evaluation import describe_strategy
from monde.evaluation.statistics import wilson
from monde.evaluation.timing import WARM_UP_PLANS, time_plans
from monde.models import JEPA, PlacedModel, load_acting
from monde.protocols import Observation, Transition
from monde.recipes import strategy
from monde.scorecard import Row
from monde.types import ActionSpec, Goal
from monde.worlds import make
from monde.worlds.wrapped import WrappedWorld
from planning import prepare, steps_taken

MAPS = ("laser_rooms", "laser_campus_held_out")
BUDGET_STEPS = 100
FIRST_SEED = 7_000_000
"""Of the episodes that are scored; nothing was tuned on these."""
COLLIDED = 4
"""Which number of the state tells that the robot ran into something."""


class Watched(WrappedWorld):
    """A world whose collisions are kept."""

    def reset(self, seeds: Sequence[int]) -> Observation:
        """As the world."""
        self.collided: list[np.ndarray] = []
        return super().reset(seeds)

    def step(self, controls: np.ndarray) -> Transition:
        """As the world."""
        transition = super().step(controls)
        self.collided.append(transition.observation.values["state"][:, COLLIDED] > 0)
        return transition


class StraightAgent:
    """Turns to the goal, as odometry tells where it is, and drives."""

    def __init__(self, actions: ActionSpec) -> None:
        self._actions = actions
        self._goal = np.zeros((0, 2))

    def begin(self, observation: Observation, goal: Observation | Goal | None) -> None:
        """What is wanted."""
        if not isinstance(goal, Observation):
            raise TypeError("the goal must be what the sensors show there")
        self._goal = np.asarray(goal.values["odometry"][:, :2])

    def act(self, observation: Observation, active: np.ndarray) -> Decision:
        """One block: the same control step throughout."""
        pose = np.asarray(observation.values["odometry"], dtype=np.float64)
        gap = self._goal - pose[:, :2]
        off = (np.arctan2(gap[:, 1], gap[:, 0]) - pose[:, 2] + np.pi) % (2 * np.pi) - np.pi
        speed = self._actions.high[0] * np.cos(off).clip(0) ** 2
        controls = np.stack([speed, 2 * off], -1).clip(self._actions.low, self._actions.high)
        return Decision(controls=np.repeat(controls[:, None], self._actions.block, axis=1).astype(np.float32))


@dataclass(frozen=True)
class Counted:
    """What came of n episodes.

    Args:
        reached: Episodes that reached their goal.
        steps: Control steps that counted.
        free: Of these, without a collision.
        clean: Episodes that reached their goal and never ran into anything.
    """

    reached: int
    steps: int
    free: int
    clean: int


def count(world_name: str, agent: Agent, episodes: int, budget_steps: int = BUDGET_STEPS, batch: int = 50) -> Counted:
    """Run them."""
    reached = steps = free = clean = 0
    for start in range(0, episodes, batch):
        size = min(batch, episodes - start)
        world = Watched(make(world_name, size))
        seeds = range(FIRST_SEED + start, FIRST_SEED + start + size)
        result = run_episodes(world, agent, seeds, budget_steps)
        hit = np.stack(world.collided, 1) & (np.arange(len(world.collided)) < result.steps[:, None])
        reached += int(result.success.sum())
        steps += int(result.steps.sum())
        free += int(result.steps.sum() - hit.sum())
        clean += int((result.success & ~hit.any(1)).sum())
        world.close()
    return Counted(reached, steps, free, clean)


def main() -> None:
    """Make, measure, write."""
    parser = options(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--keep", type=Path, required=True, help="folder of the recording and the run")
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of recording and training")
    parser.add_argument("--maps", nargs="+", default=list(MAPS), choices=MAPS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    run = prepare("laser_rooms", given.seed, given.keep)
    model, way = load_acting(run).requires_grad_(False), strategy("auto", run, device="cpu")
    agents: dict[str, Agent] = {
        "random": random_agent(model.actions, given.seed),
        "straight": StraightAgent(model.actions),
        "stay": stay_agent(model.actions),
    }
    rows, all_steps, all_free, n = list[Row](), 0, 0, given.episodes
    for name in given.maps:
        ours = count(name, PlanningAgent(model, way, seed=given.seed), n)
        # One who stays is as far away after two steps as after all.
        spent = {"stay": 2}
        floors = {label: count(name, agent, n, spent.get(label, BUDGET_STEPS)) for label, agent in agents.items()}
        print(name, ours, floors, flush=True)
        told = {label: found.reached / n for label, found in floors.items()}
        short = name.removeprefix("laser_")
        note = f"budget {BUDGET_STEPS} control steps; goal 1.5 to 6 m away on the shortest way"
        rows.append(Row(metric=f"success/{short}", value=ours.reached / n, interval=wilson(ours.reached, n), n=n,
                        floors=told, note=note))  # fmt: skip
        free = {label: found.free / found.steps for label, found in floors.items()}
        rows.append(steps_row(f"collision_free_steps/{short}", ours.free, ours.steps, free))
        rows.append(Row(metric=f"collision_free_episodes/{short}", value=ours.clean / n, interval=wilson(ours.clean, n),
                        n=n, floors={label: found.clean / n for label, found in floors.items()},
                        note="reached, without running into anything on the way"))  # fmt: skip
        all_steps, all_free = all_steps + ours.steps, all_free + ours.free
    rows.append(steps_row("collision_free_steps", all_free, all_steps, {}))
    seconds = time_plans(model, way, make, "laser_rooms", tuple(range(20_000, 20_050)), plans=50, seed=0)
    note = f"one problem at a time, one thread, without encoding; median {np.median(seconds):.4f} s"
    rows.append(row("plan_seconds", seconds, "s", note))
    note = "processor time of one plan, encoding included: what a plan takes where nothing else runs"
    rows.append(row("plan_processor_seconds", processor_seconds(model, way, 30), "s", note))
    protocol = {
        "first_seed": FIRST_SEED,
        "budget_steps": BUDGET_STEPS,
        "threads": 1,
        "planner": describe_strategy(way),
        "training": steps_taken(run),
    }
    write("laser", rows, protocol, [given.seed], given.out)


def processor_seconds(model: JEPA | PlacedModel, way: Strategy, plans: int) -> list[float]:
    """Processor time of single decisions, from what is seen to the block that is done."""
    agent, found = PlanningAgent(model, way, seed=0), []
    for index in range(WARM_UP_PLANS + plans):
        world = make("laser_rooms", 1)
        observation = world.reset([20_000 + index])
        agent.begin(observation, world.goal())
        began = time.process_time()
        agent.act(observation, np.ones(1, dtype=np.bool_))
        found.append(time.process_time() - began)
        world.close()
    return found[WARM_UP_PLANS:]


def steps_row(metric: str, free: int, steps: int, floors: dict[str, float]) -> Row:
    """Share of steps; the interval takes steps as independent, which those of one episode are not."""
    note = "the interval takes steps as independent; steps of one episode are not"
    return Row(metric=metric, value=free / steps, interval=wilson(free, steps), n=steps, floors=floors, note=note)


if __name__ == "__main__":
    main()
