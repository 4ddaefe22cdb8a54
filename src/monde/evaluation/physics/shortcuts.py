"""What it takes no physics to score on minimal pairs: looks of single frames, and how much moves.

A set of films is only worth a model's score if these stay at chance; where they cannot, the model must beat them
(Riochet et al., arXiv 1803.07616, section on low-level baselines).
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int64

from monde.errors import ContractError
from monde.evaluation.statistics import bootstrap
from monde.worlds.scenes.pairs import PairSet

CELLS = 8
"""Frames are averaged down to 8 × 8 colours for classifiers."""

FRAMES = 8
"""Frames of each film, drawn at random, that a single-frame classifier learns from. It judges all, one by one."""

FOLDS = 5
"""Parts of the sets; each is judged by what was learned on the others."""

_RIDGE = 1e-2
_NEWTON_STEPS = 8


@dataclass(frozen=True, kw_only=True)
class ShortcutScore:
    """How often a shortcut finds the impossible film of a pair.

    Args:
        check: `frame` (logistic regression on single frames, any of the one film against any of the other), `frame_set`
            (on the mean frame before the event and after it), `motion_sum` or `motion_max` (more change is called
            impossible; below one half is as telling as above).
        accuracy: Of all pairs of a possible and an impossible film of one set; ties count half.
        interval: 95%, over sets.
        n: Sets.
    """

    check: str
    accuracy: float
    interval: tuple[float, float]
    n: int

    @property
    def at_chance(self) -> bool:
        """Whether the interval contains one half."""
        return self.interval[0] <= 0.5 <= self.interval[1]


@dataclass(frozen=True, kw_only=True, repr=False)
class Features:
    """What shortcuts see of n sets of four films.

    Args:
        drawn: [n, 4, F, d] random frames, averaged down, to learn from.
        frames: [n, 4, T, d] all frames, to judge.
        halves: [n, 4, 2 d] mean frame before the event and after it, averaged down.
        motion_sum: [n, 4] sum of |frame difference| over a film, in grey levels.
        motion_max: [n, 4] the greatest from one frame to the next.
        possible: [n, 4].
    """

    drawn: Float32[np.ndarray, "n 4 F d"]
    frames: Float32[np.ndarray, "n 4 T d"]
    halves: Float32[np.ndarray, "n 4 d2"]
    motion_sum: Int64[np.ndarray, "n 4"]
    motion_max: Int64[np.ndarray, "n 4"]
    possible: Bool[np.ndarray, "n 4"]


def features(pairs: PairSet, seed: int = 0) -> Features:
    """What shortcuts see of these pairs; `seed` draws the frames."""
    n, films, T = pairs.films.shape[:3]
    drawn = np.empty((n, films, min(FRAMES, T), 3 * CELLS**2), dtype=np.float32)
    frames = np.empty((n, films, T, 3 * CELLS**2), dtype=np.float32)
    halves = np.empty((n, films, 2 * 3 * CELLS**2), dtype=np.float32)
    change = np.empty((n, films, T - 1), dtype=np.int64)
    for row in range(n):
        # Of the set's own name: draws that repeat from one call to the next would be learned in place of the frames.
        generator = np.random.default_rng([seed, zlib.crc32(pairs.ids[row].encode())])
        small = frames[row] = _averaged(pairs.films[row])
        for k in range(films):
            drawn[row, k] = small[k, generator.permutation(T)[:FRAMES]]
        # In halves at the event: a cut elsewhere would only blur what there is to see.
        event = int(pairs.event_frame[row])
        halves[row] = np.concatenate([small[:, :event].mean(1), small[:, event:].mean(1)], axis=1)
        wide = pairs.films[row].astype(np.int16)
        change[row] = np.abs(np.diff(wide, axis=1)).sum(axis=(2, 3, 4), dtype=np.int64)
    return Features(
        drawn=drawn,
        frames=frames,
        halves=halves,
        motion_sum=change.sum(axis=2),
        motion_max=change.max(axis=2),
        possible=pairs.possible,
    )


def shortcut_scores(parts: Iterable[Features], seed: int = 0) -> tuple[ShortcutScore, ...]:
    """All four shortcuts on sets whose features were taken a few at a time.

    Raises:
        ContractError: Fewer sets than folds.
    """
    every = list(parts)
    n = sum(len(part.possible) for part in every)
    if n < FOLDS:
        raise ContractError("too few sets to learn and judge on", got=n, expected=f"at least {FOLDS}")
    possible = np.concatenate([part.possible for part in every])
    frames = np.concatenate([part.frames for part in every])
    drawn = np.concatenate([part.drawn for part in every])
    halves = np.concatenate([part.halves for part in every])[:, :, None]
    scores = {
        "frame": _cross_validated(drawn, frames, possible, seed),
        "frame_set": _cross_validated(halves, halves, possible, seed),
        "motion_sum": np.concatenate([part.motion_sum for part in every])[..., None].astype(np.float64),
        "motion_max": np.concatenate([part.motion_max for part in every])[..., None].astype(np.float64),
    }
    return tuple(_score(check, values, possible, seed) for check, values in scores.items())


def pairwise(scores: Float[np.ndarray, "n m"], possible: Bool[np.ndarray, "n m"]) -> Float64[np.ndarray, " n"]:
    """[n] share of the pairs of a possible and an impossible film of one set in which the impossible one scores higher;
    ties count half.

    Raises:
        ContractError: Shapes that differ, scores that are not finite, or a set without either kind.
    """
    if scores.shape != possible.shape or not np.isfinite(scores).all():
        raise ContractError(
            "these scores cannot be compared",
            got=f"{scores.shape}, {int((~np.isfinite(scores)).sum())} not finite",
            expected=f"{possible.shape}, finite",
        )
    if not (possible.any(axis=1) & ~possible.all(axis=1)).all():
        raise ContractError("a set has no possible or no impossible film")
    # Sums of equal numbers in another order differ in their last bits: that is a tie.
    tie = 1e-9 * max(1.0, float(np.abs(scores).max()))
    gap = scores[:, :, None] - scores[:, None, :]
    won = np.where(np.abs(gap) <= tie, 0.5, gap > 0)
    counts = ~possible[:, :, None] & possible[:, None, :]
    return (won * counts).sum(axis=(1, 2)) / counts.sum(axis=(1, 2))


def _score(
    check: str, values: Float[np.ndarray, "n 4 F"], possible: Bool[np.ndarray, "n 4"], seed: int
) -> ShortcutScore:
    # Every frame of an impossible film against every one of a possible film. Sums over a few frames drawn at random
    # would not do: a film that shows more has a noisier sum, and so equal means no longer make even odds.
    F = values.shape[2]
    rows = [pairwise(v.reshape(1, -1), np.repeat(p, F)[None]) for v, p in zip(values, possible, strict=True)]
    won = np.concatenate(rows)
    interval = bootstrap(won, lambda rows: float(rows.mean()), seed)
    return ShortcutScore(check=check, accuracy=float(won.mean()), interval=interval, n=len(won))


def _averaged(films: np.ndarray) -> Float32[np.ndarray, "k T d"]:
    """Films [k, T, 3, h, w] averaged down to CELLS × CELLS, flat, 0 to 1."""
    k, T, channels, h, w = films.shape
    rows, columns = h // CELLS, w // CELLS
    cut = films[..., : rows * CELLS, : columns * CELLS]
    cells = cut.reshape(k, T, channels, CELLS, rows, CELLS, columns).sum(axis=(4, 6), dtype=np.int64)
    return (cells / (255.0 * rows * columns)).astype(np.float32).reshape(k, T, -1)


def _cross_validated(
    inputs: Float32[np.ndarray, "n k F d"],
    judged: Float32[np.ndarray, "n k T d"],
    possible: Bool[np.ndarray, "n k"],
    seed: int,
) -> Float64[np.ndarray, "n k T"]:
    """[n, k, T] log odds of each judged frame to be of an impossible film, learned from the inputs of other sets."""
    n, k, F, d = inputs.shape
    T = judged.shape[2]
    fold = np.random.default_rng([seed, n]).permutation(n) % FOLDS
    scores = np.empty((n, k, T))
    for part in range(FOLDS):
        train, test = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
        labels = np.repeat(~possible[train], F, axis=1).reshape(-1)
        weights, mean, scale = _logistic(inputs[train].reshape(-1, d), labels)
        shown = (judged[test].reshape(-1, d) - mean) / scale
        scores[test] = (shown @ weights).reshape(len(test), k, T)
    return scores


def _logistic(
    inputs: Float32[np.ndarray, "m d"], labels: Bool[np.ndarray, " m"]
) -> tuple[Float64[np.ndarray, " d"], Float64[np.ndarray, " d"], Float64[np.ndarray, " d"]]:
    """Logistic regression with a ridge, by Newton's method: weights of standardised inputs, their mean and scale.

    There is no intercept: it is the same for both films of a pair.
    """
    mean = inputs.mean(axis=0, dtype=np.float64)
    scale = inputs.std(axis=0, dtype=np.float64) + 1e-3
    x = (inputs - mean) / scale
    weights = np.zeros(x.shape[1])
    ridge = _RIDGE * len(x) * np.eye(x.shape[1])
    for _ in range(_NEWTON_STEPS):
        share = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (share - labels) + ridge @ weights
        curve = (x * (share * (1 - share))[:, None]).T @ x + ridge
        step = np.linalg.solve(curve, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-6:
            break
    return weights, mean, scale
