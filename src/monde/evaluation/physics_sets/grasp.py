"""GRASP (Jassim et al., arXiv 2311.09048): Level 2, intuitive physics, and Level 1, what is to be seen.

    level2/P_Continuity/000.mp4     a possible event          level1/ColorRed/000.mp4
    level2/IP_Continuity/000.mp4    an impossible one         level1/TwoObjectOrdering/000.mp4, 000.txt

Seen in stored sources: the makers' code that writes the videos (50 frames a second, 128 a scene, numbered from 000),
that lists them (`tools/prepare_data.py`, from which Level 1's labels are taken: the rest of a folder's name, and the
first line of the text file for object ordering, of which the last two, three or four words count) and their 16 tests of
Level 2 (`data/prompts/level2.json`). That the films of one number in P_… and IP_… are partners, seed by seed, is how
the code of Garrido et al. (arXiv 2502.11831) pairs them. The published archive itself was not seen: it unpacks to
`videos/level1` and `videos/level2`.
"""

from collections.abc import Iterator
from itertools import chain, permutations
from pathlib import Path

from monde.errors import DataError
from monde.evaluation.physics_sets.films import Movie
from monde.evaluation.physics_sets.items import Absence, Item, PhysicsSet, Question, SetReport, sorted_out

TESTS = (
    *("Collision", "Continuity", "Gravity", "GravityContinuity", "GravityInertia", "GravityInertia2", "GravitySupport"),
    *("Inertia", "Inertia2", "ObjectPermanence", "ObjectPermanence2", "ObjectPermanence3"),
    *("SolidityContinuity", "SolidityContinuity2", "Unchangeableness", "Unchangeableness2"),
)
SEEN = ("Movement", "RelationalPosition", "Direction", "Shape", "Color")
ORDERED = {"TwoObjectOrdering": 2, "ThreeObjectOrdering": 3, "FourObjectOrdering": 4}
LOOKS_FOR = "level2/ with P_… and IP_… folders or level1/, in it or in videos/ (or the folder of one level)"
_MOVEMENT = {"true": "moving", "false": "not moving"}


def find_grasp(root: Path) -> Path | None:
    """The folder that holds the levels, or the one level, or none."""
    for folder in (root, root / "videos", root / "data" / "videos"):
        if _pairs_in(folder / "level2") or _seen_in(folder / "level1"):
            return folder
    return root if _pairs_in(root) or _seen_in(root) else None


def open_grasp(root: Path) -> PhysicsSet:
    """Open what there is of both levels.

    Raises:
        DataError: No video, or a label that cannot be read.
    """
    second = root / "level2" if (root / "level2").is_dir() else root
    first = root / "level1" if (root / "level1").is_dir() else root
    levels = [name for name, there in (("level2", _pairs_in(second)), ("level1", _seen_in(first))) if there]
    pairs = (each for test in TESTS for each in _second_level(second, test)) if "level2" in levels else ()
    seen = _first_level(first) if "level1" in levels else ()
    items, absent = sorted_out(chain(pairs, seen))
    if not items:
        raise DataError(f"{root} holds no video of GRASP", got=SetReport(absent), expected=LOOKS_FOR)
    return PhysicsSet(name="grasp", version="+".join(levels), root=root, items=items, report=SetReport(absent))


def _pairs_in(folder: Path) -> bool:
    return any((folder / f"{kind}_{test}").is_dir() for test in TESTS for kind in ("P", "IP"))


def _seen_in(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in ORDERED) or any(_labels(folder, test) for test in SEEN)


def _second_level(folder: Path, test: str) -> Iterator[Item | Absence]:
    numbers = {kind: _numbered(folder / f"{kind}_{test}") for kind in ("P", "IP")}
    if not any(numbers.values()):
        yield Absence(f"level2/{test}", f"P_{test}/, IP_{test}/", "the test is not there")
    for number in sorted(numbers["P"].keys() | numbers["IP"].keys()):
        for kind in ("P", "IP"):
            name, pair = f"level2/{kind}_{test}/{number:03}", f"level2/{test}/{number:03}"
            path = numbers[kind].get(number)
            if path is None:
                yield Absence(name, f"{kind}_{test}/{number:03}.mp4", "the video is not there")
            else:
                yield Item(id=name, principle=test, group=pair, pair=pair, possible=kind == "P", film=Movie(path))


def _first_level(folder: Path) -> Iterator[Item | Absence]:
    for test in SEEN:
        labels = _labels(folder, test)
        candidates = tuple(sorted(labels.values()))
        for scene, label in sorted(labels.items()):
            for number, path in sorted(_numbered(folder / scene).items()):
                yield _question(f"level1/{scene}/{number:03}", test, path, candidates, label)
    for scene, words in ORDERED.items():
        for number, path in sorted(_numbered(folder / scene).items()):
            name, text = f"level1/{scene}/{number:03}", path.with_suffix(".txt")
            if not text.is_file():
                yield Absence(name, f"{scene}/{text.name}", "the label is not there")
                continue
            order = _order(text, words)
            candidates = tuple(sorted({",".join(other) for other in permutations(order)}))
            yield _question(name, scene, path, candidates, ",".join(order))


def _question(name: str, test: str, path: Path, candidates: tuple[str, ...], answer: str) -> Item:
    question = Question(text=f"{test}: which of these does the film show?", candidates=candidates, answer=answer)
    return Item(id=name, principle=test, group=name, possible=None, film=Movie(path), question=question)


def _order(path: Path, words: int) -> list[str]:
    try:
        line = path.read_text(encoding="utf-8").splitlines()[:1]
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text", got=error, expected="names of objects, by commas") from error
    order = [word.strip() for word in line[0].split(",")] if line else []
    if len(order) < words:
        raise DataError(f"line 1 of {path} names too few objects", got=order, expected=f"{words}, by commas")
    return order[-words:]


def _labels(folder: Path, test: str) -> dict[str, str]:
    """What each folder of a test shows, by the folder's name."""
    if not folder.is_dir():
        return {}
    rest = {
        path.name: path.name[len(test) :].lower()
        for path in folder.iterdir()
        if path.is_dir() and path.name.startswith(test) and len(path.name) > len(test)
    }
    return {name: _MOVEMENT.get(label, label) for name, label in rest.items()}


def _numbered(folder: Path) -> dict[int, Path]:
    paths = folder.glob("*.mp4") if folder.is_dir() else ()
    return {int(path.stem): path for path in sorted(paths) if path.stem.isdigit()}
