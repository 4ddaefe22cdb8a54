"""Minimal pairs as the page shows them: accuracy by principle and grade, and films with their surprise below."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from monde.evaluation.surprised import SurprisedFilms
from monde.report.figures import Figure, figure
from monde.report.horizons import horizon_charts
from monde.report.page import Chart
from monde.report.pictures import Movie, movie
from monde.scorecard import Row, Scorecard

MEAN = "mean"
"""What the rows of all principles together are called."""

MAX_SETS = 30
"""Sets shown."""

CURVE_WIDTH, CURVE_HEIGHT = 100, 30
"""Of the drawing of a curve, in its own units."""

_SECONDS = re.compile(r"/\d+(\.\d+)?$")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A principle at a grade, in a space."""

    space: str
    principle: str
    grade: str

    @property
    def name(self) -> str:
        """As rows name it."""
        return f"{self.space}/{self.principle}/{self.grade}"


@dataclass(frozen=True)
class Line:
    """One principle: what is shown at each grade, or none."""

    principle: str
    figures: tuple[Figure | None, ...]
    areas: tuple[Figure | None, ...]


@dataclass(frozen=True)
class PhysicsTable:
    """Principles × grades of one space."""

    space: str
    grades: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class FilmCurve:
    """One film and its curve: points of a line, and where the event is and what was hidden before, in percent."""

    possible: bool
    movie: Movie
    points: str
    zero: float
    event: float
    hidden: tuple[float, float]
    peak: str


@dataclass(frozen=True, kw_only=True)
class SetView:
    """Four films of one principle and grade."""

    name: str
    principle: str
    grade: str
    films: tuple[FilmCurve, ...]

    @property
    def weight(self) -> int:
        """Bytes of its pictures."""
        return sum(len(film.movie.url) + len(film.movie.still) + len(film.points) for film in self.films)


def cases(score: Scorecard) -> tuple[Case, ...]:
    """What was judged, in the order of the scorecard; the means last."""
    found = []
    for row in score.rows:
        parts = row.metric.split("/")
        if parts[0] == "pairwise" and len(parts) == 4:
            found.append(Case(space=parts[1], principle=parts[2], grade=parts[3]))
    return tuple(sorted(found, key=lambda case: case.principle == MEAN))


def with_floors(score: Scorecard, case: Case) -> Row:
    """The row of a case; that of a mean with the means of its principles' floors."""
    row = score[f"pairwise/{case.name}"]
    if case.principle != MEAN:
        return row
    each = [
        score[f"pairwise/{other.name}"]
        for other in cases(score)
        if (other.space, other.grade) == (case.space, case.grade) and other.principle != MEAN
    ]
    shared = [name for name in (each[0].floors if each else ()) if all(name in other.floors for other in each)]
    means = {name: math.fsum(other.floors[name] for other in each) / len(each) for name in shared}
    return replace(row, floors={**means, **row.floors})


def physics_tables(score: Scorecard) -> tuple[PhysicsTable, ...]:
    """One table a space."""
    known = {case.name: case for case in cases(score)}
    tables = []
    for space in dict.fromkeys(case.space for case in known.values()):
        here = [case for case in known.values() if case.space == space]
        grades = tuple(dict.fromkeys(case.grade for case in here))
        lines = [
            _line(score, known, space, principle, grades) for principle in dict.fromkeys(c.principle for c in here)
        ]
        tables.append(PhysicsTable(space, grades, tuple(lines)))
    return tuple(tables)


def _line(score: Scorecard, known: Mapping[str, Case], space: str, principle: str, grades: Sequence[str]) -> Line:
    figures, areas = [], []
    for grade in grades:
        name = f"{space}/{principle}/{grade}"
        figures.append(figure(with_floors(score, known[name])) if name in known else None)
        areas.append(figure(score[f"auroc/{name}"]) if f"auroc/{name}" in score else None)
    return Line(principle, tuple(figures), tuple(areas))


def set_view(name: str, shown: SurprisedFilms) -> SetView:
    """A set for the page; its four curves share one scale."""
    T = shown.films.shape[1]
    low, high = min(0.0, float(shown.curves.min())), max(0.0, float(shown.curves.max()))
    span = (high - low) or 1.0

    def across(frame: float) -> float:
        return round(CURVE_WIDTH * frame / max(1, T - 1), 2)

    def down(value: float) -> float:
        return round(1 + (CURVE_HEIGHT - 2) * (1 - (value - low) / span), 2)

    films = []
    for index in range(len(shown.films)):
        curve = shown.curves[index].tolist()
        peak = max(range(T), key=curve.__getitem__)
        films.append(
            FilmCurve(
                possible=bool(shown.possible[index]),
                movie=movie(shown.films[index], 1 / shown.rate_hz, factor=1),
                points=" ".join(f"{across(t):g},{down(value):g}" for t, value in enumerate(curve)),
                zero=down(0.0),
                event=across(shown.event_frame),
                hidden=(across(shown.hidden[0]), across(shown.hidden[1])),
                peak=f"{peak / shown.rate_hz:.2f} s",
            )
        )
    return SetView(name=name, principle=shown.principle, grade=shown.grade, films=tuple(films))


def hidden_charts(score: Scorecard) -> tuple[Chart, ...]:
    """What is known of objects, over the time that they have been out of sight (`…/<seconds>`)."""
    rows = [
        replace(row, metric=f"{row.metric}s") if _SECONDS.search(row.metric) else row
        for row in score.rows
        if row.metric.startswith(("error_diameters/", "skill/"))
    ]
    return horizon_charts(replace(score, rows=tuple(rows)), "hidden", "seconds out of sight")
