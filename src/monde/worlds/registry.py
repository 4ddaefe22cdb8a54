"""Worlds by name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Protocol, runtime_checkable

from monde.errors import UsageError, unknown_name
from monde.limits import MAX_EPISODE_STEPS
from monde.protocols import Policy, World
from monde.worlds.drawing import PLAIN, Look
from monde.worlds.mazes.catalogue import MAZES, TASKS_SUFFIX
from monde.worlds.point_mass import PointMass
from monde.worlds.shifted import shifted
from monde.worlds.shifts import SEPARATOR, Shift, shift_named
from monde.worlds.two_room import TwoRoom, TwoRoomConfig

GYMNASIUM_PREFIX = "gym:"
DISTANCE_MARK = "@"
"""Between a world's name and the control steps from start to goal: "pointmaze_giant@100"."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is asked of a world: its batch and full name, how far its goals are and how it looks, if that is said."""

    batch: int
    name: str
    distance_steps: int | None
    look: Look | None

    @property
    def drawn(self) -> Look:
        return self.look or PLAIN


@dataclass(frozen=True)
class _Kind:
    """How a world is made, whether its goals can be put a given number of control steps away, and whether it can be
    drawn in another look."""

    make: Callable[[_Asked], World]
    far: bool = False
    drawn: bool = True


def _two_room(config: TwoRoomConfig, asked: _Asked) -> World:
    return TwoRoom(config, batch=asked.batch, name=asked.name, look=asked.drawn)


def _point_mass(asked: _Asked) -> World:
    return PointMass(batch=asked.batch, name=asked.name, look=asked.drawn)


def _maze(maze: str, tasks: bool, asked: _Asked) -> World:
    from monde.worlds.mazes.world import MazeConfig, MazeWorld

    config = MazeConfig(maze=maze, distance_steps=asked.distance_steps, tasks=tasks, look=asked.drawn)
    return MazeWorld(config, batch=asked.batch, name=asked.name)


def _reacher(asked: _Asked) -> World:
    from monde.worlds.reacher import Reacher, ReacherConfig

    return Reacher(ReacherConfig(look=asked.drawn), batch=asked.batch, name=asked.name)


def _pusht(asked: _Asked) -> World:
    from monde.worlds.pusht import PushT, PushTConfig

    config = PushTConfig(look=asked.drawn)
    if asked.distance_steps is not None:
        config = replace(config, goal_steps=asked.distance_steps)
    return PushT(config, batch=asked.batch, name=asked.name)


def _cube(asked: _Asked) -> World:
    from monde.worlds.cube import Cube, CubeConfig

    config = CubeConfig()
    if asked.look is not None:
        config = replace(config, look=asked.look)
    if asked.distance_steps is not None:
        config = replace(config, goal_steps=asked.distance_steps)
    return Cube(config, batch=asked.batch, name=asked.name)


def _laser(place: str, asked: _Asked) -> World:
    from monde.worlds.laser import CAMPUS, ROOMS, YARD, LaserWorld

    kinds = {"rooms": ROOMS, "campus": CAMPUS, "campus_held_out": replace(CAMPUS, part="held_out"), "yard": YARD}
    return LaserWorld(kinds[place], batch=asked.batch, name=asked.name)


def _tabletop(task: Literal["reach", "push"], asked: _Asked) -> World:
    from monde.worlds.tabletop import Tabletop, TabletopConfig

    config = TabletopConfig(task=task)
    if asked.distance_steps is not None:
        config = replace(config, goal_steps=asked.distance_steps)
    return Tabletop(config, batch=asked.batch, name=asked.name)


_KINDS: dict[str, _Kind] = {
    "tworoom": _Kind(partial(_two_room, TwoRoomConfig())),
    "tworoom_doors": _Kind(partial(_two_room, TwoRoomConfig(door="random"))),
    "tworoom_doorless": _Kind(partial(_two_room, TwoRoomConfig(door="random", doorless=0.2))),
    "pointmass": _Kind(_point_mass),
    **{maze: _Kind(partial(_maze, maze, False), far=True) for maze in MAZES},
    **{f"{maze}{TASKS_SUFFIX}": _Kind(partial(_maze, maze, True)) for maze, kind in MAZES.items() if kind.has_tasks},
    "reacher": _Kind(_reacher),
    "pusht": _Kind(_pusht, far=True),
    "cube_single": _Kind(_cube, far=True),
    **{f"laser_{place}": _Kind(partial(_laser, place)) for place in ("rooms", "campus", "campus_held_out", "yard")},
    "tabletop_reach": _Kind(partial(_tabletop, "reach"), drawn=False),
    "tabletop_push": _Kind(partial(_tabletop, "push"), far=True, drawn=False),
}


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
    return list(_KINDS)


def far_names() -> list[str]:
    """The worlds whose goals can be put a given number of control steps away: "pointmaze_giant@100"."""
    return [name for name, kind in _KINDS.items() if kind.far]


def make(name: str, batch: int, *, imports: bool = False) -> World:
    """The world called `name`, with `batch` rows.

    Args:
        name: One of `names()`; one of `far_names()` and "@N"; or "gym:ID". Followed by "+" and the name of a declared
            shift (`monde.worlds.SHIFTS`), or several, it looks or moves otherwise: "tworoom+background".
        batch: B.
        imports: Whether "gym:module:ID" may import `module` to have ID registered. Pass true only for a name that the
            user typed, never for one that was read from a file.

    Raises:
        UsageError: An unknown name, id or shift, a shift that this world cannot show, what simulates it is not
            installed, a distance that is no number or that this world cannot set, or an id with a module without
            `imports`.
        ContractError: Goals farther away than the world is wide.
        WorldError: The Gymnasium environment cannot be made, or has actions or pixels that monde cannot use.
    """
    plain, *shifts = name.split(SEPARATOR)
    return _made(plain, batch, name, shift_named(shifts), imports)


def make_shifted(name: str, batch: int, shift: Shift, *, imports: bool = False) -> World:
    """The world called `name` under a shift of one's own; otherwise as `make`. It keeps its plain name."""
    return _made(name, batch, name, shift, imports)


def _made(plain: str, batch: int, name: str, shift: Shift, imports: bool) -> World:
    if plain.startswith(GYMNASIUM_PREFIX):
        from monde.worlds.gymnasium_world import GymnasiumWorld

        left = shift.seen(drawn=False)
        return shifted(GymnasiumWorld(plain.removeprefix(GYMNASIUM_PREFIX), batch=batch, imports=imports), left, name)
    base, distance = split_distance(plain)
    if base not in _KINDS:
        raise unknown_name("world", base, [*names(), f"{GYMNASIUM_PREFIX}ID"])
    kind = _KINDS[base]
    if distance is not None and not kind.far:
        raise UsageError(
            f"the goals of {base!r} cannot be put a given distance away", got=name, expected=f"one of {far_names()}"
        )
    left = shift.seen(drawn=kind.drawn)
    world = kind.make(_Asked(batch=batch, name=name, distance_steps=distance, look=shift.look))
    return shifted(world, left, name)


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
