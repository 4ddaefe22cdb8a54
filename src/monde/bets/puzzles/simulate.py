"""One placement, simulated by Box2D with the constants of PHYRE's own simulator.

`src/simulator/` of PHYRE: 60 steps a second, 15 velocity and 20 position iterations, 1000 steps at most, solved when
the bodies touch for 180 steps on end; actions scaled and rounded as `action_mappers.py` does for the tier of one ball.
"""

import math
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float64

from monde.bets.puzzles.tasks import SCENE_PIXELS, Body, Shape, Task
from monde.errors import UsageError

if TYPE_CHECKING:
    import Box2D

Outcome = Literal["solved", "unsolved", "invalid"]

PIXELS_PER_METRE = 6.0
STEP_SECONDS = 1 / 60
MAX_STEPS, HELD_STEPS = 1000, 180
LEAST_RADIUS, GREATEST_RADIUS = 2, SCENE_PIXELS // 8
_DENSITY, _FRICTION, _RESTITUTION, _ANGULAR_DAMPING = 0.25, 0.5, 0.2, 0.01
_BALLS_TOUCH_METRES = 0.1 / PIXELS_PER_METRE


def place(action: Sequence[float]) -> tuple[int, int, int] | None:
    """Centre and radius in px of an action (x, y, r), each 0 to 1; none where it is out of bounds or the ball would
    leave the scene."""
    if len(action) != 3 or not all(0 <= value <= 1 for value in action):
        return None
    x, y = action[0] * (SCENE_PIXELS - 1), action[1] * (SCENE_PIXELS - 1)
    radius = action[2] * (GREATEST_RADIUS - LEAST_RADIUS) + LEAST_RADIUS
    if not (radius <= x <= SCENE_PIXELS - radius and radius <= y <= SCENE_PIXELS - radius):
        return None
    return int(x), int(y), round(radius)


def try_placement(task: Task, action: Sequence[float]) -> Outcome:
    """What comes of one placement.

    Raises:
        UsageError: Box2D is not installed.
    """
    ball = place(action)
    if ball is None or any(_overlaps(body, *ball) for body in task.bodies):
        return "invalid"
    engine = _box2d()
    world = engine.b2World(gravity=(0.0, -9.8), doSleep=True)
    bodies = [_add(world, body) for body in task.bodies]
    x, y, radius = ball
    _add(world, Body(x=x, y=y, angle=0.0, dynamic=True, colour="red", shapes=(Shape(radius=radius),)))
    return "solved" if _solves(world, task, bodies) else "unsolved"


def _box2d() -> ModuleType:
    try:
        # Its wrapper warns while it is imported, and ends the process where warnings are errors.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            import Box2D
    except ImportError as error:
        raise UsageError("puzzles need Box2D", remedy='pip install "monde[puzzles]"') from error
    return Box2D


def _solves(world: "Box2D.b2World", task: Task, bodies: Sequence["Box2D.b2Body"]) -> bool:
    first, second = (bodies[index] for index in task.goal)
    shapes = [task.bodies[index].shapes for index in task.goal]
    balls = all(len(of) == 1 and not of[0].corners for of in shapes)
    reach = sum(of[0].radius for of in shapes) / PIXELS_PER_METRE + _BALLS_TOUCH_METRES if balls else 0.0
    held = 0
    for step in range(MAX_STEPS):
        world.Step(STEP_SECONDS, 15, 20)
        touching = (first.position - second.position).length < reach if balls else _touching(first, second)
        held = held + 1 if touching else 0
        if held >= HELD_STEPS:
            return True
        # Where all sleep nothing changes any more.
        if step % 30 == 29 and not any(body.awake for body in bodies if body.type == 2):
            return touching and MAX_STEPS - step - 1 + held >= HELD_STEPS
    return False


def _touching(first: "Box2D.b2Body", second: "Box2D.b2Body") -> bool:
    return any(edge.contact.touching for edge in first.contacts if edge.other == second)


def _add(world: "Box2D.b2World", body: Body) -> "Box2D.b2Body":
    engine = _box2d()
    make = world.CreateDynamicBody if body.dynamic else world.CreateStaticBody
    made = make(
        position=(body.x / PIXELS_PER_METRE, body.y / PIXELS_PER_METRE),
        angle=body.angle,
        angularDamping=_ANGULAR_DAMPING,
        linearDamping=0.0,
    )
    for shape in body.shapes:
        form = (
            engine.b2PolygonShape(vertices=[(x / PIXELS_PER_METRE, y / PIXELS_PER_METRE) for x, y in shape.corners])
            if shape.corners
            else engine.b2CircleShape(radius=shape.radius / PIXELS_PER_METRE)
        )
        made.CreateFixture(
            shape=form, density=_DENSITY if body.dynamic else 0.0, friction=_FRICTION, restitution=_RESTITUTION
        )
    return made


def _overlaps(body: Body, x: float, y: float, radius: float) -> bool:
    """Whether a disc overlaps a body."""
    cos, sin = math.cos(body.angle), math.sin(body.angle)
    dx, dy = x - body.x, y - body.y
    point = np.array([cos * dx + sin * dy, cos * dy - sin * dx])
    return any(
        _distance(np.array(shape.corners), point) < radius
        if shape.corners
        else float(np.linalg.norm(point)) < radius + shape.radius
        for shape in body.shapes
    )


def _distance(corners: Float64[np.ndarray, "n 2"], point: Float64[np.ndarray, " 2"]) -> float:
    """Of a point from a convex polygon; 0 inside."""
    along = np.roll(corners, -1, axis=0) - corners
    offset = point - corners
    turn = along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0]
    if (turn >= 0).all() or (turn <= 0).all():
        return 0.0
    share = np.clip((offset * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-12), 0, 1)
    return float(np.linalg.norm(offset - share[:, None] * along, axis=1).min())
