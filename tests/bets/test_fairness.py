"""Fairness: who sees the options alone is at chance; a leak that is planted is found."""

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


def test_planted_leaks_are_found(pool: Pool) -> None:
    questions, choices = pool
    told = [
        replace(question, options=tuple(o + "!" * (k == right) for k, o in enumerate(question.options)))
        for question, right in zip(questions, choices, strict=True)
    ]
    # "yes" and "no!" are of one length: there the mark tells nothing.
    assert blind_accuracy(told, choices, CHECKS["length"])[0] > 0.75
    first = [0 if np.random.default_rng(k).uniform() < 0.6 else right for k, right in enumerate(choices)]
    accuracy, (low, _), chance = blind_accuracy(questions, first, CHECKS["order"])
    assert low > chance, accuracy
    with pytest.raises(ContractError, match="too few"):
        blind_accuracy(questions[:100], choices[:100], CHECKS["order"])
