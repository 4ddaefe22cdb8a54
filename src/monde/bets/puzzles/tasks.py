"""The tasks: bodies and a goal, from PHYRE's own collection as decoded, as text, and back."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monde.errors import ContractError, DataError

SCENE_PIXELS = 256
TASKS_FILE = "tasks_decoded.jsonl.gz"
TIER = "BALL"
MAX_LINE_BYTES = 1024 * 1024
COLOURS = {1: "red", 2: "green", 3: "blue", 4: "purple", 5: "grey", 6: "black"}
"""By PHYRE's numbers. Red is the ball that is placed."""

_BODY = re.compile(
    r"^body (\d+): (static|dynamic), (\w+), at \((\S+), (\S+)\) px, angle (\S+) rad; (.*)$", re.MULTILINE
)
_SHAPE = re.compile(r"circle of radius (\S+) px|polygon ((?:\(\S+, \S+\) ?)+)px")
_CORNER = re.compile(r"\((\S+), (\S+)\)")
_GOAL = re.compile(r"body (\d+) \(\w+\) touches body (\d+) \(\w+\)")


@dataclass(frozen=True)
class Shape:
    """A circle of this radius, px, or a convex polygon of these corners relative to the body, px."""

    radius: float = 0.0
    corners: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Body:
    """One body: place in px (y upwards), angle in rad, whether it moves, colour, shapes."""

    x: float
    y: float
    angle: float
    dynamic: bool
    colour: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One puzzle: its bodies, and the two that are to touch."""

    id: str
    bodies: tuple[Body, ...]
    goal: tuple[int, int]


def load_tasks(folder: Path) -> Iterator[Task]:
    """Those of one ball in which one body is to touch another, in the file's order.

    Raises:
        DataError: The file is missing or malformed.
    """
    path = folder / TASKS_FILE
    if not path.exists():
        raise DataError(
            f"{folder} holds no puzzles", got=f"no {TASKS_FILE}", remedy="give the folder of PHYRE's decoded tasks"
        )
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            while line := file.readline(MAX_LINE_BYTES):
                told = json.loads(line)
                first, second, relations = told["goal"]
                if told["tier"] == TIER and relations == ["TOUCHING"]:
                    yield Task(id=told["id"], bodies=tuple(map(_body, told["bodies"])), goal=(first, second))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is malformed", got=repr(error), remedy="fetch it again") from error


def tell_task(task: Task) -> str:
    """The whole puzzle as text: numbers as they are."""
    a, b = task.goal
    lines = [
        f"A scene {SCENE_PIXELS} px wide and high, seen from the side; x to the right, y upwards; 6 px are 1 m.",
        "Gravity 9.8 m/s^2 downwards; density 0.25, friction 0.5, restitution 0.2; Box2D in steps of 1/60 s.",
        "Everything is at rest until the red ball is placed; then all is let go, for 1000 steps.",
        f"Goal: body {a} ({task.bodies[a].colour}) touches body {b} ({task.bodies[b].colour}) for 3 s on end.",
    ]
    for index, body in enumerate(task.bodies):
        shapes = "; ".join(
            f"polygon {' '.join(f'({x!r}, {y!r})' for x, y in shape.corners)} px"
            if shape.corners
            else f"circle of radius {shape.radius!r} px"
            for shape in body.shapes
        )
        kind = "dynamic" if body.dynamic else "static"
        lines.append(
            f"body {index}: {kind}, {body.colour}, at ({body.x!r}, {body.y!r}) px, angle {body.angle!r} rad; {shapes}"
        )
    return "\n".join(lines)


def read_task(text: str) -> Task:
    """The puzzle that `tell_task` told.

    Raises:
        ContractError: The text tells none.
    """
    goal = _GOAL.search(text)
    bodies = tuple(
        Body(
            x=float(x),
            y=float(y),
            angle=float(angle),
            dynamic=kind == "dynamic",
            colour=colour,
            shapes=tuple(_shape(match) for match in _SHAPE.finditer(shapes)),
        )
        for _, kind, colour, x, y, angle, shapes in _BODY.findall(text)
    )
    if goal is None or not bodies:
        raise ContractError("this text does not tell a puzzle", got=text[:80], expected="bodies and a goal")
    return Task(id="", bodies=bodies, goal=(int(goal.group(1)), int(goal.group(2))))


def _shape(match: "re.Match[str]") -> Shape:
    if match.group(1) is not None:
        return Shape(radius=float(match.group(1)))
    return Shape(corners=tuple((float(x), float(y)) for x, y in _CORNER.findall(match.group(2))))


def _body(told: dict[str, object]) -> Body:
    shapes, x, y, angle = told["shapes"], told["x"], told["y"], told["angle"]
    if not isinstance(shapes, list):
        raise TypeError(f"shapes {shapes!r}")
    made = []
    for shape in shapes:
        corners = shape.get("polygon") or []
        made.append(
            Shape(radius=float(shape.get("circle", 0.0)), corners=tuple((float(u), float(v)) for u, v in corners))
        )
    return Body(
        x=float(str(x)),
        y=float(str(y)),
        angle=float(str(angle)),
        dynamic=told["type"] == "DYNAMIC",
        colour=COLOURS.get(int(str(told["color"])), "black"),
        shapes=tuple(made),
    )
