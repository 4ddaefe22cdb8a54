"""Fairness: who sees the options alone is at chance; a leak that is planted is found."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from monde.bets.fairness import CHECKS, LEAST_QUESTIONS, blind_accuracy
from monde.bets.questions.build import MAKERS
from monde.bets.questions.draw import draws
from monde.bets.types import GRADES, Question
from monde.errors import ContractError

Pool = tuple[list[Question], list[int]]


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Quick families of every kind of options, 420 questions in all."""
    made = []
    for family, n in (("what-if", 40), ("hidden-things", 40), ("spatial-relations", 40), ("what-happens-next", 20)):
        for grade in GRADES:
            made += [MAKERS[family](draw) for draw in draws(family, grade, range(n), 77, "test")]
    questions = [question for question, _ in made]
    return questions, [truth.choice for _, truth in made if truth.choice is not None]


@pytest.mark.parametrize("check", CHECKS)
def test_a_blind_classifier_is_at_chance(pool: Pool, check: str) -> None:
    questions, choices = pool
    assert len(questions) == len(choices) == 420 >= LEAST_QUESTIONS
    accuracy, (low, _), chance = blind_accuracy(questions, choices, CHECKS[check])
    assert low <= chance, f"{check}: {accuracy:.3f} beside chance {chance:.3f}"


def marked(question: Question, right: int, mark: Callable[[str], str]) -> Question:
    """The text of the right option is another."""
    return replace(question, options=tuple(mark(o) if k == right else o for k, o in enumerate(question.options)))


def lit(question: Question, right: int) -> Question:
    """The picture of the right option is a little brighter; where there is none, as it was."""
    if "options" not in question.sensors:
        return question
    pictures = np.array(question.sensors["options"])
    pictures[right] = np.minimum(pictures[right].astype(np.int64) + 12, 255)
    return replace(question, sensors={**question.sensors, "options": pictures})


def named(question: Question, right: int) -> Question:
    """The id ends with three digits, one for each of the first three options."""
    return replace(question, id=f"{question.id}.{(100, 10, 1, 0)[right]:03d}")


PLANTED: list[tuple[str, Callable[[Question, int], Question]]] = [
    ("options", lambda question, right: marked(question, right, lambda option: option + " qzjx")),
    ("options", lambda question, right: marked(question, right, lambda option: re.sub(r"\d+\.\d+", "1.00", option))),
    ("options", lit),
    # "yes" and "no!" are of one length: there the mark tells nothing.
    ("length", lambda question, right: marked(question, right, lambda option: option + "!")),
    ("file names", named),
]


@pytest.mark.parametrize(("check", "plant"), PLANTED, ids=["wording", "numbers", "light", "length", "names"])
def test_a_planted_leak_is_found(pool: Pool, check: str, plant: Callable[[Question, int], Question]) -> None:
    questions, choices = pool
    told = [plant(question, right) for question, right in zip(questions, choices, strict=True)]
    accuracy, (low, _), chance = blind_accuracy(told, choices, CHECKS[check])
    assert low > chance + 0.1, f"{check}: {accuracy:.3f} beside chance {chance:.3f}"


def test_an_order_that_leaks_is_found(pool: Pool) -> None:
    assert {check for check, _ in PLANTED} == set(CHECKS) - {"order"}
    questions, choices = pool
    first = [0 if np.random.default_rng(k).uniform() < 0.6 else right for k, right in enumerate(choices)]
    accuracy, (low, _), chance = blind_accuracy(questions, first, CHECKS["order"])
    assert low > chance, accuracy
    with pytest.raises(ContractError, match="too few"):
        blind_accuracy(questions[:100], choices[:100], CHECKS["order"])
