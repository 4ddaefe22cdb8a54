"""`make_pairs`: minimal pairs of possible and impossible films, as many as wanted, each from its own seed."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from monde.errors import ContractError, WorldError, unknown_name
from monde.worlds.minimal_pairs import Grade, PairSet, Principle, assemble, grade_of, principle, spliced
from monde.worlds.minimal_pairs.splicing import TRIES, Source, quadruplet
from monde.worlds.minimal_pairs.variety import Split, split_of
from monde.worlds.scenes.film import Shot
from monde.worlds.scenes.pairs.parts import Draw, Parts
from monde.worlds.scenes.pairs.scripts import SCRIPTS
from monde.worlds.scenes.render import render
from monde.worlds.scenes.scenery import draw_scenery
from monde.worlds.scenes.splits import variety

__all__ = ["SIDE_PIXELS", "PairSet", "drawn_set", "make_pairs", "possible_shots", "spliced"]

SIDE_PIXELS = 64
"""Side of the films of all pairs."""


def make_pairs(
    of: str | Principle, grade: str, n: int, seed: int, *, split: str = "test", first: int = 0, space: str = "2d"
) -> PairSet:
    """`n` sets of two possible and two impossible films, of objects, colours and speeds of `split`.

    A set depends on principle, grade, split, seed and its own number alone, so that many can be made a few at a time.

    Args:
        of: The principle, or its name.
        grade: easy, hidden or long-hidden.
        n: Sets.
        seed: At least 0.
        split: test, or train.
        first: Number of the first set.
        space: 2d, or 3d (`monde.worlds.scenes3d`).

    Raises:
        UsageError: An unknown name, or pymunk (in 3-D: mujoco) is not installed.
        ContractError: No sets, negative numbers, or more films than memory should hold.
    """
    asked = of if isinstance(of, Principle) else principle(of)
    level, kinds = grade_of(grade), split_of(split)
    if n < 1 or seed < 0 or first < 0:
        raise ContractError(
            "these pairs cannot be made", got=f"n={n}, seed={seed}, first={first}", expected="n ≥ 1, ≥ 0"
        )
    if space == "3d":
        from monde.worlds.scenes3d.pairs import make_pairs as in_space

        return in_space(asked, level, n, seed, split=split, first=first)
    if space != "2d":
        raise unknown_name("space", space, ["2d", "3d"])
    numbers = range(first, first + n)

    def source(number: int) -> Source[Shot]:
        return _source(asked, level, kinds, seed, number)

    return assemble(asked, level, kinds, seed, numbers, source, lambda shots: render([shot.take for shot in shots]).rgb)


def possible_shots(of: str | Principle, grade: str, seeds: Sequence[int], *, split: str = "train") -> list[Shot]:
    """The possible films of one set per seed, two of each, before they are drawn: to learn from.

    Raises:
        UsageError: An unknown name, or pymunk (in 3-D: mujoco) is not installed.
        ContractError: A negative seed.
    """
    asked = of if isinstance(of, Principle) else principle(of)
    level, kinds = grade_of(grade), split_of(split)
    if any(seed < 0 for seed in seeds):
        raise ContractError("a scene's seed is negative", got=min(seeds), expected="≥ 0")
    return [shot for seed in seeds for shot in _source(asked, level, kinds, seed, 0).next().shots[:2]]


def _source(asked: Principle, grade: Grade, split: Split, seed: int, number: int) -> Source[Shot]:
    script = SCRIPTS[asked.name]

    def attempt(generator: np.random.Generator) -> Parts | None:
        scenery = draw_scenery(generator, SIDE_PIXELS, zoom=script.zoom, shift_pixels=2.0)
        return script.parts(
            Draw(generator=generator, grade=grade, kinds=variety(split), scenery=scenery, side_pixels=SIDE_PIXELS)
        )

    return Source(asked, grade, split, seed, number, attempt)


def drawn_set(
    of: str | Principle, grade: str, seed: int, number: int, *, split: str = "test"
) -> tuple[tuple[Shot, ...], tuple[int, ...], UInt8[np.ndarray, "4 T 3 h w"]]:
    """One set of `make_pairs` with the shots behind its films, and the frames after which they are cut.

    Two shots are of a matched quadruplet; four of exchanged contexts, which are cut nowhere.

    Raises:
        As `make_pairs`.
    """
    asked = of if isinstance(of, Principle) else principle(of)
    source = _source(asked, grade_of(grade), split_of(split), seed, number)
    for _ in range(TRIES):
        parts = source.next()
        films = render([shot.take for shot in parts.shots]).rgb
        made = quadruplet(films, parts.cuts, source.grade) if parts.matched else None
        if not parts.matched or made is not None:
            return parts.shots, parts.cuts, films if made is None else made.films
    raise WorldError(f"{source.name} looks different where it is cut", got=f"{TRIES} tries")
