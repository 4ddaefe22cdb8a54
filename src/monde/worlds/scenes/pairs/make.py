"""`make_pairs`: minimal pairs of possible and impossible films, as many as wanted, each from its own seed."""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from monde.errors import ContractError, WorldError
from monde.limits import MAX_PAIR_BYTES
from monde.worlds.scenes.film import Shot
from monde.worlds.scenes.pairs.parts import HIDDEN_FRAMES, RATE_HZ, SEEN_FRAMES, Draw, Grade, Parts
from monde.worlds.scenes.pairs.principles import Design, Principle, grade_of, principle
from monde.worlds.scenes.render import render
from monde.worlds.scenes.scenery import draw_scenery
from monde.worlds.scenes.splits import Split, split_of, variety

SIDE_PIXELS = 64
"""Side of the films of all pairs."""

_TRIES = 4000
"""Draws for one set before its design counts as broken; most need fewer than twenty."""

_GROUP = 16
"""Sets drawn together."""


@dataclass(frozen=True, kw_only=True, repr=False)
class PairSet:
    """n sets of four films of one principle and grade.

    Args:
        principle: Its name.
        grade: easy, hidden or long-hidden.
        design: How they were made.
        split: Whose sizes, colours and speeds.
        seed: They come from.
        films: [n, 4, T, 3, h, w]: in each set the possible films first.
        possible: [n, 4].
        event_frame: [n], the first frame that tells an impossible film from the possible one that it began as.
        hidden: [n, 2], first frame and end (exclusive) of the time before the event over which the films of a set look
            the same because what matters is out of sight or just alike.
        ids: n names; equal names mean equal films.
        rate_hz: Frames a second.
    """

    principle: str
    grade: Grade
    design: Design
    split: Split
    seed: int
    films: UInt8[np.ndarray, "n 4 T 3 h w"]
    possible: Bool[np.ndarray, "n 4"]
    event_frame: Int64[np.ndarray, " n"]
    hidden: Int64[np.ndarray, "n 2"]
    ids: tuple[str, ...]
    rate_hz: float = RATE_HZ

    def __post_init__(self) -> None:
        n = len(self.films)
        lengths = {len(self.possible), len(self.event_frame), len(self.hidden), len(self.ids)}
        if lengths != {n} or n < 1 or self.films.ndim != 6:
            raise ContractError(
                "a PairSet's parts do not line up", got=sorted(lengths), expected=f"{n} sets, at least 1"
            )

    @property
    def content_hash(self) -> str:
        """SHA-256 of films, which are possible, and events."""
        digest = hashlib.sha256(repr((self.films.shape, self.rate_hz)).encode())
        for array in (self.films, self.possible, self.event_frame, self.hidden):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def hidden_seconds(self) -> np.ndarray:
        """[n] seconds out of sight."""
        return (self.hidden[:, 1] - self.hidden[:, 0]) / self.rate_hz

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.films.shape))
        return f"PairSet({self.principle}, {self.grade}, {self.design}, {self.split}, films=uint8[{shape}])"


def make_pairs(of: str | Principle, grade: str, n: int, seed: int, *, split: str = "test", first: int = 0) -> PairSet:
    """`n` sets of two possible and two impossible films, of objects, colours and speeds of `split`.

    A set depends on principle, grade, split, seed and its own number alone, so that many can be made a few at a time.

    Args:
        of: The principle, or its name.
        grade: easy, hidden or long-hidden.
        n: Sets.
        seed: At least 0.
        split: test, or train.
        first: Number of the first set.

    Raises:
        UsageError: An unknown name, or pymunk is not installed.
        ContractError: No sets, negative numbers, or more films than memory should hold.
    """
    asked = of if isinstance(of, Principle) else principle(of)
    level, kinds = grade_of(grade), split_of(split)
    if n < 1 or seed < 0 or first < 0:
        raise ContractError(
            "these pairs cannot be made", got=f"n={n}, seed={seed}, first={first}", expected="n ≥ 1, ≥ 0"
        )
    sources = [_Source(asked, level, kinds, seed, number) for number in range(first, first + n)]
    made: list[_Set] = []
    for start in range(0, n, _GROUP):
        made += _finished(sources[start : start + _GROUP])
        _check_memory(made[0].films.nbytes * n)
    design = asked.designs[level]
    return PairSet(
        principle=asked.name,
        grade=level,
        design=design,
        split=kinds,
        seed=seed,
        films=np.stack([one.films for one in made]),
        possible=np.tile(np.array([True, True, False, False]), (n, 1)),
        event_frame=np.array([one.event for one in made], dtype=np.int64),
        hidden=np.array([one.hidden for one in made], dtype=np.int64),
        ids=tuple(source.name for source in sources),
    )


