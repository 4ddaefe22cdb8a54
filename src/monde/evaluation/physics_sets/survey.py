"""Looking at every film of a set before it is judged: what cannot be opened, and pairs that do not fit together."""

from collections import defaultdict
from dataclasses import replace

from monde.errors import DataError
from monde.evaluation.physics_sets.films import film_length
from monde.evaluation.physics_sets.items import Absence, Item, PhysicsSet


def survey(physics_set: PhysicsSet) -> PhysicsSet:
    """The set without the films that cannot be judged, each named in the report with its reason.

    Every film is opened (the packets of a video, the first and last picture of a folder), none is decoded whole.

    - A film that cannot be opened is left out.
    - Where films of a pair must be equally long, a pair (or quadruplet) whose films are not is left out whole: summed
      and highest surprise depend on the length.
    - Where they are aligned at their ends (InfLevel-Lab), the longer one's first frames are left out: its item's
      `first_frame` is moved, as in the code of Garrido et al. (arXiv 2502.11831).

    Raises:
        DataError: No film is left.
    """
    lengths: dict[str, int] = {}
    absent: list[Absence] = []
    for item in physics_set.items:
        try:
            lengths[item.id] = film_length(item.film) - item.first_frame
        except DataError as error:
            absent.append(
                Absence(item.id, str(item.film.path), error.what if error.got is None else f"{error.what}: {error.got}")
            )
            continue
        if lengths[item.id] < 1:
            absent.append(Absence(item.id, str(item.film.path), f"it ends before frame {item.first_frame}"))
            del lengths[item.id]
    items = [item for item in physics_set.items if item.id in lengths]
    if physics_set.pair_lengths == "equal":
        uneven = _uneven(items, lengths)
        absent += [Absence(item.id, str(item.film.path), uneven[item.id]) for item in items if item.id in uneven]
        items = [item for item in items if item.id not in uneven]
    elif physics_set.pair_lengths == "end":
        items = _aligned(items, lengths)
    if not items:
        raise DataError(
            f"no film of {physics_set.root} can be judged",
            got=physics_set.report.extended(tuple(absent)),
            remedy="copy the set again from where it came",
        )
    return physics_set.keeping(tuple(items), tuple(absent))


def _together(items: list[Item]) -> dict[str, list[Item]]:
    """Films by pair, or by quadruplet where the set has no pairs."""
    together: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        together[item.pair or item.group].append(item)
    return together


def _uneven(items: list[Item], lengths: dict[str, int]) -> dict[str, str]:
    told: dict[str, str] = {}
    for name, films in _together(items).items():
        found = sorted({lengths[item.id] for item in films})
        if len(found) > 1:
            why = f"films of {name} differ in length: {', '.join(map(str, found))} frames"
            told |= {item.id: why for item in films}
    return told


def _aligned(items: list[Item], lengths: dict[str, int]) -> list[Item]:
    shortest = {name: min(lengths[item.id] for item in films) for name, films in _together(items).items()}
    return [
        replace(item, first_frame=item.first_frame + lengths[item.id] - shortest[item.pair or item.group])
        for item in items
    ]
