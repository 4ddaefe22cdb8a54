"""From numbers to answers, with confidences."""

import numpy as np
from jaxtyping import Float64

from monde.bets.types import Answer, Question

_STEEPEST = 50.0
"""Beyond so many scales a chance is as good as 0 or 1."""


def likeliest(question: Question, scores: Float64[np.ndarray, " n"]) -> Answer:
    """The option of the highest log-likelihood; softmax over the options is its confidence."""
    share = np.exp(scores - scores.max())
    choice = int(scores.argmax())
    return Answer(question=question.id, choice=choice, confidence=float(share[choice] / share.sum()))


def nearest(question: Question, gaps: Float64[np.ndarray, " n"], scale: float) -> Answer:
    """The option of the smallest gap; confidences fall off exponentially with gaps, over `scale`."""
    return likeliest(question, -gaps / scale)


def by_chance(question: Question, chance: float) -> Answer:
    """Yes where that is at least as probable as no."""
    choice = question.options.index("yes" if chance >= 0.5 else "no")
    return Answer(question=question.id, choice=choice, confidence=max(chance, 1 - chance))


def of_yes(question: Question, margin: float, scale: float) -> Answer:
    """Yes where the margin is not negative; surer the further from 0, over `scale`."""
    return by_chance(question, chance_of(margin / scale))


def chance_of(margin: float) -> float:
    """The logistic function of a margin in scales: 73% at one."""
    return float(1 / (1 + np.exp(-np.clip(margin, -_STEEPEST, _STEEPEST))))


def seconds_of(question: Question) -> float:
    """How long after the last moment shown it is asked about."""
    return float(str(question.about["seconds"]))
