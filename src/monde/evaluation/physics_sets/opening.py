"""`open_physics_set`: which of the field's sets a folder is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from monde.errors import DataError
from monde.evaluation.physics_sets import grasp, inflevel, intphys, intphys2, mvp
from monde.evaluation.physics_sets.items import PhysicsSet


@dataclass(frozen=True)
class Layout:
    """How one set lies on disk.

    Args:
        name: Of the set.
        looks_for: What makes a folder this set, in words.
        find: The folder to open, at or below the one given, or none.
        open: Opens it.
    """

    name: str
    looks_for: str
    find: Callable[[Path], Path | None]
    open: Callable[[Path], PhysicsSet]


LAYOUTS = (
    Layout("IntPhys", intphys.LOOKS_FOR, intphys.find_intphys, intphys.open_intphys),
    Layout("IntPhys 2", intphys2.LOOKS_FOR, intphys2.find_intphys2, intphys2.open_intphys2),
    Layout("GRASP", grasp.LOOKS_FOR, grasp.find_grasp, grasp.open_grasp),
    Layout("InfLevel-Lab", inflevel.LOOKS_FOR, inflevel.find_inflevel, inflevel.open_inflevel),
    Layout("Minimal Video Pairs", mvp.LOOKS_FOR, mvp.find_mvp, mvp.open_mvp),
)


def open_physics_set(path: Path | str) -> PhysicsSet:
    """Open a folder as the set that it is. Nothing is decoded; films that are missing are named in the set's `report`.

    Where there are several splits, the one with labels is opened (IntPhys dev, IntPhys 2 Main, MVP mini); point to a
    split's own folder to open another.

    Raises:
        DataError: No such folder, no layout that fits (the error lists what was looked for), several that do, or a set
            that cannot be read (see the reader of each).
    """
    root = Path(path)
    if not root.is_dir():
        raise DataError(
            f"{root} is no folder", expected="the folder of a set", remedy="unpack the set and give its path"
        )
    fitting = [(layout, found) for layout in LAYOUTS if (found := layout.find(root)) is not None]
    if len(fitting) > 1:
        raise DataError(
            f"{root} fits several sets",
            got=", ".join(layout.name for layout, _ in fitting),
            remedy="give the folder of one of them",
        )
    if not fitting:
        there = sorted(entry.name for entry in root.iterdir())[:8]
        raise DataError(
            f"{root} is none of the sets that are known",
            got=", ".join(there) or "an empty folder",
            expected="; ".join(f"{layout.name}: {layout.looks_for}" for layout in LAYOUTS),
            remedy="give the folder into which the set was unpacked",
        )
    layout, found = fitting[0]
    return layout.open(found)
