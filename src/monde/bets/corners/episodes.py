"""What all four corners learn from: films nobody acts in, and walks in two rooms; pictures and exact states of each.

Two recordings. `films`: rooms of discs as questions ask about, with screens in some, and every third a possible film of
a principle of physics. `acting`: two rooms; every other episode a straight walk to a goal, which is its last frame, the
rest actions held for a while each. All of the train split: sizes and speeds of the questions are others.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from monde.bets.corners.states import FILM_NAMES, LAYOUT_NAMES, film_states, layout_states, room_states
from monde.bets.questions.acting import HOLD_STEPS, NOISE_PIXELS
from monde.bets.questions.pairs import GRADE_OF_PAIRS, read_film, tell_film
from monde.bets.questions.rooms import (
    PAST_FRAMES,
    RATE_HZ,
    SCREEN,
    SIDE_PIXELS,
    draw_siblings,
    pictures,
    surroundings,
)
from monde.bets.questions.stage import CONFIG, Stage, draw_door, draw_place, walk
from monde.bets.types import GRADES
from monde.data import EpisodeData, RecordingWriter, storage_for
from monde.errors import UsageError
from monde.types import ActionSpec, Sensor
from monde.worlds.minimal_pairs import principles
from monde.worlds.minimal_pairs.timing import Span
from monde.worlds.scenes.pairs.make import drawn_set
from monde.worlds.scenes.screens import around, rising, standing

EPISODES, FILMS, ACTING = "episodes", "films", "acting"
"""Names of folders: of both recordings, and of each in it."""

FUTURE_FRAMES = 42
"""Frames of a room after the first `PAST_FRAMES`: the longest horizon, and two more."""

MOST_DISCS = 5
"""In a room, at most."""

LEAST_STEPS, REST_STEPS, MOST_STEPS = 30, 10, 80
"""Steps of an episode of acting, at least and at most, and those that a walker stays at its goal."""

GROUP = 32
"""Episodes that are written at once."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """Where both recordings lie.

    Args:
        films: Folder of the films.
        acting: Folder of the walks.
    """

    films: Path
    acting: Path


def record_episodes(
    out: Path, *, films: int = 3000, walks: int = 1500, seed: int = 0, progress: Progress | None = None
) -> Episodes:
    """Record both, or what is missing of them. An episode depends on the seed and its number alone.

    Raises:
        UsageError: Numbers out of limits, or an extra that is not installed.
        DataError: `out` holds something else.
        StoreError: The disk is full or read-only.
    """
    if min(films, walks) < 1 or seed < 0:
        got = f"films={films}, walks={walks}, seed={seed}"
        raise UsageError("no such episodes can be recorded", got=got, expected="films and walks ≥ 1, seed ≥ 0")
    camera = Sensor(name="top", kind="rgb", shape=(3, SIDE_PIXELS, SIDE_PIXELS), rate_hz=RATE_HZ)
    state = Sensor(name="state", kind="state", shape=(len(FILM_NAMES),), rate_hz=RATE_HZ, names=FILM_NAMES)
    _record(out / FILMS, (camera, state), None, seed, films, _film, progress)
    rate = 1 / CONFIG.dt_seconds
    camera = Sensor(name="top", kind="rgb", shape=(3, CONFIG.side_pixels, CONFIG.side_pixels), rate_hz=rate)
    state = Sensor(name="state", kind="state", shape=(len(LAYOUT_NAMES),), rate_hz=rate, names=LAYOUT_NAMES)
    actions = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), dt_seconds=CONFIG.dt_seconds, names=("ax", "ay"))
    _record(out / ACTING, (camera, state), actions, seed, walks, _acted, progress)
    return Episodes(films=out / FILMS, acting=out / ACTING)


def _record(
    folder: Path,
    sensors: tuple[Sensor, ...],
    actions: ActionSpec | None,
    seed: int,
    wanted: int,
    make: Callable[[np.random.Generator, int], EpisodeData],
    progress: Progress | None,
) -> None:
    source: dict[str, object] = {"bets": folder.name, "seed": seed}
    storage = storage_for(folder, sensors, "auto")
    with closing(RecordingWriter(folder, sensors=sensors, actions=actions, source=source, frames=storage)) as writer:
        while writer.episodes_written < wanted:
            done = writer.episodes_written
            numbers = range(done, min(wanted, done + GROUP))
            writer.append([make(np.random.default_rng([seed, number, 0xB3]), number) for number in numbers])
            if progress is not None:
                progress(writer.episodes_written, wanted)


def is_room(number: int) -> bool:
    """Whether a film of the recording `films` is of a room: there a slot of its states is a colour; in the others, of
    principles, it is an object's number."""
    return number % 3 != 2


