"""`build_bets_report`: the verdict of a run of bets as one page that a non-specialist can read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from monde.bets.files import QuestionSet
from monde.bets.language.parsing import LETTERS
from monde.bets.marking import Mark
from monde.bets.questions.families import FAMILIES, Family
from monde.bets.questions.rooms import RATE_HZ
from monde.bets.running import answers_of
from monde.bets.types import Answer, Question, Truth
from monde.bets.verdict import CEILINGS, FLOORS, UNREAD, groups
from monde.evaluation.statistics import wilson
from monde.report.build import render
from monde.report.charts import accuracy_chart, colour, require_drawing
from monde.report.numbers import number
from monde.report.page import flatten
from monde.report.pictures import Movie, movie, png
from monde.scorecard import Row, Scorecard
from monde.store import write_bytes

SIGNIFICANT = 0.05
MAX_TEXT = 6_000
"""Characters of a question's text that are shown."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share right, in per cent of the width of a bar; or why there is none."""

    text: str
    low: float = 0.0
    high: float = 0.0
    value: float = 0.0
    absent: bool = False


@dataclass(frozen=True, kw_only=True)
class Line:
    """One contestant in one family: the share right in each grade."""

    name: str
    kind: str
    shares: tuple[Share, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One family."""

    family: Family
    grades: tuple[str, ...]
    lines: tuple[Line, ...]
    findings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Curves:
    """One chart of learning curves, and the colour of each corner."""

    title: str
    chart: str
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Said:
    """One contestant's answer to an example."""

    name: str
    text: str
    right: bool


@dataclass(frozen=True, kw_only=True)
class Example:
    """One question as a person can look at it."""

    family: str
    prompt: str
    movies: tuple[tuple[str, Movie], ...]
    stills: tuple[tuple[str, str], ...]
    options: tuple[tuple[str, str], ...]
    text: str
    truth: str
    answers: tuple[Said, ...]


def build_bets_report(
    run: Path,
    questions: QuestionSet,
    marks: Mapping[str, Sequence[Mark]],
    card: Scorecard,
    curves: Scorecard | None = None,
) -> Path:
    """Write RUN/report.html, with the corners' learning curves where they are given. Equal runs give equal bytes.

    Raises:
        StoreError: An answer cannot be read, or the disk refuses.
        UsageError: The extra `report` is not installed.
    """
    require_drawing()
    tables = _tables(marks, card)
    context = {
        "name": questions.name,
        "facts": [f"{len(questions)} questions", f"{len(marks)} contestants", f"content {questions.content_hash[:12]}"],
        "seen": [table for table in tables if not table.family.home],
        "read": [table for table in tables if table.family.home],
        "contestants": [_contestant(name, given, card) for name, given in marks.items()],
        "curves": [] if curves is None else _curves(curves),
        "examples": _examples(run, questions, marks),
        "protocol": flatten(card.protocol),
        "machine": flatten(card.machine),
        "commit": card.commit,
    }
    path = run / "report.html"
    write_bytes(path, render(context, "bets.html").encode())
    return path


def _tables(marks: Mapping[str, Sequence[Mark]], card: Scorecard) -> list[Table]:
    grouped = {name: groups(given) for name, given in marks.items()}
    cells = next(iter(grouped.values()), {})
    tables = []
    for family in dict.fromkeys(family for family, _ in cells):
        grades = tuple(grade for of, grade in cells if of == family)
        lines = tuple(
            Line(
                name=name,
                kind="floor" if name in FLOORS else "ceiling" if name in CEILINGS else "contestant",
                shares=tuple(_share(of[family, grade]) for grade in grades),
            )
            for name, of in grouped.items()
        )
        tables.append(
            Table(family=FAMILIES[family], grades=grades, lines=lines, findings=tuple(_findings(family, card)))
        )
    return tables


def _share(given: Sequence[Mark]) -> Share:
    if all(mark.failure == "cannot-read" for mark in given):
        return Share(text=UNREAD, absent=True)
    if all(mark.failure == "budget" for mark in given):
        return Share(text="not asked: the budget was spent", absent=True)
    right = sum(mark.correct for mark in given)
    low, high = wilson(right, len(given))
    value = right / len(given)
    return Share(text=f"{100 * value:.0f}%", low=100 * low, high=100 * high, value=100 * value)


def _findings(family: str, card: Scorecard) -> list[str]:
    """The differences that are hardly chance, in words."""
    found = []
    for row in card.rows:
        if row.metric.startswith(f"p_holm/{family}/") and row.value < SIGNIFICANT:
            a, _, b = row.metric.removeprefix(f"p_holm/{family}/").partition(" vs ")
            ahead, behind = (a, b) if " by +" in row.note else (b, a)
            found.append(f"{ahead} is ahead of {behind} (p = {number(row.value)} after correction)")
    return found


def _contestant(name: str, given: Sequence[Mark], card: Scorecard) -> dict[str, str]:
    def told(metric: str) -> str:
        return number(card[f"{metric}/{name}"].value) if f"{metric}/{name}" in card else "–"

    asked = [mark for mark in given if mark.failure != "cannot-read"]
    right = f"{100 * sum(mark.correct for mark in asked) / len(asked):.0f}%" if asked else "–"
    failures = sum(mark.failure is not None for mark in asked)
    return {
        "name": name,
        "right": right,
        "asked": str(len(asked)),
        "failures": str(failures),
        "calibration": told("calibration"),
        "seconds": told("seconds"),
        "usd": told("usd"),
    }


def _curves(card: Scorecard) -> list[Curves]:
    found = []
    for against, over, unit in (("compute", "TFLOP of training", 1e12), ("episodes", "episodes", 1.0)):
        told: dict[str, list[tuple[float, Row]]] = {}
        for row in card.rows:
            _, corner, kind, at = row.metric.split("/")
            if kind == against:
                told.setdefault(corner, []).append((float(at) / unit, row))
        lines = [(name, sorted(points, key=lambda point: point[0])) for name, points in told.items()]
        chance = [row.floors["random"] for _, points in lines for _, row in points if "random" in row.floors][:1]
        chart = accuracy_chart(
            f"curve-{against}",
            [[(at, row.value, row.interval) for at, row in points] for _, points in lines],
            chance,
            over,
        )
        names = tuple((name, colour(index)) for index, (name, _) in enumerate(lines))
        found.append(Curves(title=f"against {over}", chart=chart, names=names))
    return found


def _examples(run: Path, questions: QuestionSet, marks: Mapping[str, Sequence[Mark]]) -> list[Example]:
    """The first question of each family: chosen before anyone answered."""
    answers = {name: answers_of(run, name) for name in marks}
    right = {name: {mark.question: mark.correct for mark in given} for name, given in marks.items()}
    truths, shown, examples = questions.truths(), set(), []
    for index, id in enumerate(questions.ids):
        question = questions.question(index, sensors=False)
        if question.family in shown:
            continue
        shown.add(question.family)
        said = tuple(
            Said(name=name, text=_said(question, answers[name].get(id)), right=right[name].get(id, False))
            for name in marks
        )
        examples.append(_example(questions.question(index), truths[id], said))
    return examples


def _example(question: Question, truth: Truth, said: tuple[Said, ...]) -> Example:
    films = {name: array for name, array in question.sensors.items() if array.dtype == np.uint8 and array.ndim == 4}
    pictures = films.pop("options", None)
    options = tuple(
        (f"{LETTERS[k]}: {option}", "" if pictures is None else png(torch.from_numpy(pictures[k].copy()), 2))
        for k, option in enumerate(question.options)
    )
    right = "any plan that works" if truth.judge is not None else f"{truth.number} {question.unit}"
    return Example(
        family=question.family,
        prompt=question.prompt,
        movies=tuple((n, movie(torch.from_numpy(a.copy()), 1 / RATE_HZ, 3)) for n, a in films.items() if len(a) > 1),
        stills=tuple((n, png(torch.from_numpy(a[0].copy()), 3)) for n, a in films.items() if len(a) == 1),
        options=options,
        text=question.text[:MAX_TEXT] + (" …" if len(question.text) > MAX_TEXT else ""),
        truth=right if truth.choice is None else LETTERS[truth.choice],
        answers=said,
    )


def _said(question: Question, answer: Answer | None) -> str:
    if answer is None:
        return "not asked: the budget was spent"
    if answer.failure is not None:
        return f"no answer ({answer.failure}{': ' + answer.note if answer.note else ''})"
    sure = "" if answer.confidence is None else f", {100 * answer.confidence:.0f}% sure"
    if answer.choice is not None:
        return LETTERS[answer.choice] + sure
    if answer.number is not None:
        return f"{answer.number:.2f} {question.unit}{sure}"
    rows = answer.plan or ()
    first = ", ".join(f"({', '.join(f'{value:.2f}' for value in row)})" for row in rows[:2])
    return f"a plan of {len(rows)} rows: {first}{' …' if len(rows) > 2 else ''}{sure}"
