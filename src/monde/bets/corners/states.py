"""The exact state of a film or of two rooms as one vector a moment: what corners of the state rendering see.

A film's vector holds `SLOTS` things (rooms: discs in the order of their colours' names; films of pairs: objects by
number), `SOLIDS` boxes, a screen and gravity, in px, px/s and px/s². What is not there is 0 throughout.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float32, Float64

from monde.bets.questions.pairs import Told
from monde.bets.questions.rooms import COLOURS
from monde.bets.questions.stage import CONFIG
from monde.worlds.scenes.bodies import Body

THING_NAMES = (
    "present",
    "x_px",
    "y_px",
    "vx_px_s",
    "vy_px_s",
    "radius_px",
    "red",
    "green",
    "blue",
    "square",
    "triangle",
)
"""Of one thing; colours are shares of 255."""

SLOTS = len(COLOURS)
"""Things that there is room for: a colour each in rooms."""

SOLIDS = 8
"""Boxes that there is room for."""

FILM_NAMES = (
    *(f"thing{k + 1}_{name}" for k in range(SLOTS) for name in THING_NAMES),
    *(f"solid{k + 1}_{edge}_px" for k in range(SOLIDS) for edge in ("x0", "y0", "x1", "y1")),
    *("screen", "screen_x0_px", "screen_y0_px", "screen_x1_px", "screen_y1_px"),
    "gravity_px_s2",
)
"""Of one moment of a film."""

LAYOUT_NAMES = ("x_px", "y_px", "door", "door_y_px")
"""Of one moment in two rooms; `door` is 1 where there is one, else the height is that of the middle."""

THING = len(THING_NAMES)
"""Numbers of one thing."""

SCREEN_AT = SLOTS * THING + SOLIDS * 4
"""Where in the vector it says whether there is a screen; its box follows."""

PLACES_AT = tuple(k * THING + axis for k in range(SLOTS) for axis in (1, 2))
"""Where in the vector the places of things are: x and y of the first, of the second, …"""

SLOT_OF: Mapping[str, int] = {name: index for index, name in enumerate(sorted(COLOURS))}
"""Slot of a disc in rooms, by the name of its colour."""

_COLOURS_255 = 255.0

Box = Sequence[float]


def room_states(
    names: Sequence[str],
    radii: Sequence[float],
    states: Float64[np.ndarray, "T K 4"],
    gravity: float,
    screens: Sequence[Box | None] = (),
) -> Float32[np.ndarray, "T S"]:
    """Of a room: x, y, vx, vy of its discs; a screen's box by frame, none where there is none."""
    told = np.zeros((len(states), len(FILM_NAMES)), dtype=np.float32)
    for k, (name, radius) in enumerate(zip(names, radii, strict=True)):
        at = SLOT_OF[name] * THING
        told[:, at] = 1
        told[:, at + 1 : at + 5] = states[:, k]
        told[:, at + 5] = radius
        told[:, at + 6 : at + 9] = np.array(COLOURS[name]) / _COLOURS_255
    for frame, box in enumerate(screens):
        if box is not None:
            told[frame, SCREEN_AT : SCREEN_AT + 5] = (1, *box)
    told[:, -1] = gravity
    return told


def film_states(told: Told) -> Float32[np.ndarray, "T S"]:
    """Of a film of pairs, as its text tells it; more things and solids than there is room for are left out."""
    states = np.zeros((len(told.bodies), len(FILM_NAMES)), dtype=np.float32)
    for frame, bodies in enumerate(told.bodies):
        for number, body in bodies.items():
            if number <= SLOTS:
                states[frame, (number - 1) * THING : number * THING] = _thing(body)
        solids = [box for first, last, box in told.solids if first <= frame <= last][:SOLIDS]
        for k, box in enumerate(solids):
            at = SLOTS * THING + 4 * k
            states[frame, at : at + 4] = box
    states[:, -1] = told.gravity
    return states


def layout_states(places: Float64[np.ndarray, "T 2"], door: float) -> Float32[np.ndarray, "T 4"]:
    """Of two rooms; `door` NaN where there is none."""
    there = not np.isnan(door)
    height = door if there else CONFIG.side_pixels / 2
    rest = np.tile([float(there), height], (len(places), 1))
    return np.concatenate([places, rest], axis=1).astype(np.float32)


def _thing(body: Body) -> tuple[float, ...]:
    red, green, blue = (value / _COLOURS_255 for value in body.colour)
    shape = (float(body.shape == "square"), float(body.shape == "triangle"))
    return (1.0, *body.position, *body.velocity, body.radius, red, green, blue, *shape)