def _film(generator: np.random.Generator, number: int) -> EpisodeData:
    rgb, state = _room(generator, number) if is_room(number) else _possible(generator, number // 3)
    return EpisodeData({"top": rgb, "state": state}, np.arange(len(rgb)) / RATE_HZ, None)


def _room(generator: np.random.Generator, number: int) -> tuple[np.ndarray, np.ndarray]:
    """One to five discs; behind a screen that stands, or that rises some time, in every third film each."""
    grade, discs = GRADES[number % len(GRADES)], 1 + number // 2 % MOST_DISCS
    ((room, past),) = draw_siblings(generator, 1, discs, grade, "train")
    motion = past.then(room.future(FUTURE_FRAMES))
    radii = [body.radius for body in room.bodies]
    panels, boxes = [], list[tuple[float, ...] | None]()
    kind = generator.integers(3)
    if kind:
        first = int(generator.integers(PAST_FRAMES, motion.frames - 8))
        hidden = motion.position[first : first + int(generator.integers(1, 24)), 0]
        box = around(hidden, radii[0]) + generator.uniform(0.5, 4.0, size=4) * np.array([-1, -1, 1, 1])
        still = standing(box, motion.frames, SCREEN)
        panel = still if kind == 1 else rising(box, motion.frames, Span(first, motion.frames), SIDE_PIXELS, SCREEN)
        panels = [panel]
        boxes = [tuple(map(float, one)) if one[3] > one[1] and one[1] < SIDE_PIXELS else None for one in panel.boxes]
    rgb = pictures(room.names, radii, motion.position, surroundings(generator), panels)
    states = np.concatenate([motion.position, motion.velocity], axis=-1)
    return rgb, room_states(room.names, radii, states, room.gravity, boxes)


def _possible(generator: np.random.Generator, number: int) -> tuple[np.ndarray, np.ndarray]:
    """A film of each principle in turn, grades in turn."""
    known = principles()
    grade = GRADE_OF_PAIRS[GRADES[number // len(known) % len(GRADES)]]
    shots, _, films = drawn_set(known[number % len(known)], grade, int(generator.integers(2**31)), 0, split="train")
    begins = int(generator.integers(2))
    text = tell_film(shots, np.full(films.shape[1], begins))
    return films[begins], film_states(read_film(text))


def _acted(generator: np.random.Generator, number: int) -> EpisodeData:
    door = float("nan") if generator.uniform() < 0.2 else draw_door(generator)
    side = bool(generator.integers(2))
    start = draw_place(generator, side)
    controls = _walked(generator, door, start, side) if number % 2 == 0 else _held(generator)
    stage = Stage(door, start[None])
    frames, places = [stage.pictures()[0]], [stage.places[0]]
    for control in controls:
        stage.step(control[None])
        frames.append(stage.pictures()[0])
        places.append(stage.places[0])
    values = {"top": np.stack(frames), "state": layout_states(np.stack(places), door)}
    times = np.arange(len(frames)) * CONFIG.dt_seconds
    return EpisodeData(values, times, controls.astype(np.float32))


def _walked(
    generator: np.random.Generator, door: float, start: Float64[np.ndarray, " 2"], side: bool
) -> Float64[np.ndarray, "T 2"]:
    """To a goal, in the other room where there is a door and the dice say so; there it stays."""
    other = not np.isnan(door) and generator.uniform() < 0.6
    goal = draw_place(generator, side != other)
    places, _, there = walk(door, start[None], goal[None], MOST_STEPS - REST_STEPS)
    arrived = int(there[:, 0].argmax()) if there.any() else len(there) - 1
    steps = max(LEAST_STEPS, arrived + REST_STEPS)
    targets = places[np.minimum(np.arange(1, steps + 1), len(places) - 1), 0]
    stage, controls = Stage(door, start[None]), []
    for target in targets:
        way = target - stage.places[0] + generator.normal(0, NOISE_PIXELS, size=2)
        controls.append(np.clip(way / CONFIG.step_pixels, -1, 1))
        stage.step(controls[-1][None])
    return np.stack(controls)


def _held(generator: np.random.Generator) -> Float64[np.ndarray, "T 2"]:
    """Actions with a drift of their own, as in the family `what-if`."""
    drift = generator.uniform(-0.7, 0.7, size=2)
    rows = np.clip(drift + generator.uniform(-0.6, 0.6, size=(10, 2)), -1, 1)
    return np.repeat(rows, HOLD_STEPS, axis=0)
