"""`score_physics_set`: a set and the surprise of each of its films, to the rows of its paper and a report."""

from collections.abc import Mapping
from dataclasses import dataclass

from monde.errors import ContractError, DataError
from monde.evaluation.physics_sets.comparing import labelled
from monde.evaluation.physics_sets.items import Absence, PhysicsSet, SetReport
from monde.evaluation.physics_sets.metrics import grasp_rows, inflevel_rows, intphys2_rows, intphys_rows
from monde.scorecard import Row

METRICS = {"intphys": intphys_rows, "intphys2": intphys2_rows, "grasp": grasp_rows, "inflevel": inflevel_rows}
"""By the set's name; `mvp_rows` and `grasp_answer_rows` take answers instead of surprises."""


@dataclass(frozen=True)
class PhysicsScore:
    """What was scored, and what could not be.

    Args:
        rows: Metrics of the set's paper.
        report: Films that are missing, were left out, or have no surprise.
    """

    rows: tuple[Row, ...]
    report: SetReport

    def __str__(self) -> str:
        return "\n".join([*(str(row) for row in self.rows), str(self.report)])


def score_physics_set(physics_set: PhysicsSet, surprise: Mapping[str, float]) -> PhysicsScore:
    """Score surprises by the set's own metrics.

    Args:
        physics_set: As opened, best after `survey`.
        surprise: One number a film by item id; the higher, the less plausible. Films without one are reported.

    Raises:
        DataError: Labels are withheld, or nothing could be judged.
        ContractError: A set that is scored by answers, or a surprise that is not finite or belongs to no film.
    """
    _check_name(physics_set)
    rows = METRICS[physics_set.name](physics_set.items, surprise)
    silent = [item for item in physics_set.items if item.question is None and item.id not in surprise]
    absent = tuple(Absence(item.id, str(item.film.path), "no surprise was given") for item in silent)
    return PhysicsScore(tuple(rows), physics_set.report.extended(absent))


def check_surprise_scores(physics_set: PhysicsSet) -> None:
    """Refuse a set that surprise cannot be scored on, before any film is watched.

    Raises:
        DataError: Labels are withheld, or all of it is questions.
        ContractError: A set that is scored by answers.
    """
    _check_name(physics_set)
    films = [item for item in physics_set.items if item.question is None]
    if not films:
        raise DataError(
            f"{physics_set.root} holds questions alone",
            got=f"{len(physics_set.items)} of them",
            expected="films of possible and impossible events (GRASP: level2/)",
            remedy="grasp_answer_rows(items, answers) scores answers",
        )
    labelled(films)


def _check_name(physics_set: PhysicsSet) -> None:
    if physics_set.name not in METRICS:
        raise ContractError(
            f"{physics_set.name} is not scored by surprise",
            expected=", ".join(METRICS),
            remedy="mvp_rows(items, answers) scores the answers of a model that reads the questions",
        )
