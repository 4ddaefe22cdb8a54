"""From numbers to answers, with confidences."""

import numpy as np
from jaxtyping import Float64

from monde.bets.types import Answer, Question


def nearest(question: Question, gaps: Float64[np.ndarray, " n"], scale: float) -> Answer:
    """The option of the smallest gap; confidences fall off exponentially with gaps, over `scale`."""
    share = np.exp(-(gaps - gaps.min()) / scale)
    choice = int(gaps.argmin())
    return Answer(question=question.id, choice=choice, confidence=float(share[choice] / share.sum()))


def of_yes(question: Question, margin: float, scale: float) -> Answer:
    """Yes where the margin is positive; surer the further from 0, over `scale`."""
    sure = 1 / (1 + np.exp(-min(abs(margin) / scale, 50.0)))
    return Answer(question=question.id, choice=question.options.index("yes" if margin > 0 else "no"), confidence=sure)
