"""Ridge regression over episodes: how much of a change the actions explain, against the same actions shuffled."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from monde.data.split import fold_episodes

FOLDS = 10
"""Folds over episodes; each episode is judged by a fit that has not seen it."""

RESAMPLES = 1000
"""Bootstrap resamples of episodes."""

_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
_BEYOND = 4.0
_NORMAL = 1.959963984540054
_INNER = 4

Rows = Float64[np.ndarray, "_ _"]


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What one set of inputs explains of held-out episodes beyond another.

    Args:
        with_it: R² with the inputs asked about.
        without: R² with the same ones shuffled, or of the mean.
        low: Lower end of the 95% interval of their difference, over resampled episodes.
        high: Upper end.
        episodes: Episodes, each held out once.
        rows: Moments in them.
    """

    with_it: float
    without: float
    low: float
    high: float
    episodes: int
    rows: int

    @property
    def gain(self) -> float:
        """Difference of the two R²."""
        return self.with_it - self.without

    @property
    def exceeds(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0


def compare(
    groups: Int64[np.ndarray, " n"],
    fold: Callable[[Int64[np.ndarray, " a"]], tuple[Sequence[Rows], Sequence[Rows], Rows]],
    seed: int,
) -> Gain | None:
    """Judge two sets of inputs out of fold.

    Args:
        groups: Episode of each row.
        fold: Given the rows to fit on, candidates for the inputs asked about [n, p], likewise for the others, and
            target [n, m] of all n rows; projections are those of the rows to fit on. Which candidate is
            taken is decided on the rows to fit on, like the penalty.
        seed: Of folds and resampling.

    Returns:
        None where nothing varies.
    """
    names = np.unique(groups)
    errors = np.zeros((len(names), 3))
    for split in fold_episodes(len(names), min(FOLDS, len(names)), seed):
        learned = np.flatnonzero(np.isin(groups, names[list(split.train)]))
        judged = np.flatnonzero(np.isin(groups, names[list(split.held_out)]))
        asked, other, target = fold(learned)
        centre = target[learned].mean(0)
        squares = [np.square(target[judged] - guess).sum(1) for guess in (
            _predicted(asked, target, groups, learned, judged),
            _predicted(other, target, groups, learned, judged),
            centre,
        )]  # fmt: skip
        for row, values in zip(groups[judged], np.stack(squares, 1), strict=True):
            errors[np.searchsorted(names, row)] += values
    if not errors[:, 2].sum() > 0:
        return None
    drawn = np.random.default_rng(seed).integers(len(names), size=(RESAMPLES, len(names)))
    sums = errors[drawn].sum(1)
    gains = (sums[:, 1] - sums[:, 0]) / np.maximum(sums[:, 2], 1e-300)
    with_it, without, total = errors.sum(0)
    centre_gain = (without - with_it) / total
    # The percentile bootstrap of few episodes is too narrow by what Student's t adds to the normal (Hesterberg 2015).
    wider = math.sqrt(len(names) / max(1, len(names) - 1)) * _student(len(names) - 1) / _NORMAL
    low, high = centre_gain + wider * (np.quantile(gains, [0.025, 0.975]) - centre_gain)
    return Gain(
        with_it=float(1 - with_it / total),
        without=float(1 - without / total),
        low=float(low),
        high=float(high),
        episodes=len(names),
        rows=len(groups),
    )


def principal(rows: Rows, learned: Int64[np.ndarray, " a"], most: int) -> Rows:
    """All rows in the leading principal components of some of them, at most `most`, in the units of `rows`."""
    centred = rows - rows[learned].mean(0)
    values, vectors = np.linalg.eigh(centred[learned].T @ centred[learned])
    kept = values[::-1][:most] > 1e-9 * max(float(values.max(initial=0.0)), 1e-300)
    return centred @ vectors[:, ::-1][:, :most][:, kept]


def scaled(rows: Rows, learned: Int64[np.ndarray, " a"]) -> Rows:
    """All rows by mean and deviation of some of them; components that do not vary in those are dropped."""
    spread = rows[learned].std(0)
    varies = spread > 1e-9 * np.maximum(1e-9, np.abs(rows[learned]).max(0, initial=0.0))
    return (rows[:, varies] - rows[learned][:, varies].mean(0)) / spread[varies]


def products(left: Rows, right: Rows) -> Rows:
    """Every component of one times every component of the other: what an action does may depend on the state."""
    return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)


def _student(freedom: int) -> float:
    """97.5% quantile of Student's t (Cornish and Fisher 1937, two terms; within 2% from 4 degrees of freedom on)."""
    z, n = _NORMAL, max(1, freedom)
    return z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)


def _predicted(
    candidates: Sequence[Rows],
    target: Rows,
    groups: Int64[np.ndarray, " n"],
    learned: Int64[np.ndarray, " a"],
    judged: Int64[np.ndarray, " b"],
) -> Rows:
    """Ridge regression (Hoerl and Kennard 1970); penalty and inputs chosen by folds over the episodes fitted on."""
    mean = target[learned].mean(0)
    best, result = math.inf, np.broadcast_to(mean, target[judged].shape)
    names = np.unique(groups[learned])
    parts = [learned[np.isin(groups[learned], part)] for part in np.array_split(names, min(_INNER, len(names)))]
    for inputs in candidates:
        # Held-out values far beyond what was learned from would dominate every square: they count as just beyond.
        x, y = np.clip(scaled(inputs, learned), -_BEYOND, _BEYOND), target - mean
        if not x.shape[1]:
            continue
        inner = [(x[rows].T @ x[rows], x[rows].T @ y[rows], float(np.square(y[rows]).sum())) for rows in parts]
        gram, moment = sum(part[0] for part in inner), sum(part[1] for part in inner)
        identity = np.eye(x.shape[1]) * len(learned)
        penalty, error = _penalty(inner, gram, moment, identity)
        if error < best:
            best, result = error, x[judged] @ np.linalg.solve(gram + penalty * identity, moment) + mean
    return result


def _penalty(
    inner: Sequence[tuple[Rows, Rows, float]], gram: Rows, moment: Rows, identity: Rows
) -> tuple[float, float]:
    """The penalty of the least error on episodes left out in turn, and that error."""
    best, least = _PENALTIES[-1], math.inf
    for penalty in _PENALTIES:
        error = 0.0
        for own_gram, own_moment, squares in inner:
            weights = np.linalg.solve(gram - own_gram + penalty * identity, moment - own_moment)
            error += squares - 2 * float((weights * own_moment).sum()) + float((weights * (own_gram @ weights)).sum())
        if error < least:
            best, least = penalty, error
    return best, least
