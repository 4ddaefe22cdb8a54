"""What a plan costs in time: alone, and many at once."""

import math
from collections.abc import Callable

import numpy as np
import torch

from monde.agents import EpisodeResults, Strategy, decide, device_of, observation_to_clip, resolve_goal
from monde.errors import WorldError
from monde.evaluation.statistics import bootstrap
from monde.models import graphed
from monde.protocols import World, WorldModel
from monde.scorecard import Row
from monde.types import PictureGoal

MakeWorld = Callable[[str, int], World]
"""A world's name and a batch to a world (`monde.worlds.make`)."""

WARM_UP_PLANS = 2
"""Plans made before timing begins: the first calls allocate."""


def time_plans(
    model: WorldModel,
    strategy: Strategy,
    make_world: MakeWorld,
    world_name: str,
    seeds: tuple[int, ...],
    *,
    plans: int,
    seed: int,
    hypotheses: int = 1,
    deadline_seconds: float | None = None,
) -> list[float]:
    """Seconds of single plans, each for one problem alone, from the starts of the first episodes, after a warm-up.

    What is timed is the planner's call: the search itself, not the encoding of what is seen.
    """
    model = graphed(model)
    device = device_of(model)
    generator = torch.Generator(device).manual_seed(seed)
    world = make_world(world_name, 1)
    seconds = []
    try:
        for index in range(WARM_UP_PLANS + plans):
            observation = world.reset([seeds[index % len(seeds)]])
            aim = world.goal()
            if aim is None:
                raise WorldError(f"world {world_name!r} has no goal of its own")
            with torch.no_grad():
                goal = resolve_goal(model, PictureGoal(observation_to_clip(aim, model.sensors)))
                belief = model.begin(observation_to_clip(observation, model.sensors, device))
            plan, _ = decide(
                model,
                strategy,
                belief,
                goal,
                generator,
                journey=None if strategy.guide is None else strategy.guide.begin(1),
                rows=torch.zeros(1, dtype=torch.int64, device=device),
                hypotheses=hypotheses,
                deadline_seconds=deadline_seconds,
            )
            if index >= WARM_UP_PLANS:
                seconds.append(plan.seconds)
    finally:
        world.close()
    return seconds


def time_rows(planned: list[EpisodeResults], singles: list[float], seed: int, batch: int) -> list[Row]:
    times = np.array(singles)
    median, p95 = float(np.median(times)), float(np.quantile(times, 0.95))
    note = "one problem at a time, the search alone, after a warm-up"

    def upper(rows: np.ndarray) -> float:
        return float(np.quantile(rows, 0.95))

    def middle(rows: np.ndarray) -> float:
        return float(np.median(rows))

    rows = [
        Row(
            metric="plan_seconds",
            value=median,
            unit="s",
            interval=bootstrap(times, middle, seed),
            n=len(times),
            note=f"median; {note}",
        ),
        Row(
            metric="plan_seconds_p95",
            value=p95,
            unit="s",
            interval=bootstrap(times, upper, seed),
            n=len(times),
            note=f"95th percentile; {note}",
        ),
    ]
    calls = sum(len(result.plan_seconds) for result in planned)
    seconds = sum(sum(result.plan_seconds) for result in planned)
    plans = sum(sum(result.plan_rows) for result in planned)
    if calls and seconds > 0 and math.isfinite(seconds):
        note = f"{plans} plans in {calls} calls, active episodes side by side, up to {batch}"
        rows.append(Row(metric="plans_per_second_batched", value=plans / seconds, unit="1/s", n=calls, note=note))
    return rows
