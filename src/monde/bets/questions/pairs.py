"""Possible or not: two films that begin alike, of which one breaks a principle of physics; and their text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8

from monde.bets.questions.draw import Draw, Made
from monde.worlds.minimal_pairs import principles
from monde.worlds.minimal_pairs.timing import RATE_HZ
from monde.worlds.scenes.bodies import Body
from monde.worlds.scenes.film import Shot
from monde.worlds.scenes.pairs.make import drawn_set
from monde.worlds.scenes.splits import SHAPES

T = TypeVar("T")

GRADE_OF_PAIRS = {"easy": "easy", "middle": "hidden", "hard": "long-hidden"}
FILMS = ("the first film", "the second film")

_N = r"(-?\d+(?:\.\d+)?)"
_SOLID = re.compile(rf"^solid, frames (\d+) to (\d+): x {_N} to {_N} px, y {_N} to {_N} px$", re.MULTILINE)
_OBJECT = re.compile(
    rf"^object (\d+), frames (\d+) to (\d+): (\w+) of colour (\d+) (\d+) (\d+), radius {_N} px, "
    rf"friction {_N}, restitution {_N}, plane (\d+)$",
    re.MULTILINE,
)
_ROW = re.compile(rf"^(\d+) (\d+) {_N} {_N} {_N} {_N} {_N} {_N}$", re.MULTILINE)
_GRAVITY = re.compile(rf"gravity {_N} px/s\^2")


@dataclass(frozen=True, kw_only=True)
class Told:
    """One film's states as told.

    Args:
        gravity: px/s² downwards.
        solids: First frame, last frame, and box.
        bodies: By frame, the objects that exist, by number.
    """

    gravity: float
    solids: tuple[tuple[int, int, tuple[float, float, float, float]], ...]
    bodies: tuple[dict[int, Body], ...]


def possible_or_not(draw: Draw) -> Made:
    """Which of two films is possible; the principles in turn."""
    asked = principles()[draw.number % len(principles())]
    seed = int(draw.generator.integers(2**31))
    shots, cuts, films = drawn_set(asked, GRADE_OF_PAIRS[draw.grade], seed, 0, split=draw.split)
    begins = int(draw.generator.integers(2))
    possible = _turns(films.shape[1], (), begins)
    broken = _turns(films.shape[1], cuts, begins) if cuts else np.full(films.shape[1], 2 + begins)
    right = draw.turn % 2
    order = (possible, broken) if right == 0 else (broken, possible)
    shown: list[UInt8[np.ndarray, "T 3 h w"]] = [films[begins], films[2 + begins]]
    texts = [f"Film {index + 1}:\n{tell_film(shots, turns)}" for index, turns in enumerate(order)]
    return draw.choice(
        "One of the two films shows what can happen, the other what cannot. Which film is possible?",
        f"Two films at {RATE_HZ:g} frames a second; x to the right, y downwards. Objects are told of whether or not "
        "they are seen, and whether or not the light is on.\n" + "\n".join(texts),
        FILMS,
        right,
        about={"ask": "possible"},
        sensors={"first": shown[right], "second": shown[1 - right]},
    )


def read_films(text: str) -> tuple[Told, Told]:
    """The two films that `possible_or_not` told."""
    _, first, second = re.split(r"^Film [12]:$", text, flags=re.MULTILINE)
    return read_film(first), read_film(second)


def _turns(frames: int, cuts: tuple[int, ...], begins: int) -> np.ndarray:
    """Which shot each frame is of, as `monde.worlds.minimal_pairs.spliced` takes them."""
    turns = np.searchsorted(np.array(cuts), np.arange(frames)) % 2 if cuts else np.zeros(frames, dtype=np.int64)
    return turns if begins == 0 else 1 - turns


def tell_film(shots: Sequence[Shot], turns: np.ndarray) -> str:
    """One film as text; `turns` says which shot each frame is of."""
    frames = len(turns)
    lines = [f"{frames} frames, gravity {shots[turns[0]].gravity:.4f} px/s^2"]
    for (x0, y0, x1, y1), first, last in _spans([_solids(shots[turn]) for turn in turns]):
        lines.append(f"solid, frames {first} to {last}: x {x0:.3f} to {x1:.3f} px, y {y0:.3f} to {y1:.3f} px")
    for k in range(len(shots[0].bodies)):
        looks = [
            [_look(shots[turn], frame, k)] if shots[turn].take.present[frame, k] else []
            for frame, turn in enumerate(turns)
        ]
        lines += [f"object {k + 1}, frames {first} to {last}: {look}" for look, first, last in _spans(looks)]
    lines.append("frame object x_px y_px vx_px_s vy_px_s angle_rad spin_rad_s")
    for frame, turn in enumerate(turns):
        motion = shots[turn].motion
        for k in range(len(shots[turn].bodies)):
            if shots[turn].take.present[frame, k]:
                state = (
                    *motion.position[frame, k],
                    *motion.velocity[frame, k],
                    motion.angle[frame, k],
                    motion.spin[frame, k],
                )
                lines.append(f"{frame} {k + 1} " + " ".join(f"{value:.4f}" for value in state))
    return "\n".join(lines)


def _solids(shot: Shot) -> list[tuple[float, float, float, float]]:
    return [
        (float(p.boxes[0, 0]), float(p.boxes[0, 1]), float(p.boxes[0, 2]), float(p.boxes[0, 3]))
        for p in shot.take.furniture
    ]


def _look(shot: Shot, frame: int, k: int) -> str:
    look, body = shot.take.looks[k], shot.bodies[k]
    colour = " ".join(map(str, look.colour))
    return (
        f"{look.shape} of colour {colour}, radius {look.radius:.4f} px, friction {body.friction:.4f}, "
        f"restitution {body.restitution:.4f}, plane {body.plane}"
    )


def _spans(told: Sequence[Sequence[T]]) -> list[tuple[T, int, int]]:
    """Each thing with the first and last frame of every stretch in which it is told."""
    found: list[tuple[T, int, int]] = []
    for frame, things in enumerate(told):
        for thing in things:
            for index, (known, first, last) in enumerate(found):
                if known == thing and last == frame - 1:
                    found[index] = (known, first, frame)
                    break
            else:
                found.append((thing, frame, frame))
    return found


def read_film(text: str) -> Told:
    """The film that `tell_film` told."""
    gravity = _GRAVITY.search(text)
    looks = [match.groups() for match in _OBJECT.finditer(text)]
    frames: dict[int, dict[int, Body]] = {}
    for row in _ROW.finditer(text):
        frame, number = int(row.group(1)), int(row.group(2))
        x, y, vx, vy, angle, spin = map(float, row.groups()[2:])
        for of, first, last, shape, red, green, blue, radius, friction, restitution, plane in looks:
            if int(of) == number and int(first) <= frame <= int(last):
                frames.setdefault(frame, {})[number] = Body(
                    shape=next(known for known in SHAPES if known == shape),
                    radius=float(radius),
                    colour=(int(red), int(green), int(blue)),
                    position=(x, y),
                    velocity=(vx, vy),
                    angle=angle,
                    spin=spin,
                    friction=float(friction),
                    restitution=float(restitution),
                    plane=int(plane),
                )
    solids = []
    for first, last, *edges in (match.groups() for match in _SOLID.finditer(text)):
        x0, x1, y0, y1 = map(float, edges)
        solids.append((int(first), int(last), (x0, y0, x1, y1)))
    count = int(text.split(" frames", 1)[0])
    return Told(
        gravity=0.0 if gravity is None else float(gravity.group(1)),
        solids=tuple(solids),
        bodies=tuple(frames.get(frame, {}) for frame in range(count)),
    )
