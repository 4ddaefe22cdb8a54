"""What the metrics share: wins of one film over another, their rows by principle and condition, their intervals."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from monde.errors import ContractError, DataError, unknown_name
from monde.evaluation.physics_sets.items import Item
from monde.evaluation.statistics import bootstrap, wilson
from monde.scorecard import Row

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One pair, quadruplet or question that was judged.

    Args:
        value: 1 for a success (or an error, where errors are counted), 0 for none, 0.5 for a tie.
        principle: As the item's.
        conditions: As the item's.
        tie: Whether it is neither.
    """

    value: float
    principle: str
    conditions: Mapping[str, str]
    tie: bool = False


@dataclass(frozen=True)
class Trials:
    """What could be judged, and the groups that could not."""

    judged: tuple[Trial, ...]
    left_out: tuple[str, ...]

    def note(self, what: str) -> str:
        """What a reader must know: how many groups were left out, which, and how many ties there were."""
        parts = []
        if self.left_out:
            more = len(self.left_out) - _SHOWN
            named = ", ".join(self.left_out[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
            parts.append(f"{len(self.left_out)} of {len(self.left_out) + len(self.judged)} {what} left out ({named})")
        ties = sum(trial.tie for trial in self.judged)
        if ties:
            parts.append(f"{ties} ties, each counted half")
        return "; ".join(parts)


def reduced(curves: Mapping[str, Sequence[float] | np.ndarray], how: Literal["mean", "max"]) -> dict[str, float]:
    """One surprise a film from its curve over time.

    Garrido et al. (arXiv 2502.11831, Section 2 and Appendix A) compare pairs by the mean over windows, and judge single
    films by the highest.

    Raises:
        ContractError: A curve that is empty or not finite; the error names the film.
    """
    for name, curve in curves.items():
        if len(curve) == 0 or not np.isfinite(np.asarray(curve, dtype=np.float64)).all():
            raise ContractError(
                f"the surprise of {name} is unusable", got=curve, expected="finite numbers, at least one"
            )
    reduce = np.mean if how == "mean" else np.max
    return {name: float(reduce(np.asarray(curve, dtype=np.float64))) for name, curve in curves.items()}


def labelled(items: Sequence[Item]) -> list[Item]:
    """The items that have a label.

    Raises:
        DataError: Labels are withheld.
    """
    found = [item for item in items if item.possible is not None]
    if not found:
        raise DataError(
            "the labels of this set are withheld, so there is nothing to score against",
            got=f"{len(items)} films without labels",
            remedy="score a split with labels (IntPhys dev, IntPhys 2 Main), or send the surprises to the set's makers",
        )
    return found


def judged(items: Sequence[Item], surprise: Mapping[str, float]) -> list[Item]:
    """The items that have a label and a surprise.

    Raises:
        DataError: Labels are withheld, or no item has a surprise.
        ContractError: A surprise of an item that is not in the set, or one that is not finite.
    """
    known = {item.id for item in items}
    for name, value in surprise.items():
        if name not in known:
            raise unknown_name("item", name, sorted(known)[:_SHOWN], ContractError)
        if not math.isfinite(value):
            raise ContractError(f"the surprise of {name} is not finite", got=value, expected="a finite number")
    found = [item for item in labelled(items) if item.id in surprise]
    if not found:
        raise DataError("no film with a label has a surprise", got=f"{len(surprise)} surprises", expected="one a film")
    return found


def grouped(items: Iterable[Item], by_pair: bool) -> dict[str, list[Item]]:
    """Items by pair (those that have one), or by group."""
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        name = item.pair if by_pair else item.group
        if name is not None:
            groups[name].append(item)
    return groups


def pair_trials(items: Sequence[Item], surprise: Mapping[str, float]) -> Trials:
    """Whether the impossible film of each pair surprises more. Ties count half.

    Pairs of which a film is missing or has no surprise are left out.
    """
    scored = grouped(judged(items, surprise), by_pair=True)
    trials, left_out = [], []
    for name in grouped((item for item in items if item.possible is not None), by_pair=True):
        two = {item.possible: item for item in scored.get(name, [])}
        if len(two) < 2 or len(scored[name]) > 2:
            left_out.append(name)
            continue
        value = beats(surprise[two[False].id], surprise[two[True].id])
        one = two[True]
        trials.append(Trial(value=value, principle=one.principle, conditions=one.conditions, tie=value == 0.5))
    return Trials(tuple(trials), tuple(left_out))


def beats(impossible: float, possible: float) -> float:
    """1 where the impossible film surprises more, 0.5 at a tie, else 0."""
    return 0.5 if impossible == possible else float(impossible > possible)


def rows_of(metric: str, trials: Trials, chance: float, note: str, what: str) -> list[Row]:
    """A metric over all trials, as the plain mean over principles, by principle, by condition, and by both.

    Intervals are Wilson's over trials; that of the mean over principles is put together from theirs (Zou and Donner
    2008, "MOVER").

    Raises:
        DataError: Nothing could be judged.
    """
    if not trials.judged:
        raise DataError(
            f"nothing is left for {metric}", got=trials.note(what), remedy="fetch the films that the report names"
        )
    told = "; ".join(part for part in (note, trials.note(what)) if part)
    floors = {"chance": chance}
    groups: dict[str, list[float]] = defaultdict(list)
    for trial in trials.judged:
        groups["all"].append(trial.value)
        groups[trial.principle].append(trial.value)
        for key, grade in trial.conditions.items():
            groups[f"{key}={grade}"].append(trial.value)
            groups[f"{trial.principle}/{key}={grade}"].append(trial.value)
    principles = sorted({trial.principle for trial in trials.judged})
    conditions = sorted(name for name in groups if name != "all" and name not in principles)
    rows = [_row(f"{metric}/{name}", groups[name], floors, told) for name in ("all", *principles, *conditions)]
    if len(principles) > 1:
        parts = rows[1 : 1 + len(principles)]
        value, interval = _mean_of(parts)
        n = len(trials.judged)
        note_of_mean = f"mean over {len(principles)} principles; {told}"
        mean = Row(metric=f"{metric}/mean", value=value, interval=interval, n=n, floors=floors, note=note_of_mean)
        rows.insert(1, mean)
    return rows


def _row(metric: str, values: list[float], floors: Mapping[str, float], note: str) -> Row:
    total, n = sum(values), len(values)
    return Row(metric=metric, value=total / n, interval=wilson(total, n), n=n, floors=floors, note=note)


def _mean_of(rows: Sequence[Row]) -> tuple[float, tuple[float, float]]:
    value = sum(row.value for row in rows) / len(rows)
    bounds = [(row.value, *row.interval) for row in rows if row.interval is not None]
    below = math.sqrt(sum((share - low) ** 2 for share, low, _ in bounds)) / len(rows)
    above = math.sqrt(sum((high - share) ** 2 for share, _, high in bounds)) / len(rows)
    return value, (max(0.0, value - below), min(1.0, value + above))


def area_error(
    items: Sequence[Item], surprise: Mapping[str, float], seed: int
) -> tuple[float, tuple[float, float] | None]:
    """1 − area under the ROC curve of telling possible films by low surprise, ties counted half; and its interval.

    The interval resamples whole groups (quadruplets); none where there is a single one.

    Raises:
        DataError: Only possible or only impossible films.
    """
    names = {name: number for number, name in enumerate(sorted({item.group for item in items}))}
    table = np.array([(float(item.possible is True), surprise[item.id]) for item in items], dtype=np.float64)
    clusters = np.array([names[item.group] for item in items])
    value = _area_error(table)
    if math.isnan(value):
        raise DataError(
            "the area under the ROC curve needs possible and impossible films", got=f"{len(items)} of one kind"
        )
    interval = bootstrap(table, _area_error, seed, clusters) if len(names) > 1 else None
    return value, interval


def _area_error(table: np.ndarray) -> float:
    possible, impossible = table[table[:, 0] == 1, 1], table[table[:, 0] == 0, 1]
    if len(possible) == 0 or len(impossible) == 0:
        return math.nan
    wrong, level = impossible[:, None] < possible[None, :], impossible[:, None] == possible[None, :]
    return float((wrong + 0.5 * level).mean())
