"""What a reply says: JSON on its own or inside prose, or a plain sentence; anything else is a recorded failure."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from monde.bets.types import Answer, Cost, Failure, Question
from monde.limits import MAX_BETS_PLAN_ROWS, MAX_BETS_RAW_CHARACTERS

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SAID = re.compile(r"\banswer\b(?:\s+is)?\W{0,12}([A-Z])\b(?!['’])", re.IGNORECASE)
_SAID_NUMBER = re.compile(r"\banswer\b(?:\s+is)?[^\d-]{0,12}(-?\d+(?:\.\d+)?)", re.IGNORECASE)
_ALONE = re.compile(r"^\W*([A-Z])\W*$")
_REFUSED = re.compile(
    r"^\W*(i['’]?m sorry|i am sorry|sorry|i can(?:no|['’])t|i cannot|i won['’]t|as an ai)\b", re.IGNORECASE
)
_MAX_OBJECTS = 200


@dataclass(frozen=True)
class Said:
    """What was made of a reply: one of choice, number and plan, or a failure; confidence if a usable one was given."""

    choice: int | None = None
    number: float | None = None
    plan: tuple[tuple[float, ...], ...] | None = None
    confidence: float | None = None
    failure: Failure | None = None
    note: str = ""


def parse(question: Question, raw: str) -> Said:
    """What a reply says in answer to a question.

    The last JSON object with an "answer" counts; without one, a sentence "the answer is B", or a letter alone. A
    confidence that is no probability is left out, and the note says so.
    """
    text = raw[:MAX_BETS_RAW_CHARACTERS].strip()
    if not text:
        return Said(failure="unparsable", note="nothing was said")
    told = _last_object(text)
    if told is None:
        return _from_prose(question, text)
    confidence, note = _confidence(told.get("confidence"))
    value = told["answer"]
    if question.kind == "choice":
        choice = _choice(question, value)
        if choice is not None:
            return Said(choice=choice, confidence=confidence, note=note)
    elif question.kind == "number":
        number = _number(value)
        if number is not None:
            return Said(number=number, confidence=confidence, note=note)
    else:
        plan = _plan(question, value)
        if plan is not None:
            return Said(plan=plan, confidence=confidence, note=note)
    return Said(failure="unparsable", note="its answer is none of what was asked for")


def to_answer(question: Question, raw: str, seconds: float, cost: Cost, note: str = "") -> Answer:
    """The answer that a reply amounts to; the same for the same reply."""
    said = parse(question, raw)
    return Answer(
        question=question.id,
        choice=said.choice,
        number=said.number,
        plan=said.plan,
        confidence=said.confidence,
        seconds=seconds,
        cost=cost,
        raw=raw,
        failure=said.failure,
        note="; ".join(part for part in (note, said.note) if part),
    )


def _last_object(text: str) -> dict[str, object] | None:
    decoder, found = json.JSONDecoder(), None
    place = text.find("{")
    for _ in range(_MAX_OBJECTS):
        if place < 0:
            break
        try:
            value, end = decoder.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError):
            end = place + 1
        else:
            if isinstance(value, dict) and "answer" in value:
                found = value
        place = text.find("{", end)
    return found


def _from_prose(question: Question, text: str) -> Said:
    if _REFUSED.match(text):
        return Said(failure="refused", note="it declined")
    if question.kind == "choice":
        letters = _SAID.findall(text) or _ALONE.findall(text)
        choice = _choice(question, letters[-1].upper()) if letters else _choice(question, text)
        if choice is not None:
            return Said(choice=choice, note="said in prose")
    if question.kind == "number":
        numbers = _SAID_NUMBER.findall(text)
        number = _number(numbers[-1] if numbers else text)
        if number is not None:
            return Said(number=number, note="said in prose")
    return Said(failure="unparsable", note="no answer was found in it")


def _choice(question: Question, value: object) -> int | None:
    if not isinstance(value, str):
        return None
    said = value.strip().strip("().").strip()
    if len(said) == 1 and said.upper() in LETTERS[: len(question.options)]:
        return LETTERS.index(said.upper())
    matching = [k for k, option in enumerate(question.options) if option.lower() == value.strip().lower()]
    return matching[0] if len(matching) == 1 else None


def _number(value: object) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("px").strip())
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _plan(question: Question, value: object) -> tuple[tuple[float, ...], ...] | None:
    if not isinstance(value, list) or not value or len(value) > MAX_BETS_PLAN_ROWS:
        return None
    rows = value if all(isinstance(row, list | Mapping) for row in value) else [value]
    plan = []
    for row in rows:
        given = [row.get(name) for name in question.row] if isinstance(row, Mapping) else row
        numbers = [_number(item) for item in given] if isinstance(given, list) else []
        if len(numbers) != len(question.row) or any(number is None for number in numbers):
            return None
        plan.append(tuple(number for number in numbers if number is not None))
    return tuple(plan)


def _confidence(value: object) -> tuple[float | None, str]:
    if value is None:
        return None, ""
    number = _number(value.rstrip("%") if isinstance(value, str) else value)
    if number is not None and isinstance(value, str) and value.strip().endswith("%"):
        number /= 100
    if number is None or not 0 <= number <= 1:
        return None, f"a confidence of {str(value)[:20]} was left out"
    return number, ""
