"""The intuitive physics of a run: minimal pairs scored by its surprise, beside its floors, and sets of films to see."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64, UInt8

from monde.data import open_recording
from monde.data.resize import resize_frames
from monde.errors import DataError, StoreError, UsageError
from monde.evaluation.physics.beliefs import Seen, frames_per_step
from monde.evaluation.physics.floors import REACH, copy_last, fit_pixels
from monde.evaluation.physics.scoring import FilmScorer, PairsConfig, score_pairs
from monde.evaluation.physics.surprise import judging, surprise
from monde.evaluation.protocol import scorecard
from monde.evaluation.surprised import SurprisedFilms
from monde.models import JEPA, load_model
from monde.perception import ThingPerception
from monde.scorecard import Scorecard
from monde.store import RunFolder, remove_artefact, write_json
from monde.store.typed import to_json
from monde.training import choose_precision
from monde.training.setup import Setup, reopen, untrained_floor
from monde.worlds.minimal_pairs import GRADES, RATE_HZ, grade_of, principle
from monde.worlds.scenes import make_pairs

Progress = Callable[[str, int, int], None]
"""Told (stage, done, wanted)."""

PIXEL_FILMS = 64
"""Films of training episodes that the pixel predictor is fitted on."""

EXHIBIT = "physics"
"""What the names of the exhibits begin with."""

_BATCH = 8


def score_physics(run: Path, config: PairsConfig | None = None, progress: Progress | None = None) -> Scorecard:
    """Score the newest checkpoint of a run on minimal pairs; writes physics.json and one exhibit a case into it.

    Rows are those of `score_pairs`, floors `untrained` (the run's network before training), `copy_last` and `pixels` (a
    linear predictor of pixels, fitted on films of the training episodes). What is shown is the first set of each
    principle and grade, whatever it looks like.

    Args:
        run: Run folder, of a model that reads one camera and is told no actions.
        config: Which pairs; by default 100 sets of each case, of the space that the recording is of.
        progress: Told (stage, done, wanted).

    Raises:
        StoreError: Not a run, or its checkpoint was altered.
        UsageError: The run acts or reads several sensors, an unknown name, or what draws films is not installed.
        DataError: The recording is gone or changed, or the model's step does not fit the films' rate.
    """
    tell = progress or (lambda stage, done, wanted: None)
    tell("opening", 0, 1)
    model = watching_model(run)
    train, setup = reopen(run)
    chosen = config or PairsConfig(space=space_of(setup.recording.source))
    stride = frames_per_step(model, RATE_HZ)
    tell("floors", 0, 1)
    blank = untrained_floor(setup, train.seed).to(model.device)
    blank.autocast = model.autocast
    pixels = fit_pixels(_training_films(setup, model.sensors[0].name, stride), stride, chosen.seed)
    size = (model.sensors[0].shape[1], model.sensors[0].shape[2])
    see = Seen(alike=isinstance(model.perception, ThingPerception))
    scorers: Mapping[str, FilmScorer] = {
        "surprise": lambda films, rate_hz: surprise(model, resized(films, size), rate_hz, see=see).of_film,
        "untrained": lambda films, rate_hz: surprise(blank, resized(films, size), rate_hz, see=see).of_film,
        "copy_last": lambda films, rate_hz: copy_last(resized(films, size), stride),
        "pixels": lambda films, rate_hz: pixels(resized(films, size)),
    }
    rows = score_pairs(scorers, chosen, lambda done, wanted: tell("pairs", done, wanted))
    folder = RunFolder(run)
    card = _card(chosen, setup, model, folder)
    score = scorecard(run.resolve().name, rows, card, (train.seed, chosen.seed))
    _show(folder, model, chosen, size, tell)
    write_json(folder.physics, score.to_json())
    return score


def physics_config(
    run: Path,
    *,
    sets: int = 100,
    grades: tuple[str, ...] = (),
    principles: tuple[str, ...] = (),
    space: str | None = None,
    seed: int = 0,
) -> PairsConfig:
    """Which pairs a run is judged on; every name is looked up before any work is done.

    Args:
        run: Run folder.
        sets: Of four films, of each principle and grade.
        grades: Names; empty for all.
        principles: Names; empty for all.
        space: 2d or 3d; none for what the run's recording is of.
        seed: Of the sets and of resampling.

    Raises:
        UsageError: An unknown name, a name twice, too few sets, or a negative seed.
        StoreError: Not a run.
        DataError: The recording is gone.
    """
    for name in principles:
        principle(name)
    for name in grades:
        grade_of(name)
    for kind, names in (("principle", principles), ("grade", grades)):
        if len(set(names)) < len(names):
            raise UsageError(f"a {kind} is named twice", got=", ".join(names), remedy="name each once")
    if sets < 2 or seed < 0:
        raise UsageError(
            "these pairs cannot be judged",
            got=f"n={sets}, seed={seed}",
            expected="n ≥ 2, seed ≥ 0",
            remedy="--n 100 --seed 0",
        )
    return PairsConfig(
        space=space or recorded_space(run), principles=principles, grades=grades or GRADES, sets=sets, seed=seed
    )


def recorded_space(run: Path) -> str:
    """What the recording of a run is of."""
    path = RunFolder(run).read_config().get("data_path")
    if not isinstance(path, str):
        raise StoreError(f"{run} does not say what it was trained on", expected="'data_path' in run.json")
    return space_of(open_recording(Path(path)).source)


def watching_model(run: Path) -> JEPA:
    """The model of a run that can be surprised by films: it reads one camera and is told no actions.

    It multiplies in the precision that the run was trained with, so that all who judge it find the same.

    Raises:
        StoreError: Not a run, or its checkpoint was altered.
        UsageError: The run acts, or reads something else.
    """
    model = load_model(run)
    if not model.actions.unactuated:
        raise UsageError(
            f"{run} acts: what a film shows cannot be foreseen without the actions",
            got=f"actions of width {model.actions.width}",
            expected="a model that is told no actions",
            remedy="train one with --action-free",
        )
    if len(model.sensors) != 1 or model.sensors[0].kind != "rgb":
        raise UsageError(
            f"{run} does not read one camera alone",
            got=", ".join(f"{sensor.name} ({sensor.kind})" for sensor in model.sensors),
            expected="one sensor of kind rgb",
            remedy="train one with --sensors and the name of a camera",
        )
    train = RunFolder(run).read_config().get("train")
    precision = train.get("precision") if isinstance(train, dict) else None
    model.autocast = choose_precision(str(precision or "auto"), model.device)
    return model


def space_of(source: Mapping[str, object]) -> str:
    """2d or 3d: what a recording says that it is of, else 2d."""
    space = source.get("space", "2d")
    return space if space in ("2d", "3d") and isinstance(space, str) else "2d"


def resized(films: UInt8[np.ndarray, "n T 3 h w"], size: tuple[int, int]) -> UInt8[np.ndarray, "n T 3 h2 w2"]:
    """Films at the size of a model's camera, as recordings are brought to it."""
    if films.shape[3:] == size:
        return films
    n, T = films.shape[:2]
    frames = resize_frames(films.reshape(n * T, *films.shape[2:]).transpose(0, 2, 3, 1), size)
    return np.ascontiguousarray(frames.transpose(0, 3, 1, 2)).reshape(n, T, 3, *size)


