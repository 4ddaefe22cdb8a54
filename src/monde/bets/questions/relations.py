"""Questions on spatial relations: left of, above, nearer, hidden by, reachable; now, soon, later."""

import math

import numpy as np
from jaxtyping import Float64

from monde.bets.questions.draw import Draw, Made
from monde.bets.questions.rooms import (
    SCREEN,
    Room,
    draw_siblings,
    frames_of,
    pictures,
    surroundings,
)
from monde.bets.questions.rooms_text import tell_room, tell_screen
from monde.bets.questions.stage import Stage, draw_door, draw_place, tell_stage
from monde.errors import WorldError
from monde.limits import MAX_BETS_TRIES
from monde.worlds.scenes.screens import around, standing
from monde.worlds.scenes.simulate import Motion

RELATIONS = ("left-of", "above", "nearer", "hidden-by", "reachable")
MARGIN_PIXELS = 2.5
"""Least distance from the border between yes and no."""

YES_NO = ("yes", "no")


def spatial_relations(draw: Draw) -> Made:
    """Five relations in turn, asked of the last moment shown (easy), 0.6 s later, and 1.2 s later (hard)."""
    relation, yes = RELATIONS[draw.number % len(RELATIONS)], draw.turn % 2 == 0
    order = YES_NO if draw.turn // 2 % 2 == 0 else YES_NO[::-1]
    right = order.index("yes" if yes else "no")
    if relation == "reachable":
        return _reachable(draw, yes, order, right)
    seconds = draw.by_grade(0.0, 0.6, 1.2)
    frames = frames_of(seconds)
    for _ in range(MAX_BETS_TRIES):
        ((room, past),) = draw_siblings(draw.generator, 1, 3, draw.grade, draw.split)
        future = room.future(frames)
        if relation == "hidden-by":
            made = _hidden(draw, room, past, future, seconds, yes, order, right)
            if made is not None:
                return made
        elif (margin := holds(relation, future.position[-1])) * (1 if yes else -1) > MARGIN_PIXELS:
            return _compared(draw, room, past, relation, seconds, order, right)
    raise WorldError(f"no room of the relation {relation!r} could be drawn", got=margin)


def holds(relation: str, places: Float64[np.ndarray, "K 2"]) -> float:
    """How far on the side of yes the relation of the first discs is, px."""
    a, b = places[0], places[1]
    if relation == "left-of":
        return float(b[0] - a[0])
    if relation == "above":
        return float(b[1] - a[1])
    return float(math.dist(a, places[2]) - math.dist(a, b))


def _compared(
    draw: Draw, room: Room, past: Motion, relation: str, seconds: float, order: tuple[str, ...], right: int
) -> Made:
    a, b, c = room.names
    asked = {
        "left-of": f"left of (at a smaller x than) the {b} disc",
        "above": f"above (at a smaller y than) the {b} disc",
        "nearer": f"nearer to the {b} disc than to the {c} disc, from centre to centre",
    }[relation]
    radii = [body.radius for body in room.bodies]
    return draw.choice(
        f"{_when(seconds)} is the {a} disc {asked}?",
        tell_room(room, past),
        order,
        right,
        about={"ask": relation, "discs": list(room.names), "seconds": seconds},
        sensors={"film": pictures(room.names, radii, past.position, surroundings(draw.generator))},
    )


def _hidden(
    draw: Draw,
    room: Room,
    past: Motion,
    future: Motion,
    seconds: float,
    yes: bool,
    order: tuple[str, ...],
    right: int,
) -> Made | None:
    """A screen stands where the first disc (yes) or the second (no) will be, and hides no disc before that."""
    whose = 0 if yes else 1
    radii = [body.radius for body in room.bodies]
    slack = draw.generator.uniform(0.5, 4.0, size=4) * np.array([-1, -1, 1, 1])
    box = around(future.position[-1:, whose], radii[whose]) + slack
    reach = max(radii) + 0.5
    # The other disc is wholly in view; and while the film runs (now apart) none is touched by the screen.
    shown = past.position[:-1] if seconds == 0 else past.position
    others = future.position[-1, [1 - whose]]
    for places in (shown.reshape(-1, 2), others):
        inside = (places > box[:2] - reach).all(axis=1) & (places < box[2:] + reach).all(axis=1)
        if inside.any() and not (seconds == 0 and places is not others):
            return None
    panel = standing(box, past.frames, SCREEN)
    name = room.names[0]
    edges = [float(edge) for edge in box]
    return draw.choice(
        f"{_when(seconds)} is the {name} disc wholly hidden by the grey screen?",
        tell_room(room, past, screen=tell_screen(edges, "throughout")),
        order,
        right,
        about={"ask": "hidden-by", "discs": list(room.names), "seconds": seconds},
        sensors={"film": pictures(room.names, radii, past.position, surroundings(draw.generator), [panel])},
    )


def _reachable(draw: Draw, yes: bool, order: tuple[str, ...], right: int) -> Made:
    """A goal in the other room, with a door or without; in the same room every third time that it is reachable."""
    generator = draw.generator
    here = bool(generator.integers(2))
    same = yes and generator.uniform() < 1 / 3
    start, goal = draw_place(generator, here), draw_place(generator, here if same else not here)
    door = draw_door(generator) if yes and not (same and generator.uniform() < 0.5) else math.nan
    stage = Stage(door, np.stack([start, goal]))
    shown = stage.pictures()
    return draw.choice(
        "Can the disc get to the goal?",
        tell_stage(door, start, goal),
        order,
        right,
        about={"ask": "reachable"},
        sensors={"start": shown[:1], "goal": shown[1:]},
    )


def _when(seconds: float) -> str:
    return "At the last moment shown," if seconds == 0 else f"{seconds:g} s after the last moment shown,"
