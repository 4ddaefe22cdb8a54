"""Minimal pairs scored by surprise: how often the impossible film is the more surprising one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from monde.errors import ContractError
from monde.evaluation.physics.shortcuts import pairwise
from monde.evaluation.statistics import auroc, bootstrap
from monde.scorecard import Row
from monde.worlds.minimal_pairs import GRADES, principles
from monde.worlds.scenes import make_pairs

CHUNK = 16
"""Sets in memory at once."""

FilmScorer = Callable[[UInt8[np.ndarray, "n T 3 h w"], float], Float64[np.ndarray, " n"]]
"""One number a film, the higher the less plausible, of n films and their rate in Hz."""


@dataclass(frozen=True, kw_only=True)
class PairsConfig:
    """Which pairs are judged.

    Args:
        space: 2d or 3d.
        principles: Names; empty for all.
        grades: easy, hidden, long-hidden.
        sets: Of four films, of each principle and grade.
        seed: Of the sets and of resampling.
        split: Whose objects, colours and speeds; `train` for choosing how to judge, never for figures.

    Raises:
        ContractError: No sets or no grades.
    """

    space: str = "2d"
    principles: tuple[str, ...] = ()
    grades: tuple[str, ...] = GRADES
    sets: int = 100
    seed: int = 0
    split: str = "test"

    def __post_init__(self) -> None:
        if self.sets < 2 or not self.grades:
            raise ContractError("PairsConfig judges nothing", got=self, expected="2 or more sets, at least one grade")

    @property
    def cases(self) -> tuple[tuple[str, str], ...]:
        """(principle, grade), in order."""
        names = self.principles or tuple(known.name for known in principles())
        return tuple((name, grade) for name in names for grade in self.grades)


def score_pairs(
    scorers: Mapping[str, FilmScorer],
    config: PairsConfig | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Row, ...]:
    """Pairwise accuracy and the area under the ROC curve of single films, per principle and grade.

    Rows `pairwise/<space>/<principle>/<grade>` and `auroc/…` tell of the first scorer, with the others as floors;
    the others have rows of their own, `<name>/<space>/<principle>/<grade>`. `pairwise/<space>/mean/<grade>` is the mean
    over principles, its interval over sets drawn anew within each.

    Args:
        scorers: By name; the first is judged.
        config: Which pairs.
        progress: Told (cases done, cases).

    Raises:
        UsageError: An unknown principle, grade or split.
        ContractError: Scores that are not finite.
    """
    chosen = config or PairsConfig()
    tell = progress or (lambda done, wanted: None)
    judged, *floors = scorers
    rows: list[Row] = []
    won: dict[str, list[dict[str, Float64[np.ndarray, " n"]]]] = {grade: [] for grade in chosen.grades}
    tell(0, len(chosen.cases))
    for done, (principle, grade) in enumerate(chosen.cases, start=1):
        scores, possible = _scores(scorers, chosen, principle, grade)
        accuracy = {name: pairwise(values, possible) for name, values in scores.items()}
        won[grade].append(accuracy)
        shown = {"chance": 0.5, **{name: float(accuracy[name].mean()) for name in floors}}
        case = f"{chosen.space}/{principle}/{grade}"
        rows.append(_row(f"pairwise/{case}", accuracy[judged], shown, chosen.seed))
        rows += [_row(f"{name}/{case}", accuracy[name], {"chance": 0.5}, chosen.seed) for name in floors]
        area, interval = _auroc(scores[judged], possible, chosen.seed)
        rows.append(Row(metric=f"auroc/{case}", value=area, interval=interval, n=len(possible), floors={"chance": 0.5}))
        tell(done, len(chosen.cases))
    return (*rows, *(_mean(chosen, grade, judged, won[grade]) for grade in chosen.grades))


def _scores(
    scorers: Mapping[str, FilmScorer], config: PairsConfig, principle: str, grade: str
) -> tuple[dict[str, Float64[np.ndarray, "n 4"]], Bool[np.ndarray, "n 4"]]:
    found: dict[str, list[np.ndarray]] = {name: [] for name in scorers}
    possible = []
    for first in range(0, config.sets, CHUNK):
        n = min(CHUNK, config.sets - first)
        pairs = make_pairs(principle, grade, n, config.seed, split=config.split, first=first, space=config.space)
        films = pairs.films.reshape(-1, *pairs.films.shape[2:])
        for name, scorer in scorers.items():
            found[name].append(scorer(films, pairs.rate_hz).reshape(n, -1))
        possible.append(pairs.possible)
    return {name: np.concatenate(parts) for name, parts in found.items()}, np.concatenate(possible)


def _row(metric: str, won: Float64[np.ndarray, " n"], floors: dict[str, float], seed: int) -> Row:
    interval = bootstrap(won, lambda rows: float(rows.mean()), seed)
    return Row(metric=metric, value=float(won.mean()), interval=interval, n=len(won), floors=floors)


def _mean(config: PairsConfig, grade: str, judged: str, won: Sequence[Mapping[str, Float64[np.ndarray, " n"]]]) -> Row:
    """Over principles; `won` holds each one's scorers by name."""
    stacked = np.stack([accuracy[judged] for accuracy in won], axis=1)  # [sets, principles]
    floors = {name: float(np.mean([accuracy[name].mean() for accuracy in won])) for name in won[0] if name != judged}
    generator = np.random.default_rng(config.seed)
    n, P = stacked.shape
    drawn = [stacked[generator.integers(n, size=(n, P)), np.arange(P)].mean() for _ in range(1000)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Row(
        metric=f"pairwise/{config.space}/mean/{grade}",
        value=float(stacked.mean()),
        interval=(float(low), float(high)),
        n=n * P,
        floors={"chance": 0.5, **floors},
    )


def _auroc(
    scores: Float64[np.ndarray, "n 4"], possible: Bool[np.ndarray, "n 4"], seed: int
) -> tuple[float, tuple[float, float]]:
    both = np.stack([scores, possible.astype(np.float64)], axis=-1)  # [n, 4, 2]
    return _area(both), bootstrap(both, _area, seed)


def _area(both: Float64[np.ndarray, "n 4 2"]) -> float:
    """Any impossible film of any set against any possible one."""
    return auroc(both[..., 0].ravel(), both[..., 1].ravel() == 0)
