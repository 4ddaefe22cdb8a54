"""The run: every contestant asked every question once, cached by what was asked, never beyond its budget.

    RUN/
      bets-run.json          {"schema": "monde.bets-run/1", "set", "content_hash", "contestants": {name: identity}}
      answers/NAME.jsonl     {"key": hash of contestant and question, "answer": {…}}, appended as they come

A run that was stopped goes on where it stopped. What was spent before counts.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from monde.bets.files import QuestionSet
from monde.bets.marking import Mark, mark
from monde.bets.types import Answer, Contestant, Cost, Question
from monde.data.lock import FolderLock
from monde.errors import StoreError, UsageError
from monde.limits import MAX_BETS_LINE_BYTES
from monde.store import digest_json, read_json, write_json
from monde.store.typed import from_json, to_json

SCHEMA = "monde.bets-run/1"


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The most that a contestant may spend in one run, however often it is resumed.

    Args:
        usd: Money.
        tokens: Read and written together.
        minutes: Time spent on answers.

    Raises:
        UsageError: A negative amount.
    """

    usd: float = 1.0
    tokens: int = 2_000_000
    minutes: float = 60.0

    def __post_init__(self) -> None:
        if min(self.usd, self.tokens, self.minutes) < 0:
            raise UsageError("a budget is negative", got=self, expected="0 or more")


@runtime_checkable
class Priced(Protocol):
    """A contestant that costs something."""

    @property
    def longest_seconds(self) -> float:
        """The longest that one answer may take, retries among it."""
        ...

    def most(self, question: Question) -> Cost:
        """The most that its answer may cost."""
        ...


@dataclass(frozen=True)
class Spent:
    """What a contestant has spent."""

    usd: float = 0.0
    tokens: int = 0
    seconds: float = 0.0

    def plus(self, answer: Answer) -> "Spent":
        """With one more answer."""
        tokens = answer.cost.tokens_in + answer.cost.tokens_out
        return Spent(self.usd + answer.cost.usd, self.tokens + tokens, self.seconds + answer.seconds)

    def affords(self, budget: Budget, most: Cost, seconds: float) -> bool:
        """Whether the most that another answer may cost is left."""
        return (
            self.usd + most.usd <= budget.usd
            and self.tokens + most.tokens_in + most.tokens_out <= budget.tokens
            and self.seconds + seconds <= budget.minutes * 60
        )


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """How far one contestant got: questions answered (failures among them), asked just now, left out for the budget,
    and what it has spent."""

    name: str
    answered: int
    new: int
    left: int
    spent: Spent


