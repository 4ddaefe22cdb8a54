"""Things that stay what and where they are while nobody sees them: permanence, constancy of shape and of colour.

The two possible films are one, drawn with the object or without it, in one shape or colour or in another. They are cut
where the object is behind a screen; in easy films, while the light is out for a moment.
"""

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from monde.worlds.minimal_pairs.timing import RATE_HZ, Timeline, timeline
from monde.worlds.scenes.bodies import Body, Box, inset
from monde.worlds.scenes.pairs.parts import Draw, Parts, cover, inside, panel, shoot
from monde.worlds.scenes.pairs.parts import with_screens as behind
from monde.worlds.scenes.render import Panel
from monde.worlds.scenes.scenery import ground
from monde.worlds.scenes.simulate import Motion, simulate_around
from monde.worlds.scenes.splits import SHAPES

_Manner = Literal["drift", "rest", "flight"]
_FASTEST = {"easy": 26.0, "hidden": 22.0, "long-hidden": 16.5}


def permanence(draw: Draw) -> Parts | None:
    """An object that was there is gone, or one that was not is there."""
    manner: _Manner = ("drift", "rest", "flight")[draw.between(0, 2)]
    body = _body(draw, manner)
    return _keep(draw, manner, [body, body], present=(True, False))


def shape_constancy(draw: Draw) -> Parts | None:
    """An object has become one of another shape, of equal area, colour and motion."""
    manner: _Manner = ("drift", "flight")[draw.between(0, 1)]
    body = _body(draw, manner)
    one, other = (SHAPES[int(i)] for i in draw.generator.permutation(len(SHAPES))[:2])
    return _keep(draw, manner, [replace(body, shape=one), replace(body, shape=other)])


def colour_constancy(draw: Draw) -> Parts | None:
    """An object has another colour."""
    manner: _Manner = ("drift", "rest", "flight")[draw.between(0, 2)]
    body = _body(draw, manner)
    one, other = draw.kinds.draw_colours(draw.generator, 2)
    return _keep(draw, manner, [replace(body, colour=one), replace(body, colour=other)])


def _body(draw: Draw, manner: _Manner) -> Body:
    """The object as it is at the cut."""
    side, radius = draw.side_pixels, draw.kinds.radius(draw.generator)
    shape = SHAPES[draw.between(0, len(SHAPES) - 1)]
    x, y = draw.uniform(0.25, 0.75) * side, draw.uniform(0.3, 0.7) * side
    speed, direction = draw.kinds.speed(draw.generator, 8, _FASTEST[draw.grade]), draw.uniform(0, 2 * math.pi)
    rests = manner == "rest"
    return Body(
        shape=shape,
        radius=radius,
        colour=draw.kinds.draw_colours(draw.generator, 1)[0],
        position=(x, draw.uniform(0.72, 0.9) * side - radius * inset(shape) if rests else y),
        velocity=(0.0, 0.0) if rests else (speed * math.cos(direction), speed * math.sin(direction)),
        angle=0.0 if rests else draw.uniform(0, 2 * math.pi),
        spin=0.0 if rests else draw.uniform(-2, 2),
    )


def _keep(draw: Draw, manner: _Manner, bodies: list[Body], present: tuple[bool, bool] = (True, True)) -> Parts | None:
    when = timeline(draw, blink_at_cut=True)
    body = bodies[0]
    pull = draw.uniform(15, 40)
    floor: Box = ground(body.position[1] + body.radius * inset(body.shape), draw.side_pixels)
    if manner == "rest":
        motion = _still(body, when)
    else:
        fall = pull if manner == "flight" else 0.0
        motion = simulate_around([body], gravity=fall, frames=when.frames, moment=when.cut, rate_hz=RATE_HZ)
    furniture: tuple[Panel, ...] = ()
    if manner == "rest":
        furniture = (panel(draw, floor, draw.scenery.ground, when.frames),)
    weight = 0.0 if manner == "drift" else pull
    shots = [
        shoot(draw, [made], motion, gravity=weight, furniture=furniture, blink=when.blink, present=(there,))
        for made, there in zip(bodies, present, strict=True)
    ]
    if not all(inside(draw, shot, when.seen) for shot in shots):
        return None
    if when.up is not None:
        screen = cover(draw, shots, when.up, below=manner == "rest")
        if screen is None:
            return None
        shots = [behind(shot, (screen,)) for shot in shots]
    return Parts(shots=tuple(shots), cuts=(when.cut,))


def _still(body: Body, when: Timeline) -> Motion:
    """An object at rest on the ground; there is nothing to simulate."""
    frames = when.frames
    contacts = np.zeros((frames, 1, 2), dtype=np.bool_)
    contacts[:, 0, 1] = True
    return Motion(
        position=np.tile(np.array(body.position), (frames, 1, 1)),
        velocity=np.zeros((frames, 1, 2)),
        angle=np.full((frames, 1), body.angle),
        spin=np.zeros((frames, 1)),
        contacts=contacts,
    )
