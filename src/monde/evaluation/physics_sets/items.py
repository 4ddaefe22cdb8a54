"""What the field's sets have in common: films of possible and impossible events, matched in pairs or quadruplets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from monde.errors import ContractError
from monde.evaluation.physics_sets.films import Film, film_frames, film_length, film_rate

PairLengths = Literal["equal", "end", "free"]
"""How films of one pair must agree in length: to the frame, aligned at their ends, or not at all."""

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a set asks in words about a film.

    Args:
        text: The question; empty where the set gives none.
        candidates: The answers to choose from.
        answer: The right one, of `candidates`.
    """

    text: str
    candidates: tuple[str, ...]
    answer: str

    def __post_init__(self) -> None:
        if self.answer not in self.candidates:
            raise ContractError("the answer is none of the candidates", got=self.answer, expected=self.candidates)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One film of a set.

    Args:
        id: Its name, unique in the set.
        principle: What is violated, or held, in the set's own words ("permanence", "GravitySupport").
        group: The films made from the same parts: a quadruplet, or a pair.
        pair: The two films of which a model must tell the possible one, or none where the set does not say.
        possible: Whether the event is possible; none where the label is withheld, or the set asks a question instead.
        film: Where its frames are.
        rate_hz: Frames a second where the set states it; none leaves it to the file.
        conditions: The set's own grades ("difficulty": "Easy", "visibility": "occluded").
        first_frame: Frames before this one are not part of what is judged.
        question: What is asked about the film in words.
    """

    id: str
    principle: str
    group: str
    pair: str | None = None
    possible: bool | None
    film: Film
    rate_hz: float | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)
    first_frame: int = 0
    question: Question | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "conditions", MappingProxyType(dict(self.conditions)))
        if self.first_frame < 0:
            raise ContractError(f"{self.id} cannot begin before its film", got=self.first_frame, expected="≥ 0")


@dataclass(frozen=True)
class Absence:
    """A film that is not judged: its item or group, the file, and why."""

    id: str
    file: str
    why: str

    def __str__(self) -> str:
        return f"{self.id}: {self.why} ({self.file})"


@dataclass(frozen=True)
class SetReport:
    """What of a set cannot be judged.

    Args:
        absent: Films that are missing or left out, each with its reason.
    """

    absent: tuple[Absence, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The items that are missing or left out."""
        return tuple(absence.id for absence in self.absent)

    def extended(self, absent: tuple[Absence, ...]) -> "SetReport":
        """With further absences."""
        return SetReport(self.absent + absent)

    def __str__(self) -> str:
        if not self.absent:
            return "nothing is missing"
        more = len(self.absent) - _SHOWN
        told = "; ".join(str(absence) for absence in self.absent[:_SHOWN])
        return f"{len(self.absent)} missing or left out: {told}" + (f"; and {more} more" if more > 0 else "")


def sorted_out(found: Iterable[Item | Absence]) -> tuple[tuple[Item, ...], tuple[Absence, ...]]:
    """What a reader found: the films that are there, and those that are not."""
    each = tuple(found)
    return tuple(one for one in each if isinstance(one, Item)), tuple(one for one in each if isinstance(one, Absence))


@dataclass(frozen=True, kw_only=True)
class PhysicsSet:
    """A set of films that is on disk, opened but not decoded.

    Args:
        name: "intphys", "intphys2", "grasp", "inflevel" or "mvp".
        version: The split or part that was opened ("dev", "Main", "level2").
        root: Its folder.
        items: The films that are there, by id.
        pair_lengths: How films of one pair must agree in length (see `survey`).
        report: What is missing.

    Raises:
        ContractError: Two items of one id.
    """

    name: str
    version: str
    root: Path
    items: tuple[Item, ...]
    pair_lengths: PairLengths = "equal"
    report: SetReport = field(default_factory=SetReport)

    def __post_init__(self) -> None:
        ids = [item.id for item in self.items]
        if len(set(ids)) < len(ids):
            doubles = sorted({name for name in ids if ids.count(name) > 1})[:_SHOWN]
            raise ContractError(f"{self.root} holds items twice", got=doubles, expected="unique ids")

    @property
    def labels_withheld(self) -> bool:
        """Whether its makers keep the labels to themselves."""
        return all(item.possible is None and item.question is None for item in self.items)

    def length(self, item: Item) -> int:
        """Frames that are judged.

        Raises:
            DataError: The film cannot be read; the error names it.
        """
        return max(0, film_length(item.film) - item.first_frame)

    def rate_hz(self, item: Item) -> float:
        """Frames a second.

        Raises:
            DataError: The film cannot be read.
        """
        return item.rate_hz if item.rate_hz is not None else film_rate(item.film)

    def frames(self, item: Item, size: tuple[int, int] | None = None, step: int = 1) -> UInt8[np.ndarray, "T 3 h w"]:
        """The frames of one film, decoded now.

        Args:
            item: One of `items`.
            size: (h, w) to which frames are brought by area averaging; their own size if none.
            step: Every how manieth frame, from `item.first_frame` on.

        Raises:
            ContractError: A step below 1.
            DataError: The film cannot be decoded, or is larger than `limits.MAX_FILM_BYTES`.
        """
        return film_frames(item.film, item.first_frame, step, size)

    def keeping(self, items: tuple[Item, ...], absent: tuple[Absence, ...]) -> "PhysicsSet":
        """This set with other items, and further absences."""
        return replace(self, items=items, report=self.report.extended(absent))

    def __repr__(self) -> str:
        missing = f", {len(self.report.absent)} missing" if self.report.absent else ""
        return f"PhysicsSet({self.name} {self.version}, {len(self.items)} films{missing}, {str(self.root)!r})"
