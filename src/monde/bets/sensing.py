"""`SensorReader`: the state of things read off the pixels alone, its scale fitted under supervision.

A disc is where its colour is: centroid and area of that colour are mapped linearly to place and radius, fitted on
training questions whose text tells both. Velocities and gravity follow by least squares over the film: x is straight
in time, y a parabola whose curvature is that of gravity, the same for all discs.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, UInt8

from monde.bets.files import QuestionSet
from monde.bets.questions.rooms import COLOURS, PAST_FRAMES, RATE_HZ, RESTITUTION, SCREEN, Room
from monde.bets.questions.rooms_text import read_history, read_room
from monde.bets.questions.stage import CONFIG
from monde.bets.situations import STANDING, Box, Flying, Places, Situation, Standing
from monde.bets.types import Question
from monde.errors import ContractError, DataError
from monde.worlds.drawing import AGENT, FLOOR, WALL, Colour
from monde.worlds.scenes.bodies import Body

NEAR_COLOUR = 60.0
"""Distance in RGB up to which a pixel is of a colour."""

LEAST_AREA_PIXELS = 8
LEAST_FRAMES = 3
"""Frames in which a disc must be seen, at least, to tell how it moves."""

LEAST_GRAVITY = 10.0
"""px/s²: less is none, for rooms have none or more than 25."""

Film = UInt8[np.ndarray, "T 3 h w"]


class SensorReader:
    """Reads rooms and two rooms off the sensors; neither pairs of films nor puzzles.

    Args:
        training: A set of the train split with rooms in it.

    Raises:
        DataError: There is no room in it.
    """

    def __init__(self, training: QuestionSet) -> None:
        seen, true, areas, radii = [], [], [], []
        for question in training.questions():
            # Where a screen stands from the first frame on, discs are not seen whole.
            if question.about.get("ask") in (*STANDING, "hidden-by") or "film" not in question.sensors:
                continue
            room, (names, states) = read_room(question.text), read_history(question.text)
            film = question.sensors["film"][: PAST_FRAMES + 1]
            for k, name in enumerate(names):
                centre, area = spots(film, COLOURS[name])
                whole = area >= LEAST_AREA_PIXELS
                seen.append(centre[whole])
                true.append(states[: len(film), k, :2][whole])
                areas.append(float(np.median(area)))
                radii.append(room.bodies[k].radius)
        if not seen:
            raise DataError("no room in this training set to fit on", remedy="build it with what-happens-next in it")
        self._scale = _line(np.concatenate(seen).ravel(), np.concatenate(true).ravel())
        self._radius = _line(np.sqrt(np.array(areas) / math.pi), np.array(radii))

    def __call__(self, question: Question) -> Situation | None:
        """The situation, or none where this reader cannot read it."""
        ask = str(question.about.get("ask"))
        if ask in STANDING:
            return self._standing(question)
        film = question.sensors.get("film")
        return None if film is None else self._flying(question, film)

    def _places(self, film: Film, colour: Colour) -> Float64[np.ndarray, "T 2"]:
        slope, offset = self._scale
        return slope * spots(film, colour)[0] + offset

    def _flying(self, question: Question, film: Film) -> Flying:
        now = question.about.get("now_frame")
        last = now if isinstance(now, int) else len(film) - 1
        shown = film[: last + 1]
        areas = {name: spots(shown, colour)[1] for name, colour in COLOURS.items()}
        names = tuple(name for name, area in areas.items() if (area >= LEAST_AREA_PIXELS).sum() > LEAST_FRAMES)
        if not names:
            raise ContractError("no disc is seen in this film", got=question.id)
        paths = np.stack([self._places(shown, COLOURS[name]) for name in names], axis=1)
        usual = {name: float(np.median(areas[name][areas[name] >= LEAST_AREA_PIXELS])) for name in names}
        whole = np.stack([areas[name] >= 0.85 * usual[name] for name in names], axis=1)
        place, velocity, gravity = _motion(paths, whole)
        slope, offset = self._radius
        bodies = tuple(
            Body(
                shape="disc",
                radius=max(1.0, slope * math.sqrt(usual[name] / math.pi) + offset),
                colour=COLOURS[name],
                position=(float(place[k, 0]), float(place[k, 1])),
                velocity=(float(velocity[k, 0]), float(velocity[k, 1])),
                restitution=RESTITUTION,
            )
            for k, name in enumerate(names)
        )
        asked = question.about.get("disc")
        wanted = names if asked is None else (str(asked),)
        options = question.sensors.get("options")
        read = () if options is None else tuple(self._option(frame, wanted) for frame in options)
        room = Room(names=names, bodies=bodies, gravity=gravity)
        return Flying(room=room, screen=_screen(shown[-1]), options=read)

    def _option(self, frame: UInt8[np.ndarray, "3 h w"], names: Sequence[str]) -> Places:
        found = {name: self._places(frame[None], COLOURS[name])[0] for name in names}
        return {name: (float(x), float(y)) for name, (x, y) in found.items()}

    def _standing(self, question: Question) -> Standing:
        film = question.sensors["start"] if "start" in question.sensors else question.sensors["film"]
        path = self._places(film, AGENT)
        goal, options = question.sensors.get("goal"), question.sensors.get("options")
        return Standing(
            door=door_of(film[0]),
            start=path[0],
            goal=None if goal is None else self._places(goal, AGENT)[0],
            path=path,
            options=np.zeros((0, 2)) if options is None else self._places(options, AGENT),
        )


def spots(film: Film, colour: Colour) -> tuple[Float64[np.ndarray, "T 2"], Float64[np.ndarray, " T"]]:
    """Centroid (x, y) in px and area in px of a colour in each frame; the centroid is NaN where there is none of it."""
    gap = np.sqrt(((film.astype(np.float64) - np.array(colour)[:, None, None]) ** 2).sum(axis=1))
    weight = np.clip(1.5 * (1 - gap / NEAR_COLOUR), 0, 1)
    area = weight.sum(axis=(1, 2))
    y, x = (np.indices(film.shape[2:]) + 0.5).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.stack([(weight * axis).sum(axis=(1, 2)) / area for axis in (x, y)], axis=1)
    return centre, area


def door_of(frame: UInt8[np.ndarray, "3 h w"]) -> float:
    """Height of the middle of the door in the wall between two rooms, px; NaN where there is none."""
    column = frame[:, :, CONFIG.side_pixels // 2].astype(np.float64)
    along = np.array(FLOOR, dtype=np.float64) - np.array(WALL, dtype=np.float64)
    free = np.clip((column - np.array(WALL)[:, None]).T @ along / (along @ along), 0, 1)
    if free.sum() < CONFIG.door_pixels / 2:
        return math.nan
    return float((free * (np.arange(len(free)) + 0.5)).sum() / free.sum())


def _screen(frame: UInt8[np.ndarray, "3 h w"]) -> Box | None:
    gap = np.abs(frame.astype(np.int64) - np.array(SCREEN)[:, None, None]).max(axis=0)
    there = gap <= 6
    if there.sum() < 9:
        return None
    rows, columns = np.flatnonzero(there.sum(axis=1) >= 3), np.flatnonzero(there.sum(axis=0) >= 3)
    if len(rows) == 0 or len(columns) == 0:
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _motion(
    paths: Float64[np.ndarray, "T K 2"], whole: np.ndarray
) -> tuple[Float64[np.ndarray, "K 2"], Float64[np.ndarray, "K 2"], float]:
    """Places and velocities now, and gravity, by least squares over the frames in which discs are seen whole."""
    T = len(paths)
    t = (np.arange(T) - (T - 1)) / RATE_HZ
    gravity = _solve(paths, whole, t, None)[2]
    place, velocity, _ = _solve(paths, whole, t, 0.0 if gravity < LEAST_GRAVITY else gravity)
    return place, velocity, 0.0 if gravity < LEAST_GRAVITY else gravity


def _solve(
    paths: Float64[np.ndarray, "T K 2"], whole: np.ndarray, t: Float64[np.ndarray, " T"], gravity: float | None
) -> tuple[Float64[np.ndarray, "K 2"], Float64[np.ndarray, "K 2"], float]:
    K = paths.shape[1]
    place, velocity = np.zeros((K, 2)), np.zeros((K, 2))
    rows, values = [], []
    for k in range(K):
        seen = whole[:, k] & np.isfinite(paths[:, k]).all(axis=1)
        moments = t[seen]
        if len(moments) < LEAST_FRAMES:
            expected = f"≥ {LEAST_FRAMES} frames"
            raise ContractError("a disc is seen too seldom to tell how it moves", got=len(moments), expected=expected)
        fitted, *_ = np.linalg.lstsq(np.stack([np.ones_like(moments), moments], 1), paths[seen, k, 0], rcond=None)
        place[k, 0], velocity[k, 0] = fitted
        row = np.zeros((len(moments), 2 * K + 1))
        row[:, 2 * k], row[:, 2 * k + 1], row[:, -1] = 1.0, moments, moments**2 / 2
        rows.append(row)
        values.append(paths[seen, k, 1])
    design, y = np.concatenate(rows), np.concatenate(values)
    if gravity is not None:
        y, design = y - gravity * design[:, -1], design[:, :-1]
    fitted, *_ = np.linalg.lstsq(design, y, rcond=None)
    place[:, 1], velocity[:, 1] = fitted[0 : 2 * K : 2], fitted[1 : 2 * K : 2]
    return place, velocity, float(fitted[-1]) if gravity is None else gravity


def _line(seen: Float64[np.ndarray, " n"], true: Float64[np.ndarray, " n"]) -> tuple[float, float]:
    """Slope and offset of a straight line, by least squares."""
    slope, offset = np.polyfit(seen, true, 1)
    return float(slope), float(offset)
