"""Impossible films cut from possible ones at frames where both look the same, checked on pixels."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import UInt8

from monde.errors import ContractError, WorldError
from monde.limits import MAX_PAIR_BYTES
from monde.worlds.minimal_pairs.pair_set import PairSet, Space
from monde.worlds.minimal_pairs.principles import Principle
from monde.worlds.minimal_pairs.timing import HIDDEN_FRAMES, SEEN_FRAMES, Grade
from monde.worlds.minimal_pairs.variety import Split

TRIES = 4000
"""Draws for one set before its design counts as broken; most need fewer than twenty."""

_GROUP = 16
"""Sets drawn together."""

S = TypeVar("S")
RGB = UInt8[np.ndarray, "N T 3 h w"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Parts(Generic[S]):
    """Films that a set is made of.

    Args:
        shots: Two possible films that look the same at each cut (a matched quadruplet is spliced from them), or four
            whole ones: two possible, then two impossible (exchanged contexts).
        cuts: Frames after which a matched quadruplet goes over to the other film, and back at the next.
        event: The first frame that may be wrong, of exchanged contexts (of quadruplets it is read off the pixels).
    """

    shots: tuple[S, ...]
    cuts: tuple[int, ...] = ()
    event: int = 0

    @property
    def matched(self) -> bool:
        """Whether impossible films are spliced from possible ones."""
        return len(self.shots) == 2


@dataclass(frozen=True)
class Made:
    """One set as drawn: films, event, and the span over which they look the same."""

    films: UInt8[np.ndarray, "4 T 3 h w"]
    event: int
    hidden: tuple[int, int]


class Source(Generic[S]):
    """The draws of one set, one after another, from a seed of its own.

    Args:
        asked: The principle.
        grade: Of the set.
        split: Of the set.
        seed: Of the call.
        number: Of the set.
        attempt: Draws once, or gives none if the draw did not fit into the picture.
        space: 2d or 3d.
    """

    def __init__(
        self,
        asked: Principle,
        grade: Grade,
        split: Split,
        seed: int,
        number: int,
        attempt: Callable[[np.random.Generator], Parts[S] | None],
        space: Space = "2d",
    ) -> None:
        # Two dimensions came first: their names, and the films that come from them, stay as they were.
        kind = f"{'' if space == '2d' else space + '/'}{asked.name}/{grade}/{split}"
        self.name = f"{kind}/{seed}/{number}"
        self.grade = grade
        self._attempt = attempt
        self._generator = np.random.default_rng([seed, number, zlib.crc32(kind.encode())])

    def next(self) -> Parts[S]:
        """The next draw that fits into the picture."""
        for _ in range(TRIES):
            parts = self._attempt(self._generator)
            if parts is not None:
                return parts
        raise WorldError(f"no draw of {self.name} fits into the picture", got=f"{TRIES} tries")


def assemble(
    asked: Principle,
    grade: Grade,
    split: Split,
    seed: int,
    numbers: range,
    source: Callable[[int], Source[S]],
    draw: Callable[[Sequence[S]], RGB],
    space: Space = "2d",
) -> PairSet:
    """The sets of these numbers, each from its source, drawn a few at a time.

    Raises:
        ContractError: More films than memory should hold.
        WorldError: The design does not fit into the picture.
    """
    made: list[Made] = []
    names: list[str] = []
    for start in range(0, len(numbers), _GROUP):
        sources = [source(number) for number in numbers[start : start + _GROUP]]
        names += [one.name for one in sources]
        made += _finished(sources, draw)
        check_memory(made[0].films.nbytes * len(numbers))
    return PairSet(
        principle=asked.name,
        grade=grade,
        design=asked.designs[grade],
        split=split,
        seed=seed,
        films=np.stack([one.films for one in made]),
        possible=np.tile(np.array([True, True, False, False]), (len(made), 1)),
        event_frame=np.array([one.event for one in made], dtype=np.int64),
        hidden=np.array([one.hidden for one in made], dtype=np.int64),
        ids=tuple(names),
        space=space,
    )


def _finished(sources: Sequence[Source[S]], draw: Callable[[Sequence[S]], RGB]) -> list[Made]:
    """One set of each source; draws of which the pixels are not what the design wants are drawn again."""
    done: dict[int, Made] = {}
    for _ in range(TRIES):
        missing = [index for index in range(len(sources)) if index not in done]
        if not missing:
            return [done[index] for index in range(len(sources))]
        parts = [sources[index].next() for index in missing]
        drawn = draw([shot for part in parts for shot in part.shots])
        row = 0
        for index, part in zip(missing, parts, strict=True):
            films = drawn[row : row + len(part.shots)]
            row += len(part.shots)
            made = (
                quadruplet(films, part.cuts, sources[index].grade)
                if part.matched
                else Made(films, part.event, (part.event, part.event))
            )
            if made is not None:
                done[index] = made
    raise WorldError(f"{sources[0].name} and its like look different where they are cut", got=f"{TRIES} tries")


def quadruplet(films: UInt8[np.ndarray, "2 T 3 h w"], cuts: tuple[int, ...], grade: Grade) -> Made | None:
    """Two films and the two that are spliced from them; none if a cut would show, or hides too little or too much."""
    same = (films[0] == films[1]).all(axis=(1, 2, 3))
    if not same[list(cuts)].all():
        return None
    start = stop = cuts[0]
    while start > 0 and same[start - 1]:
        start -= 1
    while stop < len(same) and same[stop]:
        stop += 1
    seen = (~same[:start]).sum() >= SEEN_FRAMES and (~same[stop:]).sum() >= SEEN_FRAMES
    if stop - start < HIDDEN_FRAMES[grade] or not seen:
        return None
    return Made(np.concatenate([films, spliced(films, cuts)]), stop, (start, stop))


def spliced(films: UInt8[np.ndarray, "2 T 3 h w"], cuts: Sequence[int]) -> UInt8[np.ndarray, "2 T 3 h w"]:
    """Each of two films up to and with the first cut, then the other up to the next, and so on."""
    T = films.shape[1]
    turns = np.searchsorted(np.array(cuts), np.arange(T)) % 2
    return np.stack([films[turns, np.arange(T)], films[1 - turns, np.arange(T)]])


def check_memory(wanted: int) -> None:
    if wanted > MAX_PAIR_BYTES:
        raise ContractError(
            "these pairs do not fit into memory",
            got=f"{wanted / 2**20:.0f} MiB",
            expected=f"at most {MAX_PAIR_BYTES / 2**20:.0f} MiB",
            remedy="make them a few at a time: `first` is the number of the first set",
        )
