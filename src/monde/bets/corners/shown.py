"""`Shown`: a question as a corner sees it, in frames like those of its episodes; of sensors, or of exact states."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64, Shaped

from monde.bets.corners.states import SLOT_OF, THING, film_states, layout_states, room_states
from monde.bets.questions.pairs import read_films
from monde.bets.questions.rooms import COLOURS, PAST_FRAMES, Room
from monde.bets.questions.rooms_text import read_history, read_places, read_room, read_screen
from monde.bets.questions.stage import held, read_door, read_goal, read_path, read_start
from monde.bets.sensing import NEAR_COLOUR
from monde.bets.types import Question

Rendering = Literal["sensors", "state"]
Frames = Shaped[np.ndarray, "_ ..."]
"""uint8 [T, 3, h, w] of sensors, float32 [T, S] of states."""

ROOMS = ("places", "coordinate", "left-of", "above", "nearer", "hidden-by", "cause")
"""What is asked of rooms of discs."""

STAGES = ("after-actions", "goal", "plan", "reachable")
"""What is asked of two rooms and one who acts in them."""

FILMS = ("possible",)
"""What is asked of two films."""

READ = (*ROOMS, *STAGES, *FILMS)
"""What corners are asked, by `about["ask"]`: neither puzzles nor the language side's home ground."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """What is seen of one question.

    Args:
        film: What was seen up to now, at the rate of the episodes (20 Hz films, 10 Hz acting); of acting questions
            without a way so far the start alone.
        second: The second of two films, or none.
        options: A frame for each option that is a place, or none.
        goal: The frame of a goal, or none.
        actions: [T, 2] control steps that are asked about, or none.
        names: Discs, by the colours they are asked about; empty elsewhere.
    """

    film: Frames
    second: Frames | None = None
    options: Frames | None = None
    goal: Frames | None = None
    actions: Float64[np.ndarray, "_ 2"] | None = None
    names: tuple[str, ...] = ()


def shown(question: Question, rendering: Rendering) -> Shown:
    """The question as sensors, or as the exact states that its text tells.

    Raises:
        ContractError: The text does not tell what it should.
    """
    ask = str(question.about["ask"])
    made = _from_sensors(question, ask) if rendering == "sensors" else _from_text(question, ask)
    rows = question.about.get("rows")
    actions = held(rows) if ask == "after-actions" and isinstance(rows, list) else None
    return replace(made, actions=actions, names=_names(question, ask))


def without(seen: Shown, name: str, rendering: Rendering) -> Shown:
    """The same without one disc: its slot emptied, or painted over with what is usually there.

    Args:
        seen: Of a room.
        name: The disc's colour.
        rendering: Of both.
    """
    film = np.array(seen.film)
    if rendering == "state":
        at = SLOT_OF[name] * THING
        film[:, at : at + THING] = 0
    else:
        film = _painted_over(film, name)
    return replace(seen, film=film)


def _names(question: Question, ask: str) -> tuple[str, ...]:
    if ask not in ROOMS:
        return ()
    if "discs" in question.about and ask != "cause":
        discs = question.about["discs"]
        return tuple(map(str, discs)) if isinstance(discs, list) else ()
    if "disc" in question.about:
        return (str(question.about["disc"]),)
    return tuple(read_places(question.options[0]))


def _from_sensors(question: Question, ask: str) -> Shown:
    arrays = question.sensors
    if ask in FILMS:
        return Shown(film=arrays["first"], second=arrays["second"])
    if ask in STAGES:
        film = arrays["film"] if "film" in arrays else arrays["start"]
        return Shown(film=film, goal=arrays.get("goal"), options=arrays.get("options"))
    return Shown(film=arrays["film"][: PAST_FRAMES + 1], options=arrays.get("options"))


def _from_text(question: Question, ask: str) -> Shown:
    text = question.text
    if ask in FILMS:
        first, second = read_films(text)
        return Shown(film=film_states(first), second=film_states(second))
    if ask in STAGES:
        return _stage(question, ask)
    room, (names, states) = read_room(text), read_history(text)
    radii = [body.radius for body in room.bodies]
    box = read_screen(text) if ask == "hidden-by" else None
    past = states[: PAST_FRAMES + 1]
    film = room_states(names, radii, past, room.gravity, [box] * len(past))
    options = [_option(room, read_places(option)) for option in question.options] if ask == "places" else []
    return Shown(film=film, options=np.concatenate(options) if options else None)


def _option(room: Room, places: Mapping[str, tuple[float, float]]) -> Frames:
    radii = dict(zip(room.names, (body.radius for body in room.bodies), strict=True))
    states = np.array([[(*place, 0.0, 0.0) for place in places.values()]])
    return room_states(tuple(places), [radii[name] for name in places], states, room.gravity)


def _stage(question: Question, ask: str) -> Shown:
    door, start = read_door(question.text), read_start(question.text)
    film = layout_states(read_path(question.text) if ask == "goal" else start[None], door)
    if ask in ("plan", "reachable"):
        return Shown(film=film, goal=layout_states(read_goal(question.text)[None], door))
    places = np.array([_pair(option) for option in question.options])
    return Shown(film=film, options=layout_states(places, door))


def _pair(option: str) -> tuple[float, float]:
    x, y = option[option.index("(") + 1 : option.index(")")].split(",")
    return float(x), float(y)


def _painted_over(film: Frames, name: str) -> Frames:
    """Each pixel of this colour, and those next to it, as it usually is where no disc of it is seen."""
    shade = np.array(COLOURS[name], dtype=np.float64)[:, None, None]
    own = _wider(np.sqrt(((film - shade) ** 2).sum(axis=1)) < NEAR_COLOUR)
    rest = np.where(own[:, None], np.nan, film)
    # Where the disc never leaves, what is usual in the whole picture.
    rest[0] = np.where(own.all(axis=0), np.median(film), rest[0])
    usual = np.nanmedian(rest, axis=0)
    return np.where(own[:, None], usual[None], film).astype(np.uint8)


def _wider(mask: Bool[np.ndarray, "T h w"]) -> Bool[np.ndarray, "T h w"]:
    """A mask with the pixels beside it: edges are of two colours."""
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(mask, structure=np.ones((1, 3, 3), dtype=np.bool_)), dtype=np.bool_)
