"""Worlds by name."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from monde.errors import unknown_name
from monde.protocols import Policy, World
from monde.worlds.drawing import Look
from monde.worlds.point_mass import PointMass
from monde.worlds.shifted import shifted
from monde.worlds.shifts import SEPARATOR, Shift, shift_named
from monde.worlds.two_room import TwoRoom, TwoRoomConfig

GYMNASIUM_PREFIX = "gym:"

_DRAWN: dict[str, Callable[[int, str, Look], World]] = {
    "tworoom": lambda batch, name, look: TwoRoom(batch=batch, name=name, look=look),
    "tworoom_doors": lambda batch, name, look: TwoRoom(TwoRoomConfig(door="random"), batch=batch, name=name, look=look),
    "tworoom_doorless": lambda batch, name, look: TwoRoom(
        TwoRoomConfig(door="random", doorless=0.2), batch=batch, name=name, look=look
    ),
    "pointmass": lambda batch, name, look: PointMass(batch=batch, name=name, look=look),
}
"""Worlds that draw themselves, and so can be given a `Look`."""

_MAKERS: dict[str, Callable[[int, str], World]] = {}
"""The others."""


@runtime_checkable
class ScriptedWorld(Protocol):
    """A world that comes with a policy of its own, which may know more than the sensors show."""

    def scripted(self) -> Policy:
        """A fresh policy for this world, for one batch of episodes after another."""
        ...


def names() -> list[str]:
    """The worlds that come with monde. Besides these, "gym:ID" makes any Gymnasium environment with pixels."""
    return [*_DRAWN, *_MAKERS]


def make(name: str, batch: int, *, imports: bool = False) -> World:
    """The world called `name`, with `batch` rows.

    Args:
        name: One of `names()`, or "gym:ID"; followed by "+" and the name of a declared shift (`monde.worlds.SHIFTS`),
            or several, to change how it looks or moves: "tworoom+background".
        batch: B.
        imports: Whether "gym:module:ID" may import `module` to have ID registered. Pass true only for a name that the
            user typed, never for one that was read from a file.

    Raises:
        UsageError: An unknown name, id or shift, a shift that this world cannot show, Gymnasium is not installed, or an
            id with a module without `imports`.
        WorldError: The Gymnasium environment cannot be made, or has actions or pixels that monde cannot use.
    """
    plain, *shifts = name.split(SEPARATOR)
    shift = shift_named(shifts)
    if plain in _DRAWN:
        return shifted(_DRAWN[plain](batch, name, shift.look or Look()), shift.seen(drawn=True), name)
    return shifted(_plain(plain, batch, imports), shift.seen(drawn=False), name)


def make_shifted(name: str, batch: int, shift: Shift, *, imports: bool = False) -> World:
    """The world called `name` under a shift of one's own; otherwise as `make`. It keeps its plain name."""
    if name in _DRAWN:
        return shifted(_DRAWN[name](batch, name, shift.look or Look()), shift.seen(drawn=True), name)
    return shifted(_plain(name, batch, imports), shift.seen(drawn=False), name)


def _plain(name: str, batch: int, imports: bool) -> World:
    if name.startswith(GYMNASIUM_PREFIX):
        from monde.worlds.gymnasium_world import GymnasiumWorld

        return GymnasiumWorld(name.removeprefix(GYMNASIUM_PREFIX), batch=batch, imports=imports)
    if name not in _MAKERS:
        raise unknown_name("world", name, [*names(), f"{GYMNASIUM_PREFIX}ID"])
    return _MAKERS[name](batch, name)