def run_bets(
    questions: QuestionSet,
    contestant: Contestant,
    out: Path,
    budget: Budget | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RunSummary:
    """Ask one contestant what has not been asked of it yet.

    Raises:
        StoreError: `out` is a run of another set, or the disk refuses.
        DataError: Another process writes into this run.
        UsageError: What the contestant needs is not there (no key, no server): all answers up to then are kept.
    """
    limit = budget or Budget()
    path = _answers_path(out, contestant.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FolderLock(path.parent)
    try:
        _begin(out, questions, contestant)
        known = _read(path, repair=True)
        spent = Spent()
        for answer in known.values():
            spent = spent.plus(answer)
        new = left = answered = 0
        with path.open("ab") as file:
            for index, question in enumerate(questions.questions()):
                key = _key(contestant, question)
                if key in known:
                    answered += 1
                    continue
                most = contestant.most(question) if isinstance(contestant, Priced) else Cost()
                seconds = contestant.longest_seconds if isinstance(contestant, Priced) else 0.0
                if not spent.affords(limit, most, seconds):
                    left += 1
                    continue
                answer = contestant.answer(question)
                line = json.dumps({"key": key, "answer": to_json(answer)}, allow_nan=False, ensure_ascii=False)
                file.write(line.encode("utf-8", "replace") + b"\n")
                file.flush()
                os.fsync(file.fileno())
                spent, new = spent.plus(answer), new + 1
                if progress is not None:
                    progress(index + 1, len(questions))
    finally:
        lock.release()
    return RunSummary(name=contestant.name, answered=answered + new, new=new, left=left, spent=spent)


def contestants_of(out: Path) -> dict[str, Mapping[str, object]]:
    """Identities of all that took part, by name.

    Raises:
        StoreError: `out` is no run.
    """
    told = _manifest(out).get("contestants")
    return {str(name): dict(identity) for name, identity in told.items()} if isinstance(told, dict) else {}


def marks_of(out: Path, questions: QuestionSet, names: Iterable[str] | None = None) -> dict[str, tuple[Mark, ...]]:
    """Every answer of a run judged again, offline, by contestant; questions in the set's order.

    Equal answers give equal marks.

    Raises:
        StoreError: `out` is no run of this set, or an answer in it is malformed.
    """
    _check(out, questions)
    identities = contestants_of(out)
    wanted = list(identities if names is None else names)
    truths = questions.truths()
    answers = {name: _read(_answers_path(out, name)) for name in wanted}
    marks: dict[str, list[Mark]] = {name: [] for name in wanted}
    for question in questions.questions():
        for name in wanted:
            key = digest_json([dict(identities[name]), question.content_hash])
            marks[name].append(mark(question, truths[question.id], answers[name].get(key)))
    return {name: tuple(of) for name, of in marks.items()}


def answers_of(out: Path, name: str) -> dict[str, Answer]:
    """A contestant's answers by the id of their question."""
    return {answer.question: answer for answer in _read(_answers_path(out, name)).values()}


def _key(contestant: Contestant, question: Question) -> str:
    return digest_json([dict(contestant.identity), question.content_hash])


def _begin(out: Path, questions: QuestionSet, contestant: Contestant) -> None:
    manifest = out / "bets-run.json"
    if manifest.exists():
        _check(out, questions)
    known = contestants_of(out) if manifest.exists() else {}
    identity = dict(contestant.identity)
    if contestant.name in known and dict(known[contestant.name]) != identity:
        raise UsageError(
            f"{contestant.name!r} took part in this run with other settings",
            got=identity,
            expected=known[contestant.name],
            remedy="give it another name, or choose another folder",
        )
    document = {
        "schema": SCHEMA,
        "set": questions.name,
        "content_hash": questions.content_hash,
        "contestants": {**known, contestant.name: identity},
    }
    write_json(manifest, document)


def _manifest(out: Path) -> dict[str, object]:
    manifest = read_json(out / "bets-run.json")
    if manifest.get("schema") != SCHEMA:
        raise StoreError(f"{out} is a run of another version", got=manifest.get("schema"), expected=SCHEMA)
    return manifest


def _check(out: Path, questions: QuestionSet) -> None:
    told = _manifest(out).get("content_hash")
    if told != questions.content_hash:
        raise StoreError(
            f"{out} is a run of other questions",
            got=f"{str(told)[:16]}…",
            expected=f"{questions.content_hash[:16]}…",
            remedy="give the set that it was run on, or choose another folder",
        )


def _answers_path(out: Path, name: str) -> Path:
    return out / "answers" / (re.sub(r"[^\w.-]+", "-", name) + ".jsonl")


def _read(path: Path, repair: bool = False) -> dict[str, Answer]:
    """Answers by key. A last line that was not written to its end is left out; `repair` cuts it off the file."""
    if not path.exists():
        return {}
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if repair and len(whole) < len(data):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    found = {}
    for number, line in enumerate(whole.splitlines()):
        if len(line) > MAX_BETS_LINE_BYTES:
            raise StoreError(f"{path}: line {number + 1} is too long", expected=f"≤ {MAX_BETS_LINE_BYTES} bytes")
        try:
            told = json.loads(line)
            found[str(told["key"])] = from_json(Answer, told["answer"], f"line {number + 1}")
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{path}: line {number + 1} is malformed", got=repr(error)) from error
    return found
