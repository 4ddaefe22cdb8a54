"""A question, what is true of it, an answer, and the one protocol that every contestant keeps.

A contestant is handed a `Question` and nothing else: what is true lies in a `Truth`, in another file.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
from jaxtyping import Shaped

from monde.errors import ContractError, unknown_name
from monde.limits import MAX_BETS_PLAN_ROWS, MAX_BETS_RAW_CHARACTERS
from monde.store import digest_json, sha256_bytes

Grade = Literal["easy", "middle", "hard"]
GRADES: tuple[Grade, ...] = get_args(Grade)
Kind = Literal["choice", "number", "plan"]
Failure = Literal["cannot-read", "refused", "unparsable", "timeout", "budget", "error"]
FAILURES: tuple[Failure, ...] = get_args(Failure)
"""cannot-read: the contestant does not take this rendering. budget: not asked, for it was spent."""


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Question:
    """One question in two renderings.

    Args:
        id: Unique in its set; it says nothing of the answer.
        family: A name of `monde.bets.families`.
        grade: easy, middle or hard.
        kind: What an answer is: one of the options, a number, or a plan.
        prompt: The question in English; it belongs to both renderings.
        text: The exact history of states, with units: the text rendering.
        options: Text rendering of each option; none unless a choice.
        unit: Unit of a number.
        row: Names of the numbers in one row of a plan.
        rows: Most rows of a plan.
        about: The prompt once more, for machines (JSON).
        sensors: Arrays of the sensor rendering: films uint8 [T, 3, h, w], `options` uint8 [n, 3, h, w], …; empty
            where a question has none.

    Raises:
        ContractError: A choice of fewer than two options, or another kind with options.
    """

    id: str
    family: str
    grade: Grade
    kind: Kind
    prompt: str
    text: str
    options: tuple[str, ...] = ()
    unit: str = ""
    row: tuple[str, ...] = ()
    rows: int = 0
    about: Mapping[str, object] = field(default_factory=dict)
    sensors: Mapping[str, Shaped[np.ndarray, "..."]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "about", MappingProxyType(dict(self.about)))
        object.__setattr__(self, "sensors", MappingProxyType(dict(self.sensors)))
        if self.grade not in GRADES:
            raise unknown_name("grade", self.grade, list(GRADES), ContractError)
        if (len(self.options) >= 2) != (self.kind == "choice") or (self.kind == "plan") != bool(self.row):
            got = f"{self.kind} with {len(self.options)} options, rows of {self.row}"
            raise ContractError(f"question {self.id!r} is malformed", got=got, expected="options only of a choice")

    def to_json(self) -> dict[str, object]:
        """All but the arrays."""
        return {
            "id": self.id,
            "family": self.family,
            "grade": self.grade,
            "kind": self.kind,
            "prompt": self.prompt,
            "text": self.text,
            "options": list(self.options),
            "unit": self.unit,
            "row": list(self.row),
            "rows": self.rows,
            "about": dict(self.about),
        }

    @property
    def content_hash(self) -> str:
        """SHA-256 of all that a contestant may see."""
        arrays = [
            [name, str(a.dtype), list(a.shape), sha256_bytes(np.ascontiguousarray(a).tobytes())]
            for name, a in sorted(self.sensors.items())
        ]
        return digest_json([self.to_json(), arrays])

    def __repr__(self) -> str:
        return f"Question({self.id}, {self.kind}, {len(self.options)} options, sensors {sorted(self.sensors)})"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is true of a question; no contestant sees it.

    Args:
        id: Of the question.
        choice: Index of the right option.
        number: The right number.
        tolerance: How far from it still counts as right.
        judge: What a plan is judged by (JSON).
    """

    id: str
    choice: int | None = None
    number: float | None = None
    tolerance: float = 0.0
    judge: Mapping[str, object] | None = None


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What an answer cost: tokens read and written, and money in US dollars."""

    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0


GUESSED = "a guess: no rule for this"
"""Note of an answer that follows from nothing."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a contestant said.

    Args:
        question: Id of the question.
        choice: Index of an option, or none.
        number: A finite number, or none.
        plan: Rows of finite numbers, the first row first, or none.
        confidence: Probability that it is right, 0 to 1, or none where none was given.
        seconds: How long it took.
        cost: What it cost.
        raw: The text as it came; empty of contestants that write none.
        failure: Why there is no answer, or none.
        note: Anything that a reader must know ("a confidence of 2.0 was left out").

    Raises:
        ContractError: No answer without a failure, several answers, or numbers that are none.
    """

    question: str
    choice: int | None = None
    number: float | None = None
    plan: tuple[tuple[float, ...], ...] | None = None
    confidence: float | None = None
    seconds: float = 0.0
    cost: Cost = Cost()
    raw: str = ""
    failure: Failure | None = None
    note: str = ""

    def __post_init__(self) -> None:
        given = sum(value is not None for value in (self.choice, self.number, self.plan))
        if given != (self.failure is None):
            got = f"{given} answers, failure {self.failure!r}"
            raise ContractError(f"the answer to {self.question!r} is malformed", got=got, expected="one, or a failure")
        if self.failure is not None and self.failure not in FAILURES:
            raise unknown_name("failure", self.failure, list(FAILURES), ContractError)
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise ContractError("a confidence is a probability", got=self.confidence, expected="0 to 1")
        numbers = [] if self.number is None else [self.number]
        numbers += [value for row in self.plan or () for value in row]
        if not all(map(math.isfinite, numbers)) or len(self.plan or ()) > MAX_BETS_PLAN_ROWS:
            raise ContractError(f"the answer to {self.question!r} holds numbers that are none", got=numbers[:6])
        if len(self.raw) > MAX_BETS_RAW_CHARACTERS:
            object.__setattr__(self, "raw", self.raw[:MAX_BETS_RAW_CHARACTERS])
            object.__setattr__(self, "note", f"{self.note} the raw text was cut off".strip())


@runtime_checkable
class Contestant(Protocol):
    """Anyone who answers: a floor, a ceiling, a corner, a language model."""

    @property
    def name(self) -> str:
        """Its name in the verdict."""
        ...

    @property
    def identity(self) -> Mapping[str, object]:
        """All that its answers depend on besides the question (JSON); two of one identity answer alike. No secrets."""
        ...

    def answer(self, question: Question) -> Answer:
        """Its answer. Whatever goes wrong with the question is a recorded failure, never an exception."""
        ...
