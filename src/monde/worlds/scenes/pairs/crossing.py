"""Two possible motions that meet in one state of affairs at the cut: inertia, gravity, collision.

At that frame both films show the same picture, in full view, and differ only in velocities. Exchanging what comes after
makes motions that no force explains, of the same frames and the same steps from frame to frame.
"""

import math
from dataclasses import replace

from monde.worlds.minimal_pairs.timing import RATE_HZ, Timeline, timeline
from monde.worlds.scenes.bodies import Body, inset
from monde.worlds.scenes.film import Shot
from monde.worlds.scenes.pairs.parts import Draw, Parts, cover, inside, shoot, with_screens
from monde.worlds.scenes.simulate import simulate_around
from monde.worlds.scenes.splits import SHAPES

_FASTEST = {"easy": 34.0, "hidden": 26.0, "long-hidden": 17.0}
"""Speeds, px/s, at which an object comes into view again before the film ends."""


def inertia(draw: Draw) -> Parts | None:
    """Nothing pushes, and the object turns, stops, or starts by itself."""
    when = timeline(draw, blink_at_cut=False)
    body = _body(draw)
    speed, direction = draw.kinds.speed(draw.generator, 8, _FASTEST[draw.grade]), draw.uniform(0, 2 * math.pi)
    turn = draw.uniform(math.radians(70), math.pi) * (1 if draw.chance(0.5) else -1)
    other = 0.0 if draw.chance(0.25) else speed
    first = replace(body, velocity=_polar(speed, direction))
    second = replace(body, velocity=_polar(other, direction + turn))
    return _cross(draw, when, [(first,), (second,)], gravity=0.0)


def gravity(draw: Draw) -> Parts | None:
    """In mid-air, with nothing to bounce off, what falls turns upwards, or what rises is thrown down."""
    when = timeline(draw, blink_at_cut=False)
    body = _body(draw)
    pull = {"easy": (30.0, 70.0), "hidden": (20.0, 50.0), "long-hidden": (15.0, 25.0)}[draw.grade]
    slant = draw.uniform(-0.6, 0.6)
    speed = draw.kinds.speed(draw.generator, 8, _FASTEST[draw.grade])
    vx, vy = speed * math.sin(slant), speed * math.cos(slant)
    falling, rising = replace(body, velocity=(vx, vy)), replace(body, velocity=(vx, -vy))
    return _cross(draw, when, [(falling,), (rising,)], gravity=draw.uniform(*pull))


def collision(draw: Draw) -> Parts | None:
    """What is hit does not move, or moves unhit; momentum appears, vanishes, or is turned round.

    The one film: the first object comes and hits the second. The other: the second comes and hits the first, or both
    stay where they are, all but touching.
    """
    when = timeline(draw, blink_at_cut=False)
    shape = SHAPES[draw.between(0, 1)]  # triangles would turn
    direction = draw.uniform(0, 2 * math.pi) if shape == "disc" else draw.between(0, 3) * math.pi / 2
    bounce = draw.uniform(0.85, 1.0)
    left, right = (
        replace(_body(draw), shape=shape, angle=0.0, spin=0.0, restitution=restitution, colour=colour)
        for restitution, colour in zip((bounce, bounce), draw.kinds.draw_colours(draw.generator, 2), strict=True)
    )
    apart = inset(shape) * (left.radius + right.radius) + _GAP_PIXELS
    ux, uy = math.cos(direction), math.sin(direction)
    x, y = left.position
    right = replace(right, position=(x + apart * ux, y + apart * uy))
    speed = draw.kinds.speed(draw.generator, 8, _FASTEST[draw.grade])
    hit = (replace(left, velocity=(speed * ux, speed * uy)), right)
    still = draw.chance(0.5)
    other = (left, right if still else replace(right, velocity=(-speed * ux, -speed * uy)))
    return _cross(draw, when, [hit, other], gravity=0.0)


_GAP_PIXELS = 0.05
"""Between objects that are about to touch: less than a physics step of the slowest covers."""


def _body(draw: Draw) -> Body:
    """An object near the middle, as it is at the cut."""
    side = draw.side_pixels
    shape = SHAPES[draw.between(0, len(SHAPES) - 1)]
    return Body(
        shape=shape,
        radius=draw.kinds.radius(draw.generator),
        colour=draw.kinds.draw_colours(draw.generator, 1)[0],
        position=(draw.uniform(0.3, 0.7) * side, draw.uniform(0.3, 0.7) * side),
        angle=draw.uniform(0, 2 * math.pi),
        spin=0.0 if shape == "disc" else draw.uniform(-2, 2),
    )


def _cross(draw: Draw, when: Timeline, launches: list[tuple[Body, ...]], gravity: float) -> Parts | None:
    shots: list[Shot] = []
    for bodies in launches:
        motion = simulate_around(bodies, gravity=gravity, frames=when.frames, moment=when.cut, rate_hz=RATE_HZ)
        shot = shoot(draw, bodies, motion, gravity=gravity, blink=when.blink)
        if not inside(draw, shot, when.seen):
            return None
        shots.append(shot)
    if when.up is not None:
        screen = cover(draw, shots, when.up, tuple(range(len(launches[0]))))
        if screen is None:
            return None
        shots = [with_screens(shot, (screen,)) for shot in shots]
    return Parts(shots=tuple(shots), cuts=(when.cut,))


def _polar(length: float, angle: float) -> tuple[float, float]:
    return length * math.cos(angle), length * math.sin(angle)
