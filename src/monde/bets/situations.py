"""What a question's rendering tells of the state of things: read from the text, or off the sensors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from monde.bets.puzzles import Task, read_task
from monde.bets.questions.pairs import Told, read_films
from monde.bets.questions.rooms import Room
from monde.bets.questions.rooms_text import read_places, read_room, read_screen
from monde.bets.questions.stage import read_door, read_goal, read_path, read_start
from monde.bets.types import Question

Places = Mapping[str, tuple[float, float]]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Flying:
    """A room now, a screen if there is one, and where each option puts its discs."""

    room: Room
    screen: Box | None
    options: tuple[Places, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """Two rooms and a door (NaN: none), the disc, its goal if one is told, its way so far, and the options' places."""

    door: float
    start: Float64[np.ndarray, " 2"]
    goal: Float64[np.ndarray, " 2"] | None
    path: Float64[np.ndarray, "T 2"]
    options: Float64[np.ndarray, "n 2"]


Situation = Flying | Standing | Task | tuple[Told, Told]


Reader = Callable[[Question], Situation | None]
"""Reads a question; none where it cannot."""


STANDING = ("after-actions", "goal", "plan", "reachable")


def read_text(question: Question) -> Situation | None:
    """The situation from the text alone, options from their text."""
    ask = str(question.about.get("ask"))
    if ask == "text":
        return None
    if ask == "possible":
        return read_films(question.text)
    if ask == "placement":
        return read_task(question.text)
    if ask not in STANDING:
        options = tuple(read_places(option) for option in question.options) if ask == "places" else ()
        return Flying(room=read_room(question.text), screen=read_screen(question.text), options=options)
    placed = ask in ("after-actions", "goal")
    return Standing(
        door=read_door(question.text),
        start=read_start(question.text),
        goal=None if placed else read_goal(question.text),
        path=read_path(question.text),
        options=np.array([_pair(option) for option in question.options] if placed else []).reshape(-1, 2),
    )


def _pair(option: str) -> tuple[float, float]:
    x, y = option[option.index("(") + 1 : option.index(")")].split(",")
    return float(x), float(y)
