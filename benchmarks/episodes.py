"""Episodes of a world's own that fit a benchmark's question, and running them some at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from monde.agents import EpisodeResults, PlanningAgent, run_episodes
from monde.worlds import TwoRoom, make
from watched import Watched

SCANNED = 500
"""Episodes that are looked at at once."""


@dataclass(frozen=True)
class Layouts:
    """Where B episodes of TwoRoom begin, where they should end, and their doors. All in px.

    Args:
        start: [B, 2].
        goal: [B, 2].
        door: [B] height of its middle, NaN where there is none.
    """

    start: Float[np.ndarray, "B 2"]
    goal: Float[np.ndarray, "B 2"]
    door: Float[np.ndarray, " B"]


def find_episodes(
    world_name: str, n: int, first_seed: int, wanted: Callable[[Layouts], Bool[np.ndarray, " B"]]
) -> tuple[int, ...]:
    """The first n seeds from `first_seed` on whose layouts are wanted, and which are not at their goal already."""
    found: list[int] = []
    while len(found) < n:
        seeds = range(first_seed, first_seed + SCANNED)
        world = make(world_name, SCANNED)
        assert isinstance(world, TwoRoom)
        start = world.reset(seeds).values["state"].astype(float)
        layouts = Layouts(start, world.goal().values["state"].astype(float), world.door)
        chosen = wanted(layouts) & ~world.success()
        found += [seed for seed, taken in zip(seeds, chosen, strict=True) if taken]
        first_seed += SCANNED
    return tuple(found[:n])


def run_some(
    world_name: str, seeds: tuple[int, ...], agent: Callable[[], PlanningAgent], budget_steps: int, batch: int
) -> Iterator[tuple[EpisodeResults, Float[np.ndarray, "B T 2"]]]:
    """Results of `batch` episodes at a time, each with a fresh agent, and the true way of every row."""
    for first in range(0, len(seeds), batch):
        part = seeds[first : first + batch]
        world = Watched(make(world_name, len(part)))
        results = run_episodes(world, agent(), part, budget_steps)
        yield results, world.places
