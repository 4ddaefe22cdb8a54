"""How good probabilities are: Brier score and skill, area under the ROC curve, calibration error."""

import math

import numpy as np
from jaxtyping import Bool, Float, Int

from monde.evaluation.statistics import auroc, bootstrap, mean_ranks
from monde.scorecard import Row

BINS = 10
"""Bins of equal numbers of rows in which the calibration error is measured, equal probabilities apart."""


def brier(probability: Float[np.ndarray, " n"], reached: Bool[np.ndarray, " n"]) -> float:
    """Mean squared error of a probability (Brier 1950)."""
    return float(np.square(probability - reached).mean())


def brier_skill(probability: Float[np.ndarray, " n"], reached: Bool[np.ndarray, " n"]) -> float:
    """1 - Brier score over that of always saying the base rate of these very rows; NaN where all came to the same."""
    share = float(reached.mean())
    base = share * (1 - share)
    return 1 - brier(probability, reached) / base if base > 0 else math.nan


def calibration_error(probability: Float[np.ndarray, " n"], reached: Bool[np.ndarray, " n"]) -> float:
    """Mean distance between what was said and what happened, over bins of equal numbers of rows; rows of one
    probability lie in one bin."""
    n = len(probability)
    bins = ((mean_ranks(probability) - 0.5) / n * min(BINS, n)).astype(int)
    return float(np.abs(np.bincount(bins, probability - reached)).sum()) / n


def calibration_rows(
    probability: Float[np.ndarray, " n"],
    reached: Bool[np.ndarray, " n"],
    seed: int,
    groups: Int[np.ndarray, " n"] | None = None,
    suffix: str = "",
) -> list[Row]:
    """Rows `base_success`, `brier`, `calibration_error`, and, where some succeeded and some failed, `brier_skill` and
    `auroc`; bootstrap intervals over episodes (whole `groups`, where given)."""
    pairs = np.stack([probability, reached.astype(float)], 1)
    n, share = len(pairs), float(reached.mean())

    def row(metric: str, value: float, floors: dict[str, float], note: str) -> Row:
        def again(sample: np.ndarray) -> float:
            return STATISTICS[metric](sample[:, 0], sample[:, 1] > 0.5)

        interval = bootstrap(pairs, again, seed, groups)
        return Row(metric=metric + suffix, value=value, interval=interval, n=n, floors=floors, note=note)

    rows = [
        row("base_success", share, {}, "episodes that reached their goal"),
        row("brier", brier(probability, reached), {"base rate": share * (1 - share)}, "of the probability; 0 is best"),
        row("calibration_error", calibration_error(probability, reached), {}, f"{BINS} bins of equal numbers"),
    ]
    if 0 < share < 1:
        note = "1 - Brier score over that of the base rate of these episodes"
        rows.append(row("brier_skill", brier_skill(probability, reached), {"base rate": 0.0}, note))
        rows.append(row("auroc", auroc(probability, reached), {"chance": 0.5}, "successes against failures"))
    return rows


STATISTICS = {
    "base_success": lambda probability, reached: float(reached.mean()),
    "brier": brier,
    "calibration_error": calibration_error,
    "brier_skill": brier_skill,
    "auroc": auroc,
}
"""By metric."""