def possible_shots(of: str | Principle, grade: str, seeds: Sequence[int], *, split: str = "train") -> list[Shot]:
    """The possible films of one set per seed, two of each, before they are drawn: to learn from.

    Raises:
        UsageError: An unknown name, or pymunk is not installed.
        ContractError: A negative seed.
    """
    asked = of if isinstance(of, Principle) else principle(of)
    level, kinds = grade_of(grade), split_of(split)
    if any(seed < 0 for seed in seeds):
        raise ContractError("a scene's seed is negative", got=min(seeds), expected="≥ 0")
    return [shot for seed in seeds for shot in _Source(asked, level, kinds, seed, 0).next().shots[:2]]


@dataclass(frozen=True)
class _Set:
    films: UInt8[np.ndarray, "4 T 3 h w"]
    event: int
    hidden: tuple[int, int]


class _Source:
    """The draws of one set, one after another, from a seed of its own."""

    def __init__(self, asked: Principle, grade: Grade, split: Split, seed: int, number: int) -> None:
        self.name = f"{asked.name}/{grade}/{split}/{seed}/{number}"
        self._asked, self.grade, self._split = asked, grade, split
        self._generator = np.random.default_rng([seed, number, zlib.crc32(f"{asked.name}/{grade}/{split}".encode())])

    def next(self) -> Parts:
        """The next draw that fits into the picture."""
        for _ in range(_TRIES):
            scenery = draw_scenery(self._generator, SIDE_PIXELS, zoom=self._asked.zoom, shift_pixels=2.0)
            parts = self._asked.parts(
                Draw(
                    generator=self._generator,
                    grade=self.grade,
                    kinds=variety(self._split),
                    scenery=scenery,
                    side_pixels=SIDE_PIXELS,
                )
            )
            if parts is not None:
                return parts
        raise WorldError(f"no draw of {self.name} fits into the picture", got=f"{_TRIES} tries")


def _finished(sources: Sequence[_Source]) -> list[_Set]:
    """One set of each source; draws of which the pixels are not what the design wants are drawn again."""
    done: dict[int, _Set] = {}
    for _ in range(_TRIES):
        missing = [index for index in range(len(sources)) if index not in done]
        if not missing:
            return [done[index] for index in range(len(sources))]
        parts = [sources[index].next() for index in missing]
        drawn = render([shot.take for part in parts for shot in part.shots]).rgb
        row = 0
        for index, part in zip(missing, parts, strict=True):
            films = drawn[row : row + len(part.shots)]
            row += len(part.shots)
            made = (
                _quadruplet(films, part.cuts, sources[index].grade)
                if part.matched
                else _Set(films, part.event, (part.event, part.event))
            )
            if made is not None:
                done[index] = made
    raise WorldError(f"{sources[0].name} and its like look different where they are cut", got=f"{_TRIES} tries")


def _quadruplet(films: UInt8[np.ndarray, "2 T 3 h w"], cuts: tuple[int, ...], grade: Grade) -> _Set | None:
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
    return _Set(np.concatenate([films, spliced(films, cuts)]), stop, (start, stop))


def spliced(films: UInt8[np.ndarray, "2 T 3 h w"], cuts: Sequence[int]) -> UInt8[np.ndarray, "2 T 3 h w"]:
    """Each of two films up to and with the first cut, then the other up to the next, and so on."""
    T = films.shape[1]
    turns = np.searchsorted(np.array(cuts), np.arange(T)) % 2
    return np.stack([films[turns, np.arange(T)], films[1 - turns, np.arange(T)]])


def _check_memory(wanted: int) -> None:
    if wanted > MAX_PAIR_BYTES:
        raise ContractError(
            "these pairs do not fit into memory",
            got=f"{wanted / 2**20:.0f} MiB",
            expected=f"at most {MAX_PAIR_BYTES / 2**20:.0f} MiB",
            remedy="make them a few at a time: `first` is the number of the first set",
        )
