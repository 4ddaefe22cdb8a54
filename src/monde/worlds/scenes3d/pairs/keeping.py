"""Permanence, constancy of shape and of colour: as in the plane, the two possible films are one, drawn twice.

They are cut where the object is behind a screen; in easy films, while the light is out for a moment.
"""

import math
from dataclasses import replace
from typing import Literal

from monde.worlds.minimal_pairs.timing import RATE_HZ, timeline
from monde.worlds.scenes3d.bodies import Body
from monde.worlds.scenes3d.pairs.parts import (
    EARTH,
    Draw,
    Parts,
    cover,
    inside,
    on_floor,
    shoot,
    still,
    with_screens,
)
from monde.worlds.scenes3d.simulate import simulate_around
from monde.worlds.scenes3d.splits import SHAPES

_Manner = Literal["slide", "rest", "flight"]
_FASTEST = {"easy": 2.6, "hidden": 2.2, "long-hidden": 1.65}


def permanence(draw: Draw) -> Parts | None:
    """An object that was there is gone, or one that was not is there."""
    manner: _Manner = ("slide", "rest", "flight")[draw.between(0, 2)]
    body = _body(draw, manner)
    return _keep(draw, manner, [body, body], present=(True, False))


def shape_constancy(draw: Draw) -> Parts | None:
    """An object has become one of another shape, of equal volume, colour and motion."""
    manner: _Manner = ("slide", "rest", "flight")[draw.between(0, 2)]
    body = _body(draw, manner)
    one, other = (SHAPES[int(i)] for i in draw.generator.permutation(len(SHAPES))[:2])
    return _keep(draw, manner, [replace(body, shape=one), replace(body, shape=other)])


def colour_constancy(draw: Draw) -> Parts | None:
    """An object has another colour."""
    manner: _Manner = ("slide", "rest", "flight")[draw.between(0, 2)]
    body = _body(draw, manner)
    one, other = draw.kinds.draw_colours(draw.generator, 2)
    return _keep(draw, manner, [replace(body, colour=one), replace(body, colour=other)])


def _body(draw: Draw, manner: _Manner) -> Body:
    """The object as it is at the cut."""
    body = draw.body(draw.shape())
    x, y, z = draw.uniform(-1.4, 1.4), draw.uniform(-1.0, 1.4), draw.uniform(1.2, 2.4)
    speed = draw.kinds.speed(draw.generator, 0.8, _FASTEST[draw.grade])
    direction, climb = draw.uniform(0, 2 * math.pi), draw.uniform(-0.7, 0.7)
    if manner == "rest":
        speed = 0.0
    flat = speed * math.cos(climb) if manner == "flight" else speed
    return replace(
        body,
        position=(x, y, z if manner == "flight" else body.tall),
        velocity=(
            flat * math.cos(direction),
            flat * math.sin(direction),
            speed * math.sin(climb) if manner == "flight" else 0.0,
        ),
        spin=(0.0, 0.0, 0.0 if manner == "rest" else draw.uniform(-2, 2)),
        restitution=0.5,
        friction=0.3,
    )


def _keep(draw: Draw, manner: _Manner, bodies: list[Body], present: tuple[bool, bool] = (True, True)) -> Parts | None:
    when = timeline(draw, blink_at_cut=True)
    pull = draw.uniform(1.5, 3.5) if manner == "flight" else EARTH
    shots = []
    for body, there in zip(bodies, present, strict=True):
        if manner == "flight":
            # Thrown so that it does not come down before it was seen: there is nothing to bounce off in the air.
            motion = simulate_around([body], gravity=pull, frames=when.frames, moment=when.cut, rate_hz=RATE_HZ)
            if motion.contacts[: when.seen[1].stop].any():
                return None
        else:
            launched = replace(body, position=(*body.position[:2], body.tall))
            motion = still(launched, when.frames)
            if manner == "slide":
                motion = on_floor(
                    simulate_around(
                        [launched], gravity=0.0, frames=when.frames, moment=when.cut, rate_hz=RATE_HZ, floor=False
                    )
                )
        shots.append(shoot(draw, [body], motion, gravity=pull, blink=when.blink, present=(there,)))
    if not all(inside(draw, shot, when.seen) for shot in shots):
        return None
    if when.up is not None:
        screen = cover(draw, shots, when.up)
        if screen is None:
            return None
        shots = [with_screens(shot, (screen,)) for shot in shots]
    return Parts(shots=tuple(shots), cuts=(when.cut,))
