"""Minimal pairs in space: `monde.worlds.scenes.make_pairs(..., space="3d")`, and films of possible physics alone."""

from collections.abc import Sequence

import numpy as np

from monde.errors import ContractError
from monde.worlds.minimal_pairs import Grade, PairSet, Principle, assemble, grade_of, principle
from monde.worlds.minimal_pairs.splicing import RGB, Source
from monde.worlds.minimal_pairs.variety import Split, split_of
from monde.worlds.scenes3d.film import Shot
from monde.worlds.scenes3d.pairs.parts import Draw, Parts
from monde.worlds.scenes3d.pairs.scripts import SCRIPTS
from monde.worlds.scenes3d.render import render
from monde.worlds.scenes3d.scenery import draw_scenery
from monde.worlds.scenes3d.splits import variety

SIDE_PIXELS = 64
"""Side of the films of all pairs."""


def make_pairs(of: str | Principle, grade: str, n: int, seed: int, *, split: str = "test", first: int = 0) -> PairSet:
    """`n` sets of two possible and two impossible films in space; see `monde.worlds.scenes.make_pairs`.

    Raises:
        UsageError: An unknown name, mujoco is not installed, or there is no renderer.
        ContractError: No sets, negative numbers, or more films than memory should hold.
    """
    asked = of if isinstance(of, Principle) else principle(of)
    level, kinds = grade_of(grade), split_of(split)
    if n < 1 or seed < 0 or first < 0:
        raise ContractError(
            "these pairs cannot be made", got=f"n={n}, seed={seed}, first={first}", expected="n ≥ 1, ≥ 0"
        )
    numbers = range(first, first + n)

    def source(number: int) -> Source[Shot]:
        return _source(asked, level, kinds, seed, number)

    return assemble(asked, level, kinds, seed, numbers, source, _drawn, "3d")


def possible_shots(of: str | Principle, grade: str, seeds: Sequence[int], *, split: str = "train") -> list[Shot]:
    """The possible films of one set per seed, two of each, before they are drawn: to learn from.

    Raises:
        UsageError: An unknown name, or mujoco is not installed.
        ContractError: A negative seed.
    """
    asked = of if isinstance(of, Principle) else principle(of)
    level, kinds = grade_of(grade), split_of(split)
    if any(seed < 0 for seed in seeds):
        raise ContractError("a scene's seed is negative", got=min(seeds), expected="≥ 0")
    return [shot for seed in seeds for shot in _source(asked, level, kinds, seed, 0).next().shots[:2]]


def _drawn(shots: Sequence[Shot]) -> RGB:
    return np.stack([render(shot.take).rgb for shot in shots])


def _source(asked: Principle, grade: Grade, split: Split, seed: int, number: int) -> Source[Shot]:
    script = SCRIPTS[asked.name]

    def attempt(generator: np.random.Generator) -> Parts | None:
        scenery = draw_scenery(generator, script.outlook, SIDE_PIXELS)
        return script.parts(Draw(generator=generator, grade=grade, kinds=variety(split), scenery=scenery))

    return Source(asked, grade, split, seed, number, attempt, "3d")
