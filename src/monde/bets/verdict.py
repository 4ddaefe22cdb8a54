"""The verdict: accuracy with intervals, paired tests with correction, calibration, seconds, money; as one scorecard."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import TypeVar

import numpy as np
from jaxtyping import Bool

from monde.bets.files import QuestionSet
from monde.bets.marking import Mark
from monde.bets.questions.families import FAMILIES
from monde.bets.types import GRADES, GUESSED
from monde.errors import ContractError
from monde.evaluation.calibration import calibration_error
from monde.evaluation.statistics import bootstrap, mean_interval, wilson
from monde.scorecard import Row, Scorecard
from monde.store import commit, machine, utc_now

K = TypeVar("K", bound=Hashable)

FLOORS = ("random", "majority", "copy-last", "constant-velocity")
CEILINGS = ("text-simulator", "sensor-readout")
UNREAD = "cannot read this"
"""Note of a share right where nothing was read."""
LEAST_CALIBRATED = 10
"""Answers with a confidence, at least, of which calibration is told."""


def mcnemar(a: Bool[np.ndarray, " n"], b: Bool[np.ndarray, " m"]) -> float:
    """Exact two-sided p-value that two contestants are equally often right where only one of them is (McNemar 1947).

    Raises:
        ContractError: They answered different numbers of questions.
    """
    if a.shape != b.shape:
        raise ContractError("paired answers do not line up", got=(a.shape, b.shape), expected="one shape")
    from scipy.stats import binomtest

    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    return 1.0 if only_a + only_b == 0 else float(binomtest(only_a, only_a + only_b, 0.5).pvalue)


def holm(p_values: Mapping[K, float]) -> dict[K, float]:
    """p-values corrected for their number, by steps downwards (Holm 1979)."""
    order = sorted(p_values, key=lambda key: p_values[key])
    corrected: dict[K, float] = {}
    worst = 0.0
    for rank, key in enumerate(order):
        worst = max(worst, min(1.0, p_values[key] * (len(order) - rank)))
        corrected[key] = worst
    return corrected


def verdict(questions: QuestionSet, marks: Mapping[str, Sequence[Mark]], seed: int = 0) -> Scorecard:
    """The scorecard of a run.

    Rows: `accuracy/<family>/<grade>/<contestant>` with Wilson's interval and all floors; `auccess/<grade>/<contestant>`
    of puzzles; `p_holm/<family>/<a> vs <b>`, corrected over the pairs of a family; `calibration/<contestant>`;
    `seconds/<contestant>`; `usd/<contestant>`; `unread/<contestant>`, the share that it cannot read.

    Args:
        questions: The set.
        marks: By contestant, in the set's order.
        seed: Of resampling.

    Raises:
        ContractError: Contestants that answered other questions than one another.
    """
    for name, given in marks.items():
        if [mark.question for mark in given] != list(questions.ids):
            raise ContractError(f"{name!r} was not marked on this set", got=len(given), expected=len(questions))
    rows = [*_accuracies(marks), *_puzzles(marks, seed), *_pairs(marks)]
    for name, given in marks.items():
        rows += _of_contestant(name, given, seed)
    return Scorecard(
        name="bets",
        rows=tuple(rows),
        protocol={
            "set": questions.name,
            "content_hash": questions.content_hash,
            "split": questions.split,
            "questions": len(questions),
            "families": sorted(questions.families),
            "failures": "count as wrong",
            "tests": "McNemar exact, Holm over the pairs of a family",
        },
        machine=machine(),
        commit=commit(),
        seeds=(questions.seed, seed),
        created=utc_now(),
    )


def groups(marks: Iterable[Mark]) -> dict[tuple[str, str], list[Mark]]:
    """Marks by family and grade, in the order in which families are shown."""
    found: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks:
        found.setdefault((mark.family, mark.grade), []).append(mark)
    order = list(FAMILIES)
    return dict(sorted(found.items(), key=lambda item: (order.index(item[0][0]), [*GRADES].index(item[1][0].grade))))


def _accuracies(marks: Mapping[str, Sequence[Mark]]) -> list[Row]:
    grouped = {name: groups(given) for name, given in marks.items()}
    rows = []
    for name, of in grouped.items():
        for (family, grade), given in of.items():
            right = sum(mark.correct for mark in given)
            floors = {
                floor: float(np.mean([mark.correct for mark in grouped[floor][family, grade]]))
                for floor in FLOORS
                if floor in grouped and floor != name
            }
            rows.append(
                Row(
                    metric=f"accuracy/{family}/{grade}/{name}",
                    value=right / len(given),
                    unit="1",
                    interval=wilson(right, len(given)),
                    n=len(given),
                    floors=floors,
                    note=_note(given),
                )
            )
    return rows


def _note(given: Sequence[Mark]) -> str:
    """What a share of right answers hides: that nothing was read, that all was guessed, or which answers failed."""
    if all(mark.failure == "cannot-read" for mark in given):
        return UNREAD
    if all(mark.guessed for mark in given):
        return GUESSED
    counts: dict[str, int] = {}
    for mark in given:
        if mark.failure is not None:
            counts[mark.failure] = counts.get(mark.failure, 0) + 1
    return ", ".join(f"{count} {failure}" for failure, count in sorted(counts.items()))


def _puzzles(marks: Mapping[str, Sequence[Mark]], seed: int) -> list[Row]:
    rows = []
    for name, given in marks.items():
        for (family, grade), of in groups(given).items():
            if family == "puzzles":
                value, interval = mean_interval(np.array([mark.score for mark in of]), seed)
                note = "AUCCESS (arXiv 1908.05656) over at most 100 placements"
                rows.append(
                    Row(
                        metric=f"auccess/{grade}/{name}", value=value, unit="1", interval=interval, n=len(of), note=note
                    )
                )
    return rows


def _pairs(marks: Mapping[str, Sequence[Mark]]) -> list[Row]:
    right: dict[str, dict[str, list[bool]]] = {}
    for name, given in marks.items():
        for mark in given:
            right.setdefault(mark.family, {}).setdefault(name, []).append(mark.correct)
    rows = []
    for family, of in right.items():
        raw = {(a, b): mcnemar(np.array(of[a]), np.array(of[b])) for a, b in combinations(of, 2)}
        for (a, b), p in holm(raw).items():
            gap = float(np.mean(of[a]) - np.mean(of[b]))
            note = f"{a} is ahead by {gap:+.3f}; p before correction {raw[a, b]:.3g}"
            rows.append(Row(metric=f"p_holm/{family}/{a} vs {b}", value=p, unit="1", n=len(of[a]), note=note))
    return rows


def _of_contestant(name: str, given: Sequence[Mark], seed: int) -> list[Row]:
    asked = [mark for mark in given if mark.failure not in ("budget", "cannot-read")]
    rows = [
        Row(
            metric=f"unread/{name}",
            value=sum(mark.failure == "cannot-read" for mark in given) / len(given),
            unit="1",
            n=len(given),
            note="share of questions that it cannot read",
        )
    ]
    if asked:
        seconds, interval = mean_interval(np.array([mark.seconds for mark in asked]), seed)
        note = "wall clock of one answer, on this machine as busy as it was"
        rows.append(Row(metric=f"seconds/{name}", value=seconds, unit="s", interval=interval, n=len(asked), note=note))
        usd = sum(mark.usd for mark in given)
        rows.append(Row(metric=f"usd/{name}", value=usd, unit="USD", n=len(asked), note="all answers together"))
    sure = np.array(
        [[mark.confidence, mark.correct] for mark in asked if mark.confidence is not None], dtype=np.float64
    )
    if len(sure) >= LEAST_CALIBRATED:
        told, right = sure[:, 0], sure[:, 1] > 0.5
        interval = bootstrap(sure, lambda of: calibration_error(of[:, 0], of[:, 1] > 0.5), seed)
        rows.append(
            Row(
                metric=f"calibration/{name}",
                value=calibration_error(told, right),
                unit="1",
                interval=interval,
                n=len(sure),
                note="mean distance between confidence and share right; 0 is best",
            )
        )
    return rows
