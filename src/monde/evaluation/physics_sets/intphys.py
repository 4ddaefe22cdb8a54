"""IntPhys (Riochet et al., "IntPhys 2019", arXiv 1803.07616): the dev set, and the test set without labels.

    dev/O1/01/1/scene/scene_001.png … scene_100.png     block / scene / movie; depth and masks lie beside `scene`
    dev/O1/01/1/status.json                             {"header": {"is_possible": true, "block_name": …}, "frames": …}

Blocks: O1 object permanence, O2 shape constancy, O3 spatio-temporal continuity. The four movies of a scene are two
possible and two impossible ones, shuffled, cut from the same frames.

Seen in stored sources: folders, picture names, movies 1 to 4 and `header.is_possible` (the makers' capture code, the
setup script of Minimal Video Pairs, and code built on that of arXiv 2502.11831). Not seen, so taken as follows:

- whether a scene is *visible* or *occluded*: early releases wrote it into the folder's name
  ("0001_O1_test_visible_static_nobj1"); newer folders are bare numbers. It is read from the folder's or the block's
  name, and the item has no condition "visibility" where neither says it;
- the frame rate: 15 Hz, as others' copies of the set state it (100 frames, about 7 seconds); no file of the set does.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from monde.errors import DataError
from monde.evaluation.physics_sets.films import Pictures, first_difference, numbered_pictures
from monde.evaluation.physics_sets.items import Absence, Item, PhysicsSet, SetReport, sorted_out
from monde.evaluation.physics_sets.tables import json_object

BLOCKS = {"O1": "object permanence", "O2": "shape constancy", "O3": "continuity"}
MOVIES = ("1", "2", "3", "4")
RATE_HZ = 15.0
LOOKS_FOR = "blocks O1, O2, O3 with scenes of movies 1 to 4, in it or in dev/ or test/"


def find_intphys(root: Path) -> Path | None:
    """The folder of the blocks, or none."""
    for folder in (root, root / "dev", root / "test"):
        if any((folder / block).is_dir() for block in BLOCKS):
            return folder
    return None


def open_intphys(root: Path) -> PhysicsSet:
    """Open the blocks of one split. Labels are withheld where no movie has a status.json.

    Raises:
        DataError: No movie at all, or a malformed status.json; the error names it.
    """
    items, absent = sorted_out(each for block in BLOCKS for each in _block(root, block))
    if not items:
        raise DataError(f"{root} holds no movie of IntPhys", got=SetReport(absent), expected=LOOKS_FOR)
    if any(item.possible is not None for item in items):
        unlabelled = [item for item in items if item.possible is None]
        absent += tuple(Absence(item.id, f"{item.id}/status.json", "no label") for item in unlabelled)
        items = tuple(item for item in items if item.possible is not None)
    version = root.name if root.name in {"dev", "test"} else "a split"
    return PhysicsSet(name="intphys", version=version, root=root, items=items, report=SetReport(absent))


def match_movies(physics_set: PhysicsSet) -> PhysicsSet:
    """Pair the four movies of each scene by how long they look alike from the beginning.

    The movie that agrees longest with movie 1 is its partner, and the other two are partners (as the code of Garrido et
    al., arXiv 2502.11831, does it). Pictures are decoded until that is decided: minutes for the whole dev set.
    Scenes that are incomplete, or whose partners are both possible or both impossible, stay without pairs.

    Raises:
        DataError: A picture cannot be decoded.
    """
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in physics_set.items:
        groups[item.group].append(item)
    pairs: dict[str, str] = {}
    for group, movies in groups.items():
        if len(movies) == len(MOVIES):
            first, partner, *others = _by_likeness(movies)
            for number, two in enumerate(((first, partner), tuple(others)), 1):
                if {movie.possible for movie in two} == {True, False}:
                    pairs |= {movie.id: f"{group}/{number}" for movie in two}
    return physics_set.keeping(tuple(replace(item, pair=pairs.get(item.id)) for item in physics_set.items), ())


def _by_likeness(movies: list[Item]) -> list[Item]:
    """The first movie, then the others, the one that agrees with it longest before all."""
    films = [movie.film for movie in movies if isinstance(movie.film, Pictures)]
    alike = [first_difference(films[0], film) for film in films[1:]]
    order = sorted(range(len(alike)), key=lambda number: -alike[number])
    return [movies[0], *(movies[1 + number] for number in order)]


def _block(root: Path, block: str) -> Iterator[Item | Absence]:
    if not (root / block).is_dir():
        yield Absence(block, f"{block}/", "the block is not there")
        return
    for scene in sorted(path for path in (root / block).iterdir() if path.is_dir() and not path.name.startswith(".")):
        for movie in MOVIES:
            yield _movie(scene / movie, f"{block}/{scene.name}", movie, BLOCKS[block])


def _movie(folder: Path, scene: str, movie: str, principle: str) -> Item | Absence:
    name = f"{scene}/{movie}"
    if not (folder / "scene").is_dir():
        return Absence(name, f"{name}/scene/", "the movie is not there")
    try:
        film = numbered_pictures(folder / "scene")
    except DataError as error:
        return Absence(name, f"{name}/scene/", f"{error.what}: {error.got or 'none'}")
    possible, block_name = _status(folder / "status.json")
    visibility = next((word for word in ("visible", "occluded") if word in f"{scene} {block_name}"), None)
    return Item(
        id=name,
        principle=principle,
        group=scene,
        possible=possible,
        film=film,
        rate_hz=RATE_HZ,
        conditions={} if visibility is None else {"visibility": visibility},
    )


def _status(path: Path) -> tuple[bool | None, str]:
    """Whether the movie is possible, and the name of its block; none where there is no file."""
    if not path.exists():
        return None, ""
    header = json_object(path).get("header")
    possible = header.get("is_possible") if isinstance(header, dict) else None
    if not isinstance(header, dict) or not isinstance(possible, bool):
        raise DataError(
            f"{path} does not say whether the movie is possible",
            got=f"header.is_possible = {possible!r}",
            expected="true or false",
            remedy="restore the file from where the set came",
        )
    return possible, str(header.get("block_name", ""))
