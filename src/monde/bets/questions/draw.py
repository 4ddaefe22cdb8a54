"""`Draw`: what one question is drawn with, and the card that both renderings of it share."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from monde.bets.types import Grade, Question, Truth
from monde.worlds.minimal_pairs.variety import Split

TURNS = 12
"""Turns are balanced over as many: every number of options up to four divides it."""

Made = tuple[Question, Truth]


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One question's dice. It depends on family, grade, split, seed and number alone.

    Args:
        generator: Of this question alone.
        id: Of the question.
        family: Its family's name.
        grade: easy, middle or hard.
        split: Whose sizes and speeds.
        number: Of the question among its family and grade.
        turn: 0 to 11, balanced over numbers and in no order: which option is to be right.
    """

    generator: np.random.Generator
    id: str
    family: str
    grade: Grade
    split: Split
    number: int
    turn: int

    def by_grade(self, easy: float, middle: float, hard: float) -> float:
        """A number that depends on the grade."""
        return {"easy": easy, "middle": middle, "hard": hard}[self.grade]

    def choice(
        self,
        prompt: str,
        text: str,
        options: Sequence[str],
        right: int,
        *,
        about: Mapping[str, object],
        sensors: Mapping[str, Shaped[np.ndarray, "..."]],
    ) -> Made:
        """A question with options."""
        question = Question(
            id=self.id,
            family=self.family,
            grade=self.grade,
            kind="choice",
            prompt=prompt,
            text=text,
            options=tuple(options),
            about=about,
            sensors=sensors,
        )
        return question, Truth(id=self.id, choice=right)


def draws(family: str, grade: Grade, numbers: range, seed: int, split: Split) -> list[Draw]:
    """The draws of these numbers."""
    key = zlib.crc32(f"{family}/{grade}/{split}".encode())
    made = []
    for number in numbers:
        block = np.random.default_rng([seed, key, number // TURNS, 0xB1]).permutation(TURNS)
        made.append(
            Draw(
                generator=np.random.default_rng([seed, key, number, 0xB2]),
                # The number alone would do; families keep ids unique within a set.
                id=f"{family}.{grade}.{number:04d}",
                family=family,
                grade=grade,
                split=split,
                number=number,
                turn=int(block[number % TURNS]),
            )
        )
    return made
