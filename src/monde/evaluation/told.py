"""What agents that tell their chances, or that they see no way, came to: rows beside those of control."""

from collections import Counter

import numpy as np

from monde.agents import EpisodeResults
from monde.evaluation.calibration import calibration_rows
from monde.evaluation.statistics import mean_interval, wilson
from monde.scorecard import Row

JUDGED_BY_NOBODY = ("success_probability", "abstained")
"""What trust tells of episodes that have no test of success."""


def trust_rows(planned: list[EpisodeResults], seed: int) -> list[Row]:
    """`success_probability` where it was told; how good it was, where all acted; `abstained` and `success_when_acting`
    where some did not."""
    told = [result.success_probability for result in planned]
    known = [probability for probability in told if probability is not None]
    if len(known) < len(planned) or not known:
        return []
    # A row that is at its goal when it begins plans nothing and is told nothing.
    probability = np.concatenate(known)
    asked = ~np.isnan(probability)
    if not asked.any():
        return []
    probability, success = probability[asked], np.concatenate([result.success for result in planned])[asked]
    every = [reason for result in planned for reason in result.abstained or (None,) * len(result.seeds)]
    reasons = [reason for reason, told in zip(every, asked, strict=True) if told]
    mean, interval = mean_interval(probability, seed)
    acted = np.array([reason is None for reason in reasons])
    n, note = len(success), "mean of what was told before the first block"
    rows = [Row(metric="success_probability", value=mean, interval=interval, n=n, note=note)]
    if acted.all():
        # Without successes and failures there is nothing to be calibrated to.
        return rows + calibration_rows(probability, success, seed)[1:]
    given_up = int((~acted).sum())
    kinds = Counter(type(reason).__name__ for reason in reasons if reason is not None)
    first = next(reason for reason in reasons if reason is not None)
    note = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) + f"; the first is {first}"
    rows.append(Row(metric="abstained", value=given_up / n, interval=wilson(given_up, n), n=n, note=note))
    if acted.any():
        reached, tried = int(success[acted].sum()), int(acted.sum())
        note = "of the episodes that were tried; an episode that was not counts as failed in `success`"
        row = Row(
            metric="success_when_acting", value=reached / tried, interval=wilson(reached, tried), n=tried, note=note
        )
        rows.append(row)
    return rows


def way_rows(planned: list[EpisodeResults]) -> list[Row]:
    """`no_way` where a guide found none: the share of the episodes whose last plan knew no way to the goal, and why."""
    lost = [reason for result in planned for reason in result.lost if reason is not None]
    if not lost:
        return []
    n = sum(len(result.seeds) for result in planned)
    note = "; ".join(f"{count} of {n}: the goal {reason}" for reason, count in Counter(lost).most_common())
    return [Row(metric="no_way", value=len(lost) / n, interval=wilson(len(lost), n), n=n, note=note)]
