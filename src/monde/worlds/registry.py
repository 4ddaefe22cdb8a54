"""Worlds by name."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, runtime_checkable

from monde.errors import UsageError, unknown_name
from monde.limits import MAX_EPISODE_STEPS
from monde.protocols import Policy, World
from monde.worlds.mazes.catalogue import MAZES, TASKS_SUFFIX
from monde.worlds.point_mass import PointMass
from monde.worlds.pusht import PushT, PushTConfig
from monde.worlds.reacher import Reacher
from monde.worlds.two_room import TwoRoom, TwoRoomConfig

GYMNASIUM_PREFIX = "gym:"
DISTANCE_MARK = "@"
"""Between a world's name and the control steps from start to goal: "pointmaze_giant@100"."""

_MAKERS: dict[str, Callable[[int, str], World]] = {
    "tworoom": lambda batch, name: TwoRoom(batch=batch, name=name),
    "tworoom_doors": lambda batch, name: TwoRoom(TwoRoomConfig(door="random"), batch=batch, name=name),
    "tworoom_doorless": lambda batch, name: TwoRoom(TwoRoomConfig(door="random", doorless=0.2), batch=batch, name=name),
    "pointmass": lambda batch, name: PointMass(batch=batch, name=name),
    "reacher": lambda batch, name: Reacher(batch=batch, name=name),
}


def _maze(maze: str, batch: int, name: str, distance_steps: int | None) -> World:
    from monde.worlds.mazes.world import MazeConfig, MazeWorld

    return MazeWorld(MazeConfig(maze=maze, distance_steps=distance_steps), batch=batch, name=name)


def _maze_tasks(maze: str, batch: int, name: str) -> World:
    from monde.worlds.mazes.world import MazeConfig, MazeWorld

    return MazeWorld(MazeConfig(maze=maze, tasks=True), batch=batch, name=name)


_MAKERS |= {f"{maze}{TASKS_SUFFIX}": partial(_maze_tasks, maze) for maze, kind in MAZES.items() if kind.has_tasks}


def _pusht(batch: int, name: str, distance_steps: int | None) -> World:
    config = PushTConfig() if distance_steps is None else PushTConfig(goal_steps=distance_steps)
    return PushT(config, batch=batch, name=name)


def _cube(batch: int, name: str, distance_steps: int | None) -> World:
    from monde.worlds.cube import Cube, CubeConfig

    config = CubeConfig() if distance_steps is None else CubeConfig(goal_steps=distance_steps)
    return Cube(config, batch=batch, name=name)


_FAR_MAKERS: dict[str, Callable[[int, str, int | None], World]] = {
    **{maze: partial(_maze, maze) for maze in MAZES},
    "pusht": _pusht,
    "cube_single": _cube,
}
"""Worlds that can put their goals a given number of control steps away; by default anywhere, or 25 steps."""


@runtime_checkable
class ScriptedWorld(Protocol):
    """A world that comes with a policy of its own, which may know more than the sensors show."""

    def scripted(self) -> Policy:
        """A fresh policy for this world, for one batch of episodes after another."""
        ...


def names() -> list[str]:
    """The worlds that come with monde. Besides these, "gym:ID" makes any Gymnasium environment with pixels.

    Those of `far_names()` may be followed by "@N": goals N control steps away.
    """
    return [*_MAKERS, *_FAR_MAKERS]


def far_names() -> list[str]:
    """The worlds whose goals can be put a given number of control steps away: "pointmaze_giant@100"."""
    return list(_FAR_MAKERS)


def make(name: str, batch: int, *, imports: bool = False) -> World:
    """The world called `name`, with `batch` rows.

    Args:
        name: One of `names()`; one of `far_names()` and "@N"; or "gym:ID".
        batch: B.
        imports: Whether "gym:module:ID" may import `module` to have ID registered. Pass true only for a name that the
            user typed, never for one that was read from a file.

    Raises:
        UsageError: An unknown name or id, what simulates it is not installed, a distance that is no number or that
            this world cannot set, or an id with a module without `imports`.
        ContractError: Goals farther away than the world is wide.
        WorldError: The Gymnasium environment cannot be made, or has actions or pixels that monde cannot use.
    """
    if name.startswith(GYMNASIUM_PREFIX):
        from monde.worlds.gymnasium_world import GymnasiumWorld

        return GymnasiumWorld(name.removeprefix(GYMNASIUM_PREFIX), batch=batch, imports=imports)
    base, distance = split_distance(name)
    if base in _FAR_MAKERS:
        return _FAR_MAKERS[base](batch, name, distance)
    if base not in _MAKERS:
        raise unknown_name("world", base, [*names(), f"{GYMNASIUM_PREFIX}ID"])
    if distance is not None:
        raise UsageError(
            f"the goals of {base!r} cannot be put a given distance away", got=name, expected=f"one of {far_names()}"
        )
    return _MAKERS[base](batch, name)


def split_distance(name: str) -> tuple[str, int | None]:
    """A name "world@N" as the world's own name and N, or none where there is no "@".

    Raises:
        UsageError: N is not a number of control steps.
    """
    base, mark, steps = name.partition(DISTANCE_MARK)
    if not mark:
        return base, None
    if not (steps.isascii() and steps.isdigit() and 0 < int(steps) <= MAX_EPISODE_STEPS):
        raise UsageError(
            f"{name!r} does not say how far away its goals are",
            got=f"{steps!r} after the {DISTANCE_MARK}",
            expected=f"control steps, 1 to {MAX_EPISODE_STEPS}: {base}{DISTANCE_MARK}100",
        )
    return base, int(steps)
