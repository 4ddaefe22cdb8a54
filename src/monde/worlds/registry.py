"""Worlds by name."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from monde.errors import unknown_name
from monde.protocols import Policy, World
from monde.worlds.point_mass import PointMass
from monde.worlds.pusht import PushT
from monde.worlds.reacher import Reacher
from monde.worlds.two_room import TwoRoom, TwoRoomConfig

GYMNASIUM_PREFIX = "gym:"

_MAKERS: dict[str, Callable[[int, str], World]] = {
    "tworoom": lambda batch, name: TwoRoom(batch=batch, name=name),
    "tworoom_doors": lambda batch, name: TwoRoom(TwoRoomConfig(door="random"), batch=batch, name=name),
    "tworoom_doorless": lambda batch, name: TwoRoom(TwoRoomConfig(door="random", doorless=0.2), batch=batch, name=name),
    "pointmass": lambda batch, name: PointMass(batch=batch, name=name),
    "reacher": lambda batch, name: Reacher(batch=batch, name=name),
    "pusht": lambda batch, name: PushT(batch=batch, name=name),
}


@runtime_checkable
class ScriptedWorld(Protocol):
    """A world that comes with a policy of its own, which may know more than the sensors show."""

    def scripted(self) -> Policy:
        """A fresh policy for this world, for one batch of episodes after another."""
        ...


def names() -> list[str]:
    """The worlds that come with monde. Besides these, "gym:ID" makes any Gymnasium environment with pixels."""
    return list(_MAKERS)


def make(name: str, batch: int, *, imports: bool = False) -> World:
    """The world called `name`, with `batch` rows.

    Args:
        name: One of `names()`, or "gym:ID".
        batch: B.
        imports: Whether "gym:module:ID" may import `module` to have ID registered. Pass true only for a name that the
            user typed, never for one that was read from a file.

    Raises:
        UsageError: An unknown name or id, Gymnasium is not installed, or an id with a module without `imports`.
        WorldError: The Gymnasium environment cannot be made, or has actions or pixels that monde cannot use.
    """
    if name.startswith(GYMNASIUM_PREFIX):
        from monde.worlds.gymnasium_world import GymnasiumWorld

        return GymnasiumWorld(name.removeprefix(GYMNASIUM_PREFIX), batch=batch, imports=imports)
    if name not in _MAKERS:
        raise unknown_name("world", name, [*names(), f"{GYMNASIUM_PREFIX}ID"])
    return _MAKERS[name](batch, name)
