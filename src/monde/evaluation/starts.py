"""Seeds of episodes that leave something to do."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool

from monde.errors import WorldError
from monde.protocols import World

REDRAWS = 50
"""Times that starts which are already at their goal are drawn again before the world is given up."""


def draw_starts(make_world: Callable[[int], World], n: int, seed: int, batch: int) -> tuple[tuple[int, ...], int]:
    """Seeds of n episodes that do not start at their goal, and how many were drawn again because they did.

    Raises:
        WorldError: Starts are at their goal again and again, or the world has no goal of its own.
    """
    generator = np.random.default_rng([seed, 0])
    kept: list[int] = []
    drawn = 0
    for _ in range(REDRAWS + math.ceil(n / batch)):
        candidates = generator.integers(2**31, size=min(batch, n - len(kept)))
        solved = _solved(make_world, candidates.tolist())
        kept += candidates[~solved].tolist()
        drawn += len(candidates)
        if len(kept) == n:
            return tuple(kept), drawn - n
    raise WorldError(
        "episodes start at their goal again and again",
        got=f"{drawn - len(kept)} of {drawn} starts",
        expected="starts that leave something to do",
        remedy="draw starts and goals further apart",
    )


def _solved(make_world: Callable[[int], World], seeds: list[int]) -> Bool[np.ndarray, " B"]:
    world = make_world(len(seeds))
    try:
        world.reset(seeds)
        if world.goal() is None:
            raise WorldError(
                f"control cannot be scored in world {world.name!r}",
                got="no goal of its own",
                remedy="score prediction and probes instead, or plan to a picture of your own",
            )
        return np.array(world.success())
    finally:
        world.close()
