"""Two possible motions that meet in one state at the cut: inertia, gravity, collision.

At that frame both films show the same picture, in full view, and differ only in velocities, as in the plane.
"""

import math
from dataclasses import replace

from monde.worlds.minimal_pairs.timing import RATE_HZ, Timeline, timeline
from monde.worlds.scenes3d.bodies import Body, Vector, about_vertical
from monde.worlds.scenes3d.film import Shot
from monde.worlds.scenes3d.pairs.parts import EARTH, Draw, Parts, cover, inside, on_floor, shoot, with_screens
from monde.worlds.scenes3d.simulate import simulate_around

_FASTEST = {"easy": 3.4, "hidden": 2.6, "long-hidden": 1.7}
"""Speeds, m/s, at which an object comes into view again before the film ends."""

_GAP_METRES = 0.002
"""Between objects that are about to touch."""


def inertia(draw: Draw) -> Parts | None:
    """What slides on ice turns, stops, or starts by itself."""
    when = timeline(draw, blink_at_cut=False)
    body = _slider(draw, draw.body(draw.shape()))
    speed, direction = draw.kinds.speed(draw.generator, 0.8, _FASTEST[draw.grade]), draw.uniform(0, 2 * math.pi)
    turn = draw.uniform(math.radians(70), math.pi) * (1 if draw.chance(0.5) else -1)
    other = 0.0 if draw.chance(0.25) else speed
    first = replace(body, velocity=_flat(speed, direction), spin=(0.0, 0.0, draw.uniform(-2, 2)))
    return _cross(draw, when, [(first,), (replace(first, velocity=_flat(other, direction + turn)),)], gravity=None)


def gravity(draw: Draw) -> Parts | None:
    """In mid-air, with nothing to bounce off, what falls turns upwards, or what rises is thrown down."""
    when = timeline(draw, blink_at_cut=False)
    pull = {"easy": (3.0, 7.0), "hidden": (1.8, 4.0), "long-hidden": (0.8, 1.5)}[draw.grade]
    slant, direction = draw.uniform(0, 0.6), draw.uniform(0, 2 * math.pi)
    speed = draw.kinds.speed(draw.generator, 0.8, _FASTEST[draw.grade])
    x, y, _ = _flat(speed * math.sin(slant), direction)
    z = speed * math.cos(slant)
    body = replace(
        draw.body(draw.shape()),
        position=(draw.uniform(-1.4, 1.4), draw.uniform(-0.8, 1.2), draw.uniform(1.8, 4.2)),
        restitution=0.5,
        friction=0.3,
        spin=(0.0, 0.0, draw.uniform(-2, 2)),
    )
    falling, rising = replace(body, velocity=(x, y, -z)), replace(body, velocity=(x, y, z))
    return _cross(draw, when, [(falling,), (rising,)], gravity=draw.uniform(*pull))


def collision(draw: Draw) -> Parts | None:
    """What is hit does not move, or moves unhit; momentum appears, vanishes, or is turned round.

    The one film: the first object comes and hits the second. The other: the second comes and hits the first, or both
    stay where they are, all but touching. Both are of one size: else they would meet above or below their centres, and
    the greater would be lifted or tilted.
    """
    when = timeline(draw, blink_at_cut=False)
    shape = draw.shape(("sphere", "box"))
    direction, bounce = draw.uniform(0, 2 * math.pi), draw.uniform(0.85, 1.0)
    colours = draw.kinds.draw_colours(draw.generator, 2)
    made = [
        replace(
            draw.body(shape), colour=colour, restitution=bounce, quaternion=about_vertical(direction), spin=(0, 0, 0)
        )
        for colour in colours
    ]
    left = _slider(draw, made[0])
    right = replace(made[1], radius=left.radius)
    apart = left.half_sizes[0] + right.half_sizes[0] + _GAP_METRES
    ux, uy, _ = _flat(1.0, direction)
    right = replace(right, position=(left.position[0] + apart * ux, left.position[1] + apart * uy, right.tall))
    speed = draw.kinds.speed(draw.generator, 0.8, _FASTEST[draw.grade])
    hit = (replace(left, velocity=_flat(speed, direction)), right)
    still = draw.chance(0.5)
    other = (left, right if still else replace(right, velocity=_flat(-speed, direction)))
    return _cross(draw, when, [hit, other], gravity=None)


def _slider(draw: Draw, body: Body) -> Body:
    """An object on the floor near the middle, as it is at the cut."""
    return replace(body, position=(draw.uniform(-1.2, 1.2), draw.uniform(-1.0, 1.4), body.tall))


def _cross(draw: Draw, when: Timeline, launches: list[tuple[Body, ...]], gravity: float | None) -> Parts | None:
    """`gravity` of what flies; none of what slides on the floor."""
    shots: list[Shot] = []
    for bodies in launches:
        motion = simulate_around(
            bodies,
            gravity=gravity or 0.0,
            frames=when.frames,
            moment=when.cut,
            rate_hz=RATE_HZ,
            floor=gravity is not None,
        )
        if gravity is not None and motion.contacts[: when.seen[1].stop].any():
            return None
        if gravity is None:
            motion = on_floor(motion)
        shot = shoot(draw, bodies, motion, gravity=EARTH if gravity is None else gravity, blink=when.blink)
        if not inside(draw, shot, when.seen):
            return None
        shots.append(shot)
    if when.up is not None:
        screen = cover(draw, shots, when.up)
        if screen is None:
            return None
        shots = [with_screens(shot, (screen,)) for shot in shots]
    return Parts(shots=tuple(shots), cuts=(when.cut,))


def _flat(length: float, angle: float) -> Vector:
    return length * math.cos(angle), length * math.sin(angle), 0.0
