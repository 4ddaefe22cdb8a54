"""Kinds of films to learn from: free scenes, the possible films of every principle, and objects hidden for a while."""

from collections.abc import Sequence

import numpy as np

from monde.errors import ContractError, unknown_name
from monde.worlds.minimal_pairs.principles import principles
from monde.worlds.minimal_pairs.timing import GRADES, RATE_HZ
from monde.worlds.scenes.config import SceneConfig
from monde.worlds.scenes.film import SceneFilm, Shot, film
from monde.worlds.scenes.free import shoot
from monde.worlds.scenes.hidden import HIDDEN_SECONDS, hidden_shot
from monde.worlds.scenes.hidden_events import EVENTS
from monde.worlds.scenes.pairs.make import SIDE_PIXELS, possible_shots

FREE = "free"
SCRIPTED = "scripted"
ALL = "all"
HIDDEN = "hidden"

SCRIPT_OBJECTS = 2
"""Most objects in a film of a principle."""


def kinds(space: str = "2d") -> tuple[str, ...]:
    """Every kind that films can be asked of: "free", the principles' names, "scripted", "all", and in the plane
    "hidden": every event and time out of sight of `monde.worlds.scenes.hidden` in turn."""
    common = (FREE, *(known.name for known in principles()), SCRIPTED, ALL)
    return (*common, HIDDEN) if space == "2d" else common


def object_slots(kind: str, most: int) -> int:
    """Most objects in a film of this kind, where free scenes have at most `most`."""
    if kind in {FREE, HIDDEN}:
        return most if kind == FREE else 1
    return SCRIPT_OBJECTS if kind != ALL else max(SCRIPT_OBJECTS, most)


def films_of(kind: str, config: SceneConfig, seed: int, numbers: Sequence[int]) -> tuple[SceneFilm, ...]:
    """The films of these numbers; each depends on kind, config, seed and its number alone.

    Raises:
        UsageError: An unknown kind, or pymunk is not installed.
        ContractError: Films of principles are wanted of another size or rate than theirs.
    """
    check_kind(kind)
    check_scripted(kind, config.side_pixels, config.rate_hz)
    return film([_shot(kind, config, seed, number) for number in numbers])


def turn(kind: str, number: int) -> tuple[str, int]:
    """Whose film it is, and which of that kind: "scripted" takes turns, "all" too, every other one free."""
    names = [known.name for known in principles()]
    if kind == SCRIPTED:
        return names[number % len(names)], number // len(names)
    if kind == ALL:
        return FREE if number % 2 == 0 else names[number // 2 % len(names)], number // 2 // len(names)
    return kind, number


def own_seed(seed: int, number: int) -> int:
    """The seed of one film."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def check_kind(kind: str, space: str = "2d") -> None:
    """Refuse a kind that there is not.

    Raises:
        UsageError: It is unknown.
    """
    if kind not in kinds(space):
        raise unknown_name("kind of scenes", kind, list(kinds(space)))


def check_scripted(kind: str, side_pixels: int, rate_hz: float) -> None:
    """Refuse films of principles of another size or rate than theirs.

    Raises:
        ContractError: They would be.
    """
    if kind != FREE and (side_pixels, rate_hz) != (SIDE_PIXELS, RATE_HZ):
        raise ContractError(
            "films of principles have one size and rate",
            got=f"{side_pixels} px at {rate_hz} Hz",
            expected=f"{SIDE_PIXELS} px at {RATE_HZ} Hz",
            remedy='leave these as they are, or ask for kind "free"',
        )


def _shot(kind: str, config: SceneConfig, seed: int, number: int) -> Shot:
    own = own_seed(seed, number)
    kind, number = turn(kind, number)
    if kind == FREE:
        return shoot(config, own)
    if kind == HIDDEN:
        seconds = HIDDEN_SECONDS[number // len(EVENTS) % len(HIDDEN_SECONDS)]
        return hidden_shot(EVENTS[number % len(EVENTS)], seconds, [own], split=config.split)
    return possible_shots(kind, GRADES[number % len(GRADES)], [own], split=config.split)[own % 2]
