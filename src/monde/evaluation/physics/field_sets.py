"""From a run to a score on one of the field's own sets: every film is watched, and judged as the set's paper says."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monde.data.video import VideoFile
from monde.errors import DataError
from monde.evaluation.physics.footage import Footage, footage_of
from monde.evaluation.physics.frames import FolderFrames, LaterFrames, Source, VideoFrames
from monde.evaluation.physics.run import watching_model
from monde.evaluation.physics.surprise import SurpriseConfig, judging, surprise
from monde.evaluation.physics_sets import (
    Absence,
    Item,
    Movie,
    PhysicsSet,
    SetReport,
    match_movies,
    open_physics_set,
    reduced,
    score_physics_set,
    survey,
)
from monde.evaluation.physics_sets.scoring import check_surprise_scores
from monde.evaluation.protocol import scorecard
from monde.models import JEPA
from monde.scorecard import Row, Scorecard
from monde.store import RunFolder, write_json
from monde.store.typed import to_json

SINGLE_FILMS = "intphys/absolute_error/"
"""Rows that judge films one at a time, by their highest surprise; all others compare films by their mean."""


@dataclass(frozen=True, kw_only=True)
class FieldSetScore:
    """What a run scores on a set, and what could not be judged.

    Args:
        score: The set's own metrics.
        report: Films that are missing, cannot be read or do not fit together, each with its reason.
        told: What was done to films so that the model could watch them, and to how many.
    """

    score: Scorecard
    report: SetReport
    told: Mapping[str, int]


def score_field_set(
    run: Path,
    folder: Path,
    config: SurpriseConfig | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> FieldSetScore:
    """Score the newest checkpoint of a run on IntPhys, IntPhys 2, GRASP (Level 2) or InfLevel-Lab.

    Films are brought to the model's size and rate as `surprise_of_film` does. A film is judged by the mean of its
    surprise; where films are judged one at a time (the absolute error of IntPhys), by the highest, as Garrido et al.
    (arXiv 2502.11831) do. Films that are missing or cannot be judged are reported and the rest is scored. Writes
    sets/<set>-<version>.json into the run.

    Args:
        run: Run folder, of a model that reads one camera and is told no actions.
        folder: Folder of the set; which one it is is found out (see `open_physics_set`).
        config: How films are judged.
        progress: Told (stage, done, wanted).

    Raises:
        StoreError: Not a run, or its checkpoint was altered.
        UsageError: The run acts or reads several sensors, or PyAV is not installed.
        DataError: No set that is known, one whose labels are withheld, or one without a film that can be judged.
        ContractError: A set that asks for answers in words.
    """
    tell = progress or (lambda stage, done, wanted: None)
    tell("opening", 0, 1)
    model = watching_model(run)
    chosen = config or judging(model)
    opened = open_physics_set(folder)
    check_surprise_scores(opened)
    known = survey(opened)
    if known.name == "intphys":
        tell("pairing movies", 0, 1)
        known = match_movies(known)
    items = tuple(item for item in known.items if item.question is None)
    curves: dict[str, np.ndarray] = {}
    absent: list[Absence] = []
    told: Counter[str] = Counter()
    for done, item in enumerate(items):
        tell("watching", done, len(items))
        try:
            footage = _footage(item, model, chosen)
        except DataError as error:
            why = error.what if error.got is None else f"{error.what}: {error.got}"
            absent.append(Absence(item.id, str(item.film.path), why))
            continue
        told.update(footage.told)
        curves[item.id] = surprise(model, footage.frames[None], footage.rate_hz, chosen).curve[0]
    tell("watching", len(items), len(items))
    judged = known.keeping(tuple(item for item in items if item.id in curves), tuple(absent))
    if not judged.items:
        raise DataError(
            f"no film of {folder} can be judged by {run}",
            got=judged.report,
            remedy="train with a model step that fits the films, or fetch what the report names",
        )
    return _written(run, model, judged, _rows(judged, curves), chosen, told)


def _footage(item: Item, model: JEPA, config: SurpriseConfig) -> Footage:
    """What is judged of a film, as the model's camera would have seen it.

    Raises:
        DataError: The film cannot be read, or is too short, too long or too slow.
        UsageError: PyAV is not installed.
    """
    film, camera = item.film, model.sensors[0]
    source: Source = (
        VideoFrames(VideoFile.open(film.path), item.rate_hz)
        if isinstance(film, Movie)
        else FolderFrames(film.folder, item.rate_hz)
    )
    if item.first_frame:
        source = LaterFrames(source, item.first_frame)
    return footage_of(film.path, source, (camera.shape[1], camera.shape[2]), model.actions, config.least_steps)


def _rows(judged: PhysicsSet, curves: Mapping[str, np.ndarray]) -> tuple[Row, ...]:
    """The metrics of the set, each by the number that its comparison asks for."""
    by_mean = score_physics_set(judged, reduced(curves, "mean")).rows
    if not any(row.metric.startswith(SINGLE_FILMS) for row in by_mean):
        return by_mean
    by_highest = {row.metric: row for row in score_physics_set(judged, reduced(curves, "max")).rows}
    return tuple(by_highest[row.metric] if row.metric.startswith(SINGLE_FILMS) else row for row in by_mean)


def _written(
    run: Path, model: JEPA, judged: PhysicsSet, rows: tuple[Row, ...], config: SurpriseConfig, told: Mapping[str, int]
) -> FieldSetScore:
    folder, camera = RunFolder(run), model.sensors[0]
    card = {
        "set": judged.name,
        "version": judged.version,
        "films": len(judged.items),
        "absent": [str(absence.id) for absence in judged.report.absent],
        "frames": f"{camera.shape[1]}×{camera.shape[2]} px, up to {model.actions.block} in a step of "
        f"{model.actions.block_seconds:g} s",
        "surprise": to_json(config),
        "of_a_film": "mean over frames; the highest where films are judged one at a time (absolute_error)",
        "bfloat16": model.autocast,
        "checkpoint": folder.latest().name,
    }
    score = scorecard(run.resolve().name, rows, card, (0,))
    write_json(folder.field_set(f"{judged.name}-{judged.version}".replace(" ", "-")), score.to_json())
    return FieldSetScore(score=score, report=judged.report, told=dict(told))
