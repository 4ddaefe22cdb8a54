"""IntPhys 2 (Bordes et al., arXiv 2506.09849): Debug, Main, and HeldOut, whose labels are withheld.

    Main/metadata.csv     SceneIndex,name,file_name,game_name,condition,env,type,occluder,Difficulty,Camera
    Main/Videos/<name>.mp4

`condition` is permanence, immutability, continuity or solidity; `type` is 1_Possible, 1_Impossible, 2_Possible or
2_Impossible; a scene is a quadruplet. `file_name` is relative to the split.

Seen in stored sources: a copy of Main's metadata.csv, the data set's card (Debug 5 scenes and 60 videos, Main 253 and
1,012, HeldOut 86 and 344 "without additional metadata"), and three readers of others. Not seen, so taken as follows:

- Debug has twelve videos a scene, three generations of each: where one `type` occurs several times in a scene, the n-th
  possible video is paired with the n-th impossible one, in the order of the list;
- HeldOut without a metadata.csv is all videos below it, each a group of its own; a list without `type` serves as well.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from monde.errors import DataError
from monde.evaluation.physics_sets.films import Movie
from monde.evaluation.physics_sets.items import Absence, Item, PhysicsSet, SetReport, sorted_out
from monde.evaluation.physics_sets.tables import csv_rows, inside, malformed

SPLITS = ("Main", "Debug", "HeldOut")
TYPES = ("1_Possible", "1_Impossible", "2_Possible", "2_Impossible")
CONDITIONS = ("permanence", "immutability", "continuity", "solidity")
LOOKS_FOR = "metadata.csv with a column SceneIndex, in it or in Main/, Debug/ or HeldOut/ (or HeldOut/ with videos)"
_LIST = "metadata.csv"


def find_intphys2(root: Path) -> Path | None:
    """The folder of one split (Main before Debug before HeldOut), or none."""
    for folder in (root, *(root / split for split in SPLITS)):
        listed = folder / _LIST
        if listed.is_file() and _has_scenes(listed):
            return folder
        if folder.name == "HeldOut" and folder.is_dir() and next(folder.rglob("*.mp4"), None) is not None:
            return folder
    return None


def _has_scenes(listed: Path) -> bool:
    with listed.open("rb") as file:
        return b"SceneIndex" in file.readline(4096)


def open_intphys2(root: Path) -> PhysicsSet:
    """Open one split.

    Raises:
        DataError: A malformed list (the error names the line), a file name that leaves the folder, or no video.
    """
    items, absent = sorted_out(_listed(root) if (root / _LIST).is_file() else _unlisted(root))
    if not items:
        raise DataError(
            f"{root} holds none of the videos that it lists",
            got=SetReport(absent),
            remedy="put the videos where metadata.csv says (Videos/)",
        )
    version = root.name if root.name in SPLITS else "a split"
    return PhysicsSet(name="intphys2", version=version, root=root, items=items, report=SetReport(absent))


def _listed(root: Path) -> Iterator[Item | Absence]:
    listed = root / _LIST
    rows = csv_rows(listed, ["SceneIndex", "file_name"])
    labelled = bool(rows) and {"type", "condition"} <= rows[0][1].keys()
    seen: Counter[tuple[str, ...]] = Counter()
    for line, row in rows:
        path = inside(root, row["file_name"], listed, line)
        name = row.get("name") or path.stem
        seen[(name,)] += 1
        if seen[(name,)] > 1:
            raise malformed(listed, line, f"the video {name!r} for the second time", "each video once")
        kind = _kind(listed, line, row) if labelled else ""
        seen[row["SceneIndex"], kind] += 1
        if not path.is_file():
            yield Absence(name, row["file_name"], "the video is not there")
            continue
        run, _, outcome = kind.partition("_")
        yield Item(
            id=name,
            principle=row.get("condition") or "unknown",
            group=row["SceneIndex"],
            pair=f"{row['SceneIndex']}/{run}/{seen[row['SceneIndex'], kind]}" if labelled else None,
            possible=outcome == "Possible" if labelled else None,
            film=Movie(path),
            conditions={key.lower(): row[key] for key in ("Difficulty", "Camera") if row.get(key)},
        )


def _kind(listed: Path, line: int, row: dict[str, str]) -> str:
    """The run and outcome of a labelled row."""
    if row["type"] not in TYPES:
        raise malformed(listed, line, f"type {row['type']!r}", ", ".join(TYPES))
    if row["condition"] not in CONDITIONS:
        raise malformed(listed, line, f"condition {row['condition']!r}", ", ".join(CONDITIONS))
    return row["type"]


def _unlisted(root: Path) -> list[Item | Absence]:
    paths = sorted(path for path in root.rglob("*.mp4") if not path.name.startswith("."))
    names = [path.relative_to(root).with_suffix("").as_posix() for path in paths]
    return [
        Item(id=name, principle="unknown", group=name, possible=None, film=Movie(path))
        for name, path in zip(names, paths, strict=True)
    ]
