"""InfLevel-Lab (Weihs et al., TMLR 2022): filmed trials of continuity, solidity and gravity.

    inflevel_lab/continuity/center__continuity__darkbluecup__blueclover__ii__LR.mp4
    inflevel_lab/gravity/center__gravity__bigbluecup__blackcrayon__ci.mp4

    <camera>__<category>__<cover>__<object>__<event>[__<direction>].mp4

Events: of continuity vv and ii are real, iv and vi magic; of solidity and gravity ui and cv are real, uv and ci magic.
Four films of one camera, cover, object and direction are a quadruplet; two of one first letter are a pair.

Seen in stored sources: the makers' README (layout, names) and `evaluator.py` (events, quadruplets); a table made from
the lists of Garrido et al. (arXiv 2502.11831), which pairs as above and says where the *priming* ends, the part that
shows what the cover is like. Those lists (`continuity.csv`, …) are not part of the set: laid into its folder they are
used, and what is judged then begins after the priming, as in that paper; without them whole films are judged. Their
column names are those that the paper's code reads; the lists themselves were not seen.

Films of a pair may differ by some frames; as in that code they are aligned at their ends (see `survey`).
"""

from collections.abc import Iterator
from pathlib import Path

from monde.errors import DataError
from monde.evaluation.physics_sets.films import Movie
from monde.evaluation.physics_sets.items import Absence, Item, PhysicsSet, SetReport, sorted_out
from monde.evaluation.physics_sets.tables import csv_rows, inside, malformed

EVENTS = {
    "continuity": {"vv": True, "ii": True, "iv": False, "vi": False},
    "solidity": {"ui": True, "cv": True, "uv": False, "ci": False},
    "gravity": {"ui": True, "cv": True, "uv": False, "ci": False},
}
LOOKS_FOR = "continuity/, solidity/ or gravity/ with videos named camera__category__…, in it or in inflevel_lab/"
_NAMES = "camera__category__cover__object__event[__direction].mp4"


def find_inflevel(root: Path) -> Path | None:
    """The folder of the three categories, or none."""
    for folder in (root, root / "inflevel_lab"):
        if any(next((folder / category).glob(f"*__{category}__*.mp4"), None) for category in EVENTS):
            return folder
    return None


def open_inflevel(root: Path) -> PhysicsSet:
    """Open the categories that are there.

    Raises:
        DataError: No video, or a malformed list of primings; the error names the line.
    """
    items, absent = sorted_out(each for category in EVENTS for each in _category(root, category))
    if not items:
        raise DataError(f"{root} holds no video of InfLevel-Lab", got=SetReport(absent), expected=LOOKS_FOR)
    report = SetReport(absent)
    return PhysicsSet(name="inflevel", version="lab", root=root, items=items, pair_lengths="end", report=report)


def _category(root: Path, category: str) -> Iterator[Item | Absence]:
    if not (root / category).is_dir():
        yield Absence(category, f"{category}/", "the category is not there")
        return
    begins = _primings(root, category)
    found = [_item(path, category, begins) for path in sorted((root / category).glob("*.mp4"))]
    yield from found
    there = {each.film.path.name for each in found if isinstance(each, Item)}
    for name in sorted({partner for each in there for partner in _quadruplet(each, category)} - there):
        yield Absence(Path(name).stem, f"{category}/{name}", "the video is not there")


def _item(path: Path, category: str, begins: dict[str, int]) -> Item | Absence:
    parts = path.stem.split("__")
    if len(parts) not in {5, 6} or parts[1] != category or parts[4] not in EVENTS[category]:
        return Absence(path.stem, f"{category}/{path.name}", f"the name is not {_NAMES}")
    camera, _, cover, thing, event, *direction = parts
    group = "__".join([category, camera, cover, thing, *direction])
    return Item(
        id=path.stem,
        principle=category,
        group=group,
        pair=f"{group}/{event[0]}",
        possible=EVENTS[category][event],
        film=Movie(path),
        conditions={"camera": camera},
        first_frame=begins.get(f"{category}/{path.name}", 0),
    )


def _quadruplet(name: str, category: str) -> list[str]:
    """The names of the four films to which one belongs."""
    parts = Path(name).stem.split("__")
    return ["__".join([*parts[:4], event, *parts[5:]]) + ".mp4" for event in EVENTS[category]]


def _primings(root: Path, category: str) -> dict[str, int]:
    """The first frame after the priming by path, from the list beside the category's folder if there is one."""
    listed = root / f"{category}.csv"
    begins: dict[str, int] = {}
    if not listed.is_file():
        return begins
    columns = [f"{film}_{what}" for film in ("vid1", "vid2") for what in ("path", "label", "end_priming_2")]
    for line, row in csv_rows(listed, columns):
        for film in ("vid1", "vid2"):
            name = row[f"{film}_path"]
            inside(root, name, listed, line)
            end, label, event = (
                row[f"{film}_end_priming_2"],
                row[f"{film}_label"],
                (Path(name).stem.split("__") + [""] * 5)[4],
            )
            if not end.isdigit():
                raise malformed(listed, line, f"{film}_end_priming_2 = {end!r}", "a frame number")
            if EVENTS[category].get(event) is not (label == "possible"):
                raise malformed(listed, line, f"{name} called {label!r}", "the label that its name tells")
            begins[name] = int(end) + 1
    return begins
