"""Kinds of films in space to learn from: free scenes, and the possible films of every principle."""

from collections.abc import Sequence

from monde.worlds.minimal_pairs.timing import GRADES
from monde.worlds.scenes.kinds import FREE, check_kind, check_scripted, own_seed, turn
from monde.worlds.scenes3d.config import SceneConfig3D
from monde.worlds.scenes3d.film import SceneFilm3D, Shot, film
from monde.worlds.scenes3d.free import shoot
from monde.worlds.scenes3d.pairs import possible_shots


def films_of(kind: str, config: SceneConfig3D, seed: int, numbers: Sequence[int]) -> tuple[SceneFilm3D, ...]:
    """The films of these numbers; each depends on kind, config, seed and its number alone. Kinds are those of
    `monde.worlds.scenes.kinds`.

    Raises:
        UsageError: An unknown kind, mujoco is not installed, or there is no renderer.
        ContractError: Films of principles are wanted of another size or rate than theirs.
    """
    check_kind(kind, "3d")
    check_scripted(kind, config.side_pixels, config.rate_hz)
    return film([_shot(kind, config, seed, number) for number in numbers])


def _shot(kind: str, config: SceneConfig3D, seed: int, number: int) -> Shot:
    own = own_seed(seed, number)
    kind, number = turn(kind, number)
    if kind == FREE:
        return shoot(config, own)
    return possible_shots(kind, GRADES[number % len(GRADES)], [own], split=config.split)[own % 2]
