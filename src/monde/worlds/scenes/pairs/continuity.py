"""Continuity: what goes from one place to another passes all places between."""

import math
from dataclasses import replace

import numpy as np

from monde.worlds.minimal_pairs.timing import RATE_HZ, RISE_FRAMES, SEEN_FRAMES, Span, timeline
from monde.worlds.scenes.bodies import Body
from monde.worlds.scenes.pairs.parts import Draw, Parts, inside, reach, shoot
from monde.worlds.scenes.screens import MARGIN_PIXELS, rising
from monde.worlds.scenes.simulate import simulate
from monde.worlds.scenes.splits import SHAPES

_UP_FRAME = 1 + RISE_FRAMES
"""When both screens are whole: the object is in view before and after."""


def continuity(draw: Draw) -> Parts | None:
    """Behind one screen and out of the other without being seen in the gap, or in the gap and nowhere else.

    The one film: an object passes both screens. The other: nobody does. Exchanged are what happens between the middles
    of the screens. Easy: no screens; the object jumps while the light is out.
    """
    if draw.grade == "easy":
        return _jump(draw)
    frames = 92 if draw.grade == "hidden" else 112
    body = _body(draw, 12.5, 22.0 if draw.grade == "hidden" else 19.0)
    zoom, side = draw.scenery.camera.zoom, draw.side_pixels
    r, speed = reach(draw, body), abs(body.velocity[0]) * zoom
    away = draw.uniform(0.32, 0.4) if draw.grade == "hidden" else draw.uniform(1.02, 1.1)
    seen = SEEN_FRAMES / RATE_HZ
    # From left to right, in px of the picture: where the object starts, first screen, gap, second screen, end.
    start = r + 1
    first = start + r + speed * (_UP_FRAME / RATE_HZ + seen)
    first_end = first + 2 * (r + MARGIN_PIXELS) + speed * away
    second = first_end + 2 * r + 1 + speed * 0.05 + draw.uniform(1, 4)
    second_end = second + 2 * (r + MARGIN_PIXELS) + speed * 0.32
    end = second_end + r + speed * seen
    slack = side - (end + r + 1)
    needed = math.ceil((end - start) / speed * RATE_HZ)
    if slack < 0 or needed >= frames:
        return None
    shift = draw.uniform(0, slack)
    height = draw.uniform(0.3, 0.7) * side
    mirrored = draw.chance(0.5)

    def at(x: float) -> float:
        return side - (x + shift) if mirrored else x + shift

    camera = draw.scenery.camera
    middle = side / 2
    x0, y0 = (np.array([at(start), height]) - middle - np.array(camera.shift)) / zoom + middle
    velocity = (-body.velocity[0] if mirrored else body.velocity[0], 0.0)
    body = replace(body, position=(float(x0), float(y0)), velocity=velocity)
    motion = simulate([body], (), gravity=0.0, frames=frames, rate_hz=RATE_HZ)
    screens = []
    above = draw.chance(0.3)
    for low, high in ((first, first_end), (second, second_end)):
        x = sorted((at(low), at(high)))
        box = np.array([x[0], height - r - 2, x[1], height + r + 2])
        screens.append(rising(box, frames, Span(_UP_FRAME, frames), side, draw.scenery.screen, above))
    shots = tuple(shoot(draw, [body], motion, screens=screens, present=(there,)) for there in (True, False))
    cuts = tuple(
        round(((low + high) / 2 - start) / speed * RATE_HZ) for low, high in ((first, first_end), (second, second_end))
    )
    return Parts(shots=shots, cuts=cuts)


def _jump(draw: Draw) -> Parts | None:
    when = timeline(draw, blink_at_cut=True)
    body = _body(draw, 8.0, 26.0)
    direction, leap, way = draw.uniform(0, 2 * math.pi), draw.uniform(14, 28), draw.uniform(0, 2 * math.pi)
    speed = abs(body.velocity[0])
    shots = []
    x, y = (draw.uniform(0.2, 0.8) * draw.side_pixels for _ in range(2))
    for jump in (0.0, leap):
        launched = replace(
            body,
            position=(
                x + jump * math.cos(way) - speed * math.cos(direction) * when.cut / RATE_HZ,
                y + jump * math.sin(way) - speed * math.sin(direction) * when.cut / RATE_HZ,
            ),
            velocity=(speed * math.cos(direction), speed * math.sin(direction)),
        )
        motion = simulate([launched], (), gravity=0.0, frames=when.frames, rate_hz=RATE_HZ)
        shot = shoot(draw, [launched], motion, blink=when.blink)
        if not inside(draw, shot, when.seen):
            return None
        shots.append(shot)
    return Parts(shots=tuple(shots), cuts=(when.cut,))


def _body(draw: Draw, slowest: float, fastest: float) -> Body:
    shape = SHAPES[draw.between(0, len(SHAPES) - 1)]
    return Body(
        shape=shape,
        radius=draw.kinds.radius(draw.generator),
        colour=draw.kinds.draw_colours(draw.generator, 1)[0],
        position=(0.0, 0.0),
        velocity=(draw.kinds.speed(draw.generator, slowest, fastest), 0.0),
        angle=draw.uniform(0, 2 * math.pi),
    )
