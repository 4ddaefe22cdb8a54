"""Whether a question gives its answer away to someone who does not see it: a classifier of options alone.

It is shown all but the situation: the options as numbers, their order, their lengths, the names of question and files.
If it is right more often than chance, the bench leaks. A conditional logit (McFadden 1974) with ridge, cross-validated.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from jaxtyping import Float64

from monde.bets.types import Question
from monde.errors import ContractError
from monde.evaluation.statistics import wilson

LEAST_QUESTIONS = 400
"""Fewer cannot tell a leak of a few per cent from chance."""

FOLDS = 5
"""Of cross-validation."""

_RIDGE = 1e-2
_NUMBER = re.compile(r"-?\d+\.\d+")
_MIDDLE = 32.0

Features = Callable[[Question, int], Float64[np.ndarray, "_ d"]]


def blind_accuracy(
    questions: Sequence[Question], choices: Sequence[int], features: Features
) -> tuple[float, tuple[float, float], float]:
    """Cross-validated accuracy of the blind classifier, its interval, and chance.

    Args:
        questions: Choices of one number of options or several, at least `LEAST_QUESTIONS`.
        choices: The right options.
        features: What it is shown of each option: [options, d], given the question and its place in its set.

    Raises:
        ContractError: Too few questions.
    """
    if len(questions) < LEAST_QUESTIONS or len(choices) != len(questions):
        raise ContractError("too few questions to tell a leak", got=len(questions), expected=f"≥ {LEAST_QUESTIONS}")
    shown = [features(question, index) for index, question in enumerate(questions)]
    everything = np.concatenate(shown)
    centre, scale = everything.mean(axis=0), np.maximum(everything.std(axis=0), 1e-9)
    shown = [(one - centre) / scale for one in shown]
    # By turns would put one family's every fifth question into one fold; at random does not.
    folds = np.random.default_rng(0).permutation(len(shown)) % FOLDS
    right = 0
    for fold in range(FOLDS):
        train, test = np.flatnonzero(folds != fold).tolist(), np.flatnonzero(folds == fold).tolist()
        weights = _fit([shown[k] for k in train], [choices[k] for k in train])
        right += sum(int(np.argmax(shown[k] @ weights)) == choices[k] for k in test)
    chance = float(np.mean([1 / len(question.options) for question in questions]))
    return right / len(questions), wilson(right, len(questions)), chance


def _options(question: Question, index: int) -> Float64[np.ndarray, "n d"]:
    """Numbers in the options, how far each lies from the others and from the middle of the picture, wording."""
    found = [list(map(float, _NUMBER.findall(option)))[:6] for option in question.options]
    width = max(1, *map(len, found))
    values = np.array([[*row, *[_MIDDLE] * (width - len(row))] for row in found])
    others = (values.sum(axis=0) - values) / (len(values) - 1)
    apart = np.linalg.norm(values - others, axis=1)
    out = np.linalg.norm(values - _MIDDLE, axis=1)
    worded = np.array([len(set(option.lower())) for option in question.options], dtype=np.float64)
    pictures = question.sensors.get("options")
    light = np.zeros(len(values)) if pictures is None else pictures.reshape(len(values), -1).mean(axis=1)
    first = np.array([row[:2] if len(row) >= 2 else [_MIDDLE, _MIDDLE] for row in found])
    return np.column_stack([first, apart, apart**2, out, out**2, worded, light - light.mean()])


def _order(question: Question, index: int) -> Float64[np.ndarray, "n d"]:
    """The option's place, alone and with the place of the question in its set."""
    n = len(question.options)
    place = np.eye(max(n, 15))[:n, :15]
    return np.concatenate([place, place * (index % 2), place * (index % 3 == 0), place * (index % 4 == 0)], axis=1)


def _length(question: Question, index: int) -> Float64[np.ndarray, "n d"]:
    """Characters of the option, absolute and among the others."""
    lengths = np.array([len(option) for option in question.options], dtype=np.float64)
    return np.column_stack([lengths - lengths.mean(), lengths == lengths.max(), lengths == lengths.min()])


def _names(question: Question, index: int) -> Float64[np.ndarray, "n d"]:
    """Digits of the question's id and of its arrays' file, each with the option's place."""
    n = len(question.options)
    digits = [int(digit) for digit in re.sub(r"\D", "", question.id)[-3:].rjust(3, "0")]
    digits += [index % 10, index // 10 % 10, len(question.sensors)]
    place = np.eye(max(n, 15))[:n, :15]
    return np.concatenate([place * digit for digit in digits], axis=1)


CHECKS: Mapping[str, Features] = MappingProxyType(
    {"options": _options, "order": _order, "length": _length, "file names": _names}
)
"""What the blind classifier is shown, by the name of the check."""


def _fit(shown: Sequence[Float64[np.ndarray, "_ d"]], choices: Sequence[int]) -> Float64[np.ndarray, " d"]:
    from scipy.optimize import minimize

    most = max(map(len, shown))
    d = shown[0].shape[1]
    stacked, there = np.zeros((len(shown), most, d)), np.zeros((len(shown), most), dtype=np.bool_)
    for row, one in enumerate(shown):
        stacked[row, : len(one)], there[row, : len(one)] = one, True
    picked = stacked[np.arange(len(shown)), list(choices)]

    def loss(weights: Float64[np.ndarray, " d"]) -> tuple[float, Float64[np.ndarray, " d"]]:
        scores = np.where(there, stacked @ weights, -np.inf)
        top = scores.max(axis=1, keepdims=True)
        share = np.exp(scores - top)
        total = share.sum(axis=1, keepdims=True)
        share /= total
        value = float((np.log(total) + top)[:, 0].mean() - (picked @ weights).mean() + _RIDGE * (weights @ weights))
        slope = np.einsum("bn,bnd->d", share, stacked) / len(shown) - picked.mean(axis=0) + 2 * _RIDGE * weights
        return value, slope

    return np.asarray(minimize(loss, np.zeros(d), jac=True, method="L-BFGS-B").x, dtype=np.float64)
