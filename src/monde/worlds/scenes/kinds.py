"""Kinds of films to learn from: free scenes, and the possible films of every principle."""

from collections.abc import Sequence

import numpy as np

from monde.errors import ContractError, unknown_name
from monde.worlds.minimal_pairs.principles import principles
from monde.worlds.minimal_pairs.timing import GRADES, RATE_HZ
from monde.worlds.scenes.config import SceneConfig
from monde.worlds.scenes.film import SceneFilm, Shot, film
from monde.worlds.scenes.free import shoot
from monde.worlds.scenes.pairs.make import SIDE_PIXELS, possible_shots

FREE = "free"
ALL = "all"

SCRIPT_OBJECTS = 2
"""Most objects in a film of a principle."""


def kinds() -> tuple[str, ...]:
    """Every kind that films can be asked of: "free", the principles' names, and "all"."""
    return (FREE, *(known.name for known in principles()), ALL)


def object_slots(kind: str, config: SceneConfig) -> int:
    """Most objects in a film of this kind."""
    if kind == FREE:
        return config.objects[1]
    return SCRIPT_OBJECTS if kind != ALL else max(SCRIPT_OBJECTS, config.objects[1])


def films_of(kind: str, config: SceneConfig, seed: int, numbers: Sequence[int]) -> tuple[SceneFilm, ...]:
    """The films of these numbers; each depends on kind, config, seed and its number alone.

    Raises:
        UsageError: An unknown kind, or pymunk is not installed.
        ContractError: Films of principles are wanted of another size or rate than theirs.
    """
    if kind not in kinds():
        raise unknown_name("kind of scenes", kind, list(kinds()))
    if kind != FREE and (config.side_pixels, config.rate_hz) != (SIDE_PIXELS, RATE_HZ):
        raise ContractError(
            "films of principles have one size and rate",
            got=f"{config.side_pixels} px at {config.rate_hz} Hz",
            expected=f"{SIDE_PIXELS} px at {RATE_HZ} Hz",
            remedy='leave these as they are, or ask for kind "free"',
        )
    return film([_shot(kind, config, seed, number) for number in numbers])


def _shot(kind: str, config: SceneConfig, seed: int, number: int) -> Shot:
    own = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    names = [known.name for known in principles()]
    if kind == ALL:
        turn = number // 2
        kind = FREE if number % 2 == 0 else names[turn % len(names)]
        number = turn // len(names)
    if kind == FREE:
        return shoot(config, own)
    grade = GRADES[number % len(GRADES)]
    return possible_shots(kind, grade, [own], split=config.split)[own % 2]
