"""Continuity: what goes from one place to another passes all places between."""

import math
from dataclasses import replace

import numpy as np

from monde.worlds.minimal_pairs.timing import RATE_HZ, RISE_FRAMES, SEEN_FRAMES, Span, timeline
from monde.worlds.scenes3d.pairs.parts import EARTH, Draw, Parts, inside, on_floor, shoot, within
from monde.worlds.scenes3d.screens import MARGIN_METRES, panel, shade, shares
from monde.worlds.scenes3d.simulate import simulate
from monde.worlds.scenes3d.splits import SHAPES

_UP_FRAME = 1 + RISE_FRAMES
"""When both screens are whole: the object is in view before and after."""


def continuity(draw: Draw) -> Parts | None:
    """Behind one screen and out of the other without being seen in the gap, or in the gap and nowhere else.

    The one film: an object slides past both screens. The other: nobody does. Exchanged are what happens between the
    middles of the screens. Easy: no screens; the object jumps while the light is out.
    """
    if draw.grade == "easy":
        return _jump(draw)
    frames = 92 if draw.grade == "hidden" else 144
    body = draw.body(draw.shape())
    speed = draw.kinds.speed(draw.generator, 0.8, 2.2 if draw.grade == "hidden" else 1.9)
    away = draw.uniform(0.32, 0.4) if draw.grade == "hidden" else draw.uniform(1.02, 1.1)
    seen, r, y = SEEN_FRAMES / RATE_HZ, body.wide, draw.uniform(0.2, 1.2)
    way = 1.0 if draw.chance(0.5) else -1.0
    # Along its way, in m: hidden from `first` to `first_end` and from `second` to `second_end` (its centre).
    first = speed * (_UP_FRAME / RATE_HZ + seen) + 2 * r + 2 * MARGIN_METRES
    first_end = first + speed * away
    second = first_end + 4 * r + 4 * MARGIN_METRES + speed * 0.05 + draw.uniform(0.2, 0.5)
    second_end = second + speed * 0.32
    end = second_end + 2 * r + 2 * MARGIN_METRES + speed * seen
    start = draw.scenery.camera.target[0] - way * (end / 2 + draw.uniform(-0.2, 0.2))
    launched = replace(
        body,
        position=(start, y, body.tall),
        velocity=(way * speed, 0.0, 0.0),
        spin=(0.0, 0.0, draw.uniform(-1, 1)),
    )
    if math.ceil(end / speed * RATE_HZ) >= frames:
        return None
    ends = np.array([[start, y, body.tall], [start + way * end, y, body.tall]])
    if not within(draw, launched, ends).all():
        return None
    motion = simulate([launched], (), gravity=0.0, frames=frames, rate_hz=RATE_HZ, floor=False)
    plane, screens, above = y - r - 0.3, [], draw.chance(0.3)
    share = shares(frames, Span(_UP_FRAME, frames))
    for low, high in ((first, first_end), (second, second_end)):
        places = np.array([[start + way * at, y, body.tall] for at in (low, high)])
        rectangle = shade(draw.scenery.camera, places, launched.bounds, plane)
        screens.append(panel(rectangle, plane, share, from_above=above))
    shots = tuple(
        shoot(draw, [launched], on_floor(motion), gravity=EARTH, screens=screens, present=(there,))
        for there in (True, False)
    )
    cuts = tuple(round((low + high) / 2 / speed * RATE_HZ) for low, high in ((first, first_end), (second, second_end)))
    return Parts(shots=shots, cuts=cuts)


def _jump(draw: Draw) -> Parts | None:
    when = timeline(draw, blink_at_cut=True)
    body = draw.body(draw.shape(SHAPES))
    speed, direction = draw.kinds.speed(draw.generator, 0.8, 2.6), draw.uniform(0, 2 * math.pi)
    leap, way = draw.uniform(1.4, 2.8), draw.uniform(-0.5, 0.5) + (math.pi if draw.chance(0.5) else 0.0)
    x, y, spin = draw.uniform(-2, 2), draw.uniform(-1, 1.4), draw.uniform(-2, 2)
    back = speed * when.cut / RATE_HZ
    shots = []
    for jump in (0.0, leap):
        launched = replace(
            body,
            position=(
                x + jump * math.cos(way) - back * math.cos(direction),
                y + jump * math.sin(way) - back * math.sin(direction),
                body.tall,
            ),
            velocity=(speed * math.cos(direction), speed * math.sin(direction), 0.0),
            spin=(0.0, 0.0, spin),
        )
        motion = simulate([launched], (), gravity=0.0, frames=when.frames, rate_hz=RATE_HZ, floor=False)
        shot = shoot(draw, [launched], on_floor(motion), gravity=EARTH, blink=when.blink)
        if not inside(draw, shot, when.seen):
            return None
        shots.append(shot)
    return Parts(shots=tuple(shots), cuts=(when.cut,))
