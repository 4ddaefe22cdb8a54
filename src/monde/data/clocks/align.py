"""Samples with times of their own, aligned to steps by a declared rule. What comes after a step cannot change it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from monde.data.clocks.rules import Rule
from monde.errors import ContractError
from monde.spatial import interpolate


@dataclass(frozen=True)
class Alignment:
    """Which samples stand for which steps.

    Args:
        first: [T] index of the sample of each step, or of the earlier of two that it lies between; 0 where not valid.
        second: [T] index of the later of the two; equal to `first` where there is one.
        share: [T] how far from the earlier to the later, 0 to 1.
        age_seconds: [T] how much older than the step the sample is (negative: it lies ahead); 0 where not valid.
        valid: [T] whether there is a sample.
    """

    first: Int64[np.ndarray, " T"]
    second: Int64[np.ndarray, " T"]
    share: Float64[np.ndarray, " T"]
    age_seconds: Float64[np.ndarray, " T"]
    valid: Bool[np.ndarray, " T"]

    @property
    def samples(self) -> Int64[np.ndarray, " n"]:
        """Every sample that stands for a step, once, in order."""
        return np.unique(np.concatenate([self.first[self.valid], self.second[self.valid]]))


def align(samples: Float64[np.ndarray, " N"], steps: Float64[np.ndarray, " T"], rule: Rule) -> Alignment:
    """Align samples taken at some times to steps.

    Of samples with equal times the last counts. A causal rule decides about a step from samples at or before it alone.

    Args:
        samples: When each was taken, in order; seconds on the clock of `steps`.
        steps: The steps, in any order.
        rule: Which sample stands for a step.

    Raises:
        ContractError: Times that are not finite or go back.
    """
    if not np.isfinite(samples).all() or bool((np.diff(samples) < 0).any()):
        raise ContractError("the times of samples are not in order", expected="finite, each ≥ the one before")
    if not len(samples):
        nothing = np.zeros(len(steps), dtype=np.int64)
        return Alignment(nothing, nothing, np.zeros(len(steps)), np.zeros(len(steps)), np.zeros(len(steps), dtype=bool))
    newest = np.searchsorted(samples, steps, side="right") - 1
    held = _held(samples, steps, newest, rule)
    return _between(samples, steps, newest, held, rule) if rule.kind == "interpolate" else held


def mixed_poses(
    first: Float64[np.ndarray, "T 7"], second: Float64[np.ndarray, "T 7"], share: Float64[np.ndarray, " T"]
) -> Float64[np.ndarray, "T 7"]:
    """The poses that an alignment with the rule "interpolate" stands for; a single sample is returned as it is."""
    between = interpolate(first, second, share)
    return np.where((share > 0)[:, None], between, first)


def _held(
    samples: Float64[np.ndarray, " N"], steps: Float64[np.ndarray, " T"], newest: Int64[np.ndarray, " T"], rule: Rule
) -> Alignment:
    """One sample for each step: the newest, or the next where the rule may look ahead and it is nearer."""
    chosen = newest.clip(0)
    age = np.where(newest >= 0, steps - samples[chosen], np.inf)
    if rule.ahead_seconds:
        # Of several of that time the last, as everywhere.
        following = np.searchsorted(samples, samples[(newest + 1).clip(max=len(samples) - 1)], side="right") - 1
        ahead = samples[following] - steps
        nearer = (ahead > 0) & (ahead <= rule.ahead_seconds) & (ahead < age)
        chosen, age = np.where(nearer, following, chosen), np.where(nearer, -ahead, age)
    most = np.inf if rule.tolerance_seconds is None else rule.tolerance_seconds
    valid = np.isfinite(age) & (np.abs(age) <= most)
    chosen = np.where(valid, chosen, 0)
    return Alignment(chosen, chosen, np.zeros(len(steps)), np.where(valid, age, 0.0), valid)


def _between(
    samples: Float64[np.ndarray, " N"],
    steps: Float64[np.ndarray, " T"],
    newest: Int64[np.ndarray, " T"],
    held: Alignment,
    rule: Rule,
) -> Alignment:
    moments = steps - rule.delay_seconds
    earlier = np.searchsorted(samples, moments, side="right") - 1
    # The last of equal times is the earlier one, so that the next is later.
    known = (earlier >= 0) & (earlier + 1 <= newest)
    first = np.where(known, earlier, 0)
    second = np.where(known, earlier + 1, 0)
    gap = samples[second] - samples[first]
    most = np.inf if rule.tolerance_seconds is None else rule.tolerance_seconds
    known &= (gap > 0) & (gap <= most)
    share = np.where(known, (moments - samples[first]) / np.where(gap > 0, gap, 1.0), 0.0)
    return Alignment(
        np.where(known, first, held.first),
        np.where(known, second, held.second),
        share,
        np.where(known, rule.delay_seconds, held.age_seconds),
        known | held.valid,
    )