def _training_films(setup: Setup, camera: str, stride: int) -> Iterator[UInt8[np.ndarray, "n T 3 h w"]]:
    """Films of training episodes spread over all of them, a few at a time, each batch cut to its shortest."""
    if camera not in {sensor.name for sensor in setup.cache.sensors}:
        raise DataError(
            "the pixel predictor has no frames to learn from",
            got=", ".join(sensor.name for sensor in setup.cache.sensors),
            expected=camera,
            remedy="score a run that learned from pixels, without --backbone",
        )
    long = [episode for episode in setup.split.train if setup.cache.lengths[episode] > 2 * stride]
    picks = np.unique(np.linspace(0, len(long) - 1, min(len(long), PIXEL_FILMS)).astype(np.int64))
    values, starts = setup.cache.values(camera), setup.cache.offsets
    for part in range(0, len(picks), _BATCH):
        episodes = [long[index] for index in picks[part : part + _BATCH]]
        T = min(int(setup.cache.lengths[episode]) for episode in episodes)
        films = [values[starts[episode] : starts[episode] + T] for episode in episodes]
        yield np.ascontiguousarray(np.stack(films).transpose(0, 1, 4, 2, 3))


def _card(config: PairsConfig, setup: Setup, model: JEPA, folder: RunFolder) -> dict[str, object]:
    """Everything that figures depend on."""
    _, height, width = model.sensors[0].shape
    return {
        "pairs": to_json(config),
        "frames": f"{height}×{width} px at {RATE_HZ:g} Hz",
        "surprise": to_json(judging(model)),
        "pixel_predictor": {"films": PIXEL_FILMS, "reach_pixels": REACH},
        "checkpoint": folder.latest().name,
        "data_hash": setup.recording.fingerprint,
        "episodes_trained": len(setup.split.train),
    }


def _show(folder: RunFolder, model: JEPA, config: PairsConfig, size: tuple[int, int], tell: Progress) -> None:
    """The first set of each case with its curves; those of an earlier scoring go."""
    old = folder.exhibits.glob(f"{EXHIBIT}-*") if folder.exhibits.is_dir() else ()
    for path in list(old):
        remove_artefact(path)
    for done, (name, grade) in enumerate(config.cases):
        tell("films", done, len(config.cases))
        shown = surprised_set(model, replace(config, principles=(name,), grades=(grade,)), size)
        shown.save(folder.exhibits / f"{EXHIBIT}-{config.space}-{name}-{grade}")
    tell("films", len(config.cases), len(config.cases))


def surprised_set(model: JEPA, config: PairsConfig, size: tuple[int, int]) -> SurprisedFilms:
    """The first set of the first case of `config`, with the surprise at each of its frames."""
    name, grade = config.cases[0]
    pairs = make_pairs(name, grade, 1, config.seed, split=config.split, space=config.space)
    films = pairs.films[0]
    curves: Float64[np.ndarray, "k T"] = surprise(model, resized(films, size), pairs.rate_hz).curve
    return SurprisedFilms(
        films=torch.from_numpy(np.ascontiguousarray(films)),
        curves=torch.from_numpy(curves).float(),
        possible=torch.from_numpy(pairs.possible[0].copy()),
        event_frame=int(pairs.event_frame[0]),
        hidden=(int(pairs.hidden[0, 0]), int(pairs.hidden[0, 1])),
        principle=name,
        grade=grade,
        space=config.space,
        rate_hz=pairs.rate_hz,
    )
