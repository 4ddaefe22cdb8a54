"""Intervals and coefficients. Every bootstrap resamples whole clusters (episodes): frames of one episode are not
independent."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Shaped

from monde.errors import ContractError

RESAMPLES = 1000
"""Bootstrap resamples of one interval."""

Z95 = 1.959963984540054
"""Two-sided 95% quantile of the normal distribution."""


def wilson(successes: float, n: int) -> tuple[float, float]:
    """95% interval of a proportion (Wilson 1927, score interval); it stays within 0 to 1 and is honest near both ends.

    A tie may count as half a success.

    Raises:
        ContractError: Not 0 ≤ successes ≤ n with n ≥ 1.
    """
    if not (n >= 1 and 0 <= successes <= n):
        raise ContractError("this is no proportion", got=f"{successes} of {n}", expected="0 ≤ successes ≤ n, n ≥ 1")
    share = successes / n
    scale = 1 + Z95**2 / n
    centre = (share + Z95**2 / (2 * n)) / scale
    half = Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n)) / scale
    return max(0.0, centre - half), min(1.0, centre + half)


def auroc(scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]) -> float:
    """Area under the ROC curve: the probability that a positive has a higher score than a negative, ties half (Mann
    and Whitney 1947); NaN where all are of one kind."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return math.nan
    ranks = mean_ranks(scores)
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def mean_ranks(values: Float[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Ranks from 1 to n; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Float64[np.ndarray, " n"] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks


def bootstrap(
    rows: Shaped[np.ndarray, "n ..."],
    statistic: Callable[[np.ndarray], float],
    seed: int,
    clusters: Int[np.ndarray, " n"] | None = None,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """95% percentile interval of `statistic` over rows, resampled with replacement (Efron 1979).

    Args:
        rows: What was measured, one row each.
        statistic: Of rows resampled likewise. Resamples where it is NaN (a correlation of a constant) are left out.
        seed: Of the resampling.
        clusters: Cluster (episode) of each row; whole clusters are resampled. By default each row is its own.
        resamples: How many.

    Raises:
        ContractError: No rows, clusters that do not line up, or a statistic that is never a number.
    """
    if len(rows) == 0 or (clusters is not None and len(clusters) != len(rows)):
        raise ContractError(
            "there is nothing to resample",
            got=f"{len(rows)} rows, {'no' if clusters is None else len(clusters)} clusters",
            expected="at least one row, and one cluster per row",
        )
    labels = np.arange(len(rows)) if clusters is None else clusters
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=labels[order[0]] - 1))
    members = np.split(order, starts[1:])
    generator = np.random.default_rng(seed)
    values = np.empty(resamples)
    for index in range(resamples):
        drawn = generator.integers(len(members), size=len(members))
        values[index] = statistic(rows[np.concatenate([members[cluster] for cluster in drawn])])
    values = values[~np.isnan(values)]
    if len(values) == 0:
        raise ContractError("the statistic is not a number in any resample", remedy="measure over more rows")
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def rmse_interval(
    errors: Float[np.ndarray, "n k"], seed: int, clusters: Int[np.ndarray, " n"]
) -> tuple[float, tuple[float, float]]:
    """Root mean squared error per component over [n, k] errors, and its cluster bootstrap interval."""
    squared = np.square(errors).mean(1)
    return math.sqrt(float(squared.mean())), bootstrap(
        squared, lambda rows: math.sqrt(float(rows.mean())), seed, clusters
    )


def mean_interval(
    values: Float[np.ndarray, " n"], seed: int, clusters: Int[np.ndarray, " n"] | None = None
) -> tuple[float, tuple[float, float]]:
    """Mean, and its cluster bootstrap interval."""
    return float(values.mean()), bootstrap(values, lambda rows: float(rows.mean()), seed, clusters)


def r_squared(truth: Float[np.ndarray, "n k"], read: Float[np.ndarray, "n k"]) -> float:
    """Coefficient of determination, averaged over components that vary; NaN if none does."""
    residual = np.square(truth - read).sum(0)
    total = np.square(truth - truth.mean(0)).sum(0)
    varies = total > 1e-12
    return float((1 - residual[varies] / total[varies]).mean()) if varies.any() else math.nan


def pearson(truth: Float[np.ndarray, "n k"], read: Float[np.ndarray, "n k"]) -> float:
    """Pearson's r, averaged over components; a component that is read as a constant has r = 0; NaN if truth is."""
    a, b = truth - truth.mean(0), read - read.mean(0)
    a_norm, b_norm = np.sqrt(np.square(a).sum(0)), np.sqrt(np.square(b).sum(0))
    varies = a_norm > 1e-12
    if not varies.any():
        return math.nan
    product = np.where(b_norm > 1e-12, (a * b).sum(0) / np.maximum(a_norm * b_norm, 1e-30), 0.0)
    return float(product[varies].mean())


def kendall_tau(a: Shaped[np.ndarray, " n"], b: Shaped[np.ndarray, " n"]) -> float:
    """Kendall's τ-b (1945): agreement of two orderings of n things, corrected for ties; NaN if either is all ties.

    All pairs are compared: O(n²) time and memory.
    """
    upper = np.triu_indices(len(a), 1)
    first = np.sign(a[:, None] - a[None, :])[upper]
    second = np.sign(b[:, None] - b[None, :])[upper]
    untied = math.sqrt(float((first != 0).sum()) * float((second != 0).sum()))
    return float((first * second).sum()) / untied if untied else math.nan
