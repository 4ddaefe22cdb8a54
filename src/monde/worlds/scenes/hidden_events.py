"""What happens behind a screen: how one object moves that is hidden for a declared time, by event.

All in pixels of the scene (the camera comes later); launched at frame 0 with a speed of the split, so that the event
falls into the hidden frames.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from monde.worlds.minimal_pairs.timing import RATE_HZ, Span
from monde.worlds.scenes.bodies import Body, Box, inset
from monde.worlds.scenes.pairs.parts import Draw
from monde.worlds.scenes.scenery import ground
from monde.worlds.scenes.splits import SHAPES, Shape

Event = Literal["none", "bounce", "flight", "stop"]
EVENTS: tuple[Event, ...] = get_args(Event)
"""Nothing (constant velocity), a bounce off a wall or the ground, gravity bending a flight, coming to rest."""

_THICK = 3.0
_BOUNCES, _STOPS = (0.15, 0.4), (0.3, 0.7)
"""When in the hidden time it happens, as a fraction of it. What bounces in its middle comes back to where it was seen
last: so earlier, that staying there is no answer."""

_REST_SHARE = 0.4
"""Share of stops by friction alone; the others end at a wall."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """One object's way before it is simulated.

    Args:
        body: As launched at frame 0.
        gravity: px/s².
        walls: That it may meet.
        floors: That it may meet, drawn as ground.
    """

    body: Body
    gravity: float = 0.0
    walls: tuple[Box, ...] = ()
    floors: tuple[Box, ...] = ()

    @property
    def solids(self) -> tuple[Box, ...]:
        """What it may meet."""
        return (*self.walls, *self.floors)


def _none(draw: Draw, up: Span) -> Course:
    """Straight on, at constant velocity."""
    shape = SHAPES[draw.between(0, len(SHAPES) - 1)]
    speed, direction = _speed(draw, up), draw.uniform(0, 2 * math.pi)
    velocity = (speed * math.cos(direction), speed * math.sin(direction))
    spin = 0.0 if shape == "disc" else draw.uniform(-2, 2)
    middle = (up.start + up.stop) / 2 / RATE_HZ
    x, y = _central(draw)
    place = (x - velocity[0] * middle, y - velocity[1] * middle)
    return Course(body=_body(draw, shape, place, velocity, angle=draw.uniform(0, 2 * math.pi), spin=spin))


def _flight(draw: Draw, up: Span) -> Course:
    """A throw: nothing touches it."""
    shape = SHAPES[draw.between(0, len(SHAPES) - 1)]
    pull, speed = draw.uniform(12, 40), draw.kinds.speed(draw.generator)
    direction = -math.pi / 2 + draw.uniform(-0.7, 0.7)
    velocity = (speed * math.cos(direction), speed * math.sin(direction))
    spin = 0.0 if shape == "disc" else draw.uniform(-2, 2)
    x, y = _central(draw)
    at = up.stop / RATE_HZ
    place = (x - velocity[0] * at, y - velocity[1] * at - pull * at**2 / 2)
    body = _body(draw, shape, place, velocity, angle=draw.uniform(0, 2 * math.pi), spin=spin)
    return Course(body=body, gravity=pull)


def _bounce(draw: Draw, up: Span) -> Course:
    """Thrown back by a wall, or by the ground."""
    return _off_ground(draw, up) if draw.chance(0.5) else _off_wall(draw, up)


def _off_wall(draw: Draw, up: Span) -> Course:
    shape = SHAPES[draw.between(0, 1)]  # triangles would turn
    way, at = _way(draw), _moment(draw, up, _BOUNCES)
    slant = draw.uniform(-0.5, 0.5) if shape == "disc" else 0.0
    speed = _speed(draw, up)
    velocity = (way * speed * math.cos(slant), speed * math.sin(slant))
    radius = draw.kinds.radius(draw.generator)
    face, y = _central(draw)
    place = (face - way * radius * inset(shape) - velocity[0] * at, y - velocity[1] * at)
    body = _body(draw, shape, place, velocity, radius=radius, restitution=draw.uniform(0.85, 1.0))
    return Course(body=body, walls=(_wall(draw, face, way),))


def _off_ground(draw: Draw, up: Span) -> Course:
    at, pull = _moment(draw, up, _BOUNCES), draw.uniform(12, 40)
    speed, slant = draw.kinds.speed(draw.generator), draw.uniform(-0.7, 0.7)
    velocity = (speed * math.sin(slant), -speed * math.cos(slant))
    radius = draw.kinds.radius(draw.generator)
    x, floor = _central(draw)[0], draw.uniform(0.75, 1.0) * draw.side_pixels
    place = (x - velocity[0] * at, floor - radius - velocity[1] * at - pull * at**2 / 2)
    body = _body(draw, "disc", place, velocity, radius=radius, restitution=draw.uniform(0.75, 0.95))
    return Course(body=body, gravity=pull, floors=(ground(floor, draw.side_pixels),))


def _stop(draw: Draw, up: Span) -> Course:
    """A square slides on the ground, ever slower, and comes to rest: of itself, or at a wall that it does not leave."""
    way, at, pull = _way(draw), _moment(draw, up, _STOPS), draw.uniform(25, 60)
    speed, radius = draw.kinds.speed(draw.generator, 12), draw.kinds.radius(draw.generator)
    left = 0.0 if draw.chance(_REST_SHARE) else draw.uniform(0.35, 0.7)
    slowing = speed * (1 - left) / at
    x, floor = _central(draw)[0], draw.uniform(0.75, 1.0) * draw.side_pixels
    half = radius * inset("square")
    begins = x - way * (speed * at - slowing * at**2 / 2)
    body = _body(
        draw,
        "square",
        (begins, floor - half),
        (way * speed, 0.0),
        radius=radius,
        friction=slowing / pull,
        restitution=0.0,
    )
    walls = (_wall(draw, x + way * half, way),) if left else ()
    return Course(body=body, gravity=pull, walls=walls, floors=(ground(floor, draw.side_pixels),))


COURSES: Mapping[Event, Callable[[Draw, Span], Course]] = MappingProxyType(
    {"none": _none, "bounce": _bounce, "flight": _flight, "stop": _stop}
)
"""By event: draws a course, given the frames in which the object is hidden."""


def _body(
    draw: Draw,
    shape: Shape,
    place: tuple[float, float],
    velocity: tuple[float, float],
    *,
    radius: float | None = None,
    angle: float = 0.0,
    spin: float = 0.0,
    friction: float = 0.0,
    restitution: float = 1.0,
) -> Body:
    return Body(
        shape=shape,
        radius=draw.kinds.radius(draw.generator) if radius is None else radius,
        colour=draw.kinds.draw_colours(draw.generator, 1)[0],
        position=place,
        velocity=velocity,
        angle=angle,
        spin=spin,
        friction=friction,
        restitution=restitution,
    )


def _speed(draw: Draw, up: Span) -> float:
    """A speed at which the way behind the screen is not wider than a screen."""
    return draw.kinds.speed(draw.generator, 8, max(17.0, min(34.0, 34.0 * RATE_HZ / up.frames)))


def _central(draw: Draw) -> tuple[float, float]:
    side = draw.side_pixels
    return draw.uniform(0.15, 0.85) * side, draw.uniform(0.15, 0.85) * side


def _way(draw: Draw) -> int:
    return 1 if draw.chance(0.5) else -1


def _moment(draw: Draw, up: Span, when: tuple[float, float]) -> float:
    """When it happens, seconds from the first frame."""
    return (up.start + draw.uniform(*when) * up.frames) / RATE_HZ


def _wall(draw: Draw, face: float, way: int) -> Box:
    """A wall of the whole height of the picture, so that it is seen above any screen."""
    far = 4.0 * draw.side_pixels
    return (min(face, face + way * _THICK), -far, max(face, face + way * _THICK), far)
