"""Solidity and support: what a wall stops, and what a platform carries.

As in the plane: in view, films exchange contexts (wall or none × stopped or not); behind a screen that never lets wall
or platform be seen again, matched quadruplets can be made.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from monde.worlds.minimal_pairs.timing import RATE_HZ, SEEN_FRAMES, SINK_FRAMES, Span
from monde.worlds.scenes3d.bodies import Body, about_vertical
from monde.worlds.scenes3d.film import Shot
from monde.worlds.scenes3d.pairs.parts import EARTH, Draw, Parts, on_floor, shoot, within
from monde.worlds.scenes3d.render import Screen
from monde.worlds.scenes3d.screens import MARGIN_METRES, panel, shade, shares
from monde.worlds.scenes3d.simulate import Block, Motion, simulate

_UP_FRAME = 9
"""When a screen is whole: until it rises, what stands there is seen."""

_LONGEST_BOUNCE_METRES = 0.15


def solidity(draw: Draw) -> Parts | None:
    """What slides goes through a wall, or is thrown back where there is none."""
    easy, long = draw.grade == "easy", draw.grade == "long-hidden"
    frames, slowest, fastest = (32, 1.2, 2.2) if easy else (80, 1.2, 1.76) if long else (62, 1.2, 2.0)
    shape = draw.shape(("sphere", "box"))
    radius, speed = draw.kinds.radius(draw.generator), draw.kinds.speed(draw.generator, slowest, fastest)
    stop = draw.between(13, 17) if easy else draw.between(38, 42) if long else draw.between(29, 34)
    way = 1.0 if draw.chance(0.5) else -1.0
    colour = draw.kinds.draw_colours(draw.generator, 1)[0]
    body = Body(shape=shape, radius=radius, colour=colour, restitution=draw.uniform(0.85, 1.0))
    # It starts near the edge of the picture; where the wall stands follows from when it is met.
    start, y, thick = -way * draw.uniform(1.6, 2.8), draw.uniform(0.0, 1.0), 0.15
    half, tall = body.half_sizes[0], body.tall + draw.uniform(0.1, 0.4)
    face = start + way * (half + speed * stop / RATE_HZ)
    body = replace(body, position=(start, y, body.tall), velocity=(way * speed, 0.0, 0.0))
    if abs(face) > 1.2 or not within(draw, body, np.array([body.position])).all():
        return None
    wall = Block(middle=(face + way * thick, y, tall), half=(thick, body.wide + draw.uniform(0.1, 0.3), tall))
    stopped, through = (
        on_floor(simulate([body], solids, gravity=0.0, frames=frames, rate_hz=RATE_HZ, floor=False))
        for solids in ((wall,), ())
    )
    if easy:
        films = _exchanged(draw, body, wall, through, stopped, EARTH)
        whole = all(within(draw, body, motion.position[:, 0]).all() for motion in (stopped, through))
        return Parts(shots=films, event=stop) if whole else None
    rectangle, plane = _wall_screen(draw, body, wall, face, way, speed)
    screen = panel(rectangle, plane, shares(frames, Span(_UP_FRAME, frames)), from_above=draw.chance(0.3))
    shots = (
        shoot(draw, [body], stopped, gravity=EARTH, blocks=[wall], screens=[screen]),
        shoot(draw, [body], through, gravity=EARTH, screens=[screen]),
    )
    return Parts(shots=shots, cuts=(stop,)) if _seen_around(draw, shots, screen) else None


def support(draw: Draw) -> Parts | None:
    """What a platform should carry falls through it, or a thing stays in the air on nothing.

    Spheres and boxes only: MuJoCo lets a cylinder touch a block in one point, on which it does not stand.
    """
    easy, long = draw.grade == "easy", draw.grade == "long-hidden"
    frames = 48 if easy else 64 if long else 52
    shape, radius = draw.shape(("sphere", "box")), draw.kinds.radius(draw.generator)
    speed, pull, late = draw.kinds.speed(draw.generator, 0.8, 1.7), draw.uniform(3.0, 6.0), draw.uniform(0.3, 0.5)
    x, y, top = draw.uniform(-1.3, 1.3), draw.uniform(0.2, 1.0), draw.uniform(1.9, 2.3)
    colour = draw.kinds.draw_colours(draw.generator, 1)[0]
    body = Body(shape=shape, radius=radius, colour=colour, restitution=draw.uniform(0.0, 0.1))
    # It comes in over the upper edge some `late` seconds after the film begins: it hangs from nothing before.
    ceiling = _ceiling(draw, x, y) + body.reach
    body = replace(
        body,
        position=(x, y, ceiling + speed * late + pull * late**2 / 2),
        velocity=(0.0, 0.0, -speed),
        quaternion=about_vertical(draw.uniform(0, 6.28)),
        friction=0.5,
    )
    wide = body.wide + draw.uniform(0.1, 0.3)
    board = Block(middle=(x, y, top - 0.12), half=(wide, wide, 0.12))
    carried, fallen = (
        simulate([body], solids, gravity=pull, frames=frames, rate_hz=RATE_HZ) for solids in ((board,), ())
    )
    if easy:
        films = _exchanged(draw, body, board, fallen, carried, pull)
        event = int(carried.contacts[:, 0, 1].argmax())
        rests = within(draw, body, np.stack([carried.position[-1, 0], fallen.position[-1, 0]])).all()
        return Parts(shots=films, event=event) if rests and event >= 2 * SEEN_FRAMES else None
    return _lifted(draw, body, board, carried, fallen, pull)


def _lifted(draw: Draw, body: Body, board: Block, carried: Motion, fallen: Motion, pull: float) -> Parts | None:
    """Films behind a screen that rises past the platform, and then on until its lower edge is just below that."""
    camera, frames, long = draw.scenery.camera, carried.frames, draw.grade == "long-hidden"
    plane = board.middle[1] - max(board.half[1], body.reach) - 0.3
    shadow = shade(camera, np.array([board.middle]), np.array(board.half), plane)
    resting = np.array([[*board.middle[:2], board.middle[2] + board.half[2] + body.tall + _LONGEST_BOUNCE_METRES]])
    above = shade(camera, resting, body.bounds, plane)
    rectangle = np.array([min(shadow[0], above[0]), 0.0, max(shadow[2], above[2]), above[3]])
    # The fall is hidden from the first frame at which the object is wholly below the screen's upper edge.
    tops = camera.onto(carried.position[:, 0] + np.array([0.0, body.wide, body.tall]), plane)[:, 1]
    hidden = int((tops < rectangle[3] + MARGIN_METRES).argmax())
    entered = int(within(draw, body, carried.position[:, 0]).argmax())
    lift = hidden + (draw.between(21, 24) if long else draw.between(8, 10))
    lowest = float(shadow[1]) - MARGIN_METRES / 2
    ground = shade(camera, fallen.position[-1:, 0], body.bounds, plane)
    if hidden - entered < SEEN_FRAMES or lift + SINK_FRAMES + SEEN_FRAMES > frames or ground[3] > lowest:
        return None
    whole = panel(rectangle, plane, shares(frames, Span(_UP_FRAME, frames)))
    middles = whole.middles.copy()
    middles[:, 2] += lowest * np.clip((np.arange(frames) - lift) / SINK_FRAMES, 0, 1)
    screen = Screen(middles=middles, half=whole.half)
    shots = (
        shoot(draw, [body], carried, gravity=pull, blocks=[board], screens=[screen]),
        shoot(draw, [body], fallen, gravity=pull, screens=[screen]),
    )
    return Parts(shots=shots, cuts=(hidden + 1,))


def _ceiling(draw: Draw, x: float, y: float) -> float:
    """Height at which the picture ends above a place."""
    heights = np.arange(2.0, 9.0, 0.05)
    lines = draw.scenery.camera.places(np.stack([np.full_like(heights, x), np.full_like(heights, y), heights], axis=1))
    return float(heights[int((lines[:, 1] < 0).argmax())])


def _exchanged(draw: Draw, body: Body, thing: Block, free: Motion, held: Motion, gravity: float) -> tuple[Shot, ...]:
    """Held by the thing, free without it: possible. Free with it, held without: not."""
    blink = draw.between(1, 4)
    films = []
    for motion, there in ((held, True), (free, False), (free, True), (held, False)):
        blocks: Sequence[Block] = (thing,) if there else ()
        films.append(shoot(draw, [body], motion, gravity=gravity, blocks=blocks, blink=blink))
    return tuple(films)


def _wall_screen(
    draw: Draw, body: Body, wall: Block, face: float, way: float, speed: float
) -> tuple[np.ndarray, float]:
    """Hides the wall, and the object for a while before it gets there and after: rectangle, and y of its plane."""
    camera, long = draw.scenery.camera, draw.grade == "long-hidden"
    plane = body.position[1] - max(wall.half[1], body.reach) - 0.2
    before, after = (draw.uniform(0.56, 0.62) if long else draw.uniform(0.2, 0.28) for _ in range(2))
    centre = face - way * body.half_sizes[0]
    ends = np.array(
        [[centre - way * speed * before, *body.position[1:]], [centre + way * speed * after, *body.position[1:]]]
    )
    seen = shade(camera, ends, body.bounds, plane)
    stands = shade(camera, np.array([wall.middle]), np.array(wall.half), plane)
    low, high = np.minimum(seen[:2], stands[:2]), np.maximum(seen[2:], stands[2:])
    return np.concatenate([low, high]), plane


def _seen_around(draw: Draw, shots: Sequence[Shot], screen: Screen) -> bool:
    """Whether the object is in full view long enough before the screen and after, in either film."""
    camera, plane = draw.scenery.camera, float(screen.middles[0, 1])
    x, half = float(screen.middles[-1, 0]), screen.half[0]
    for shot in shots:
        body, places = shot.bodies[0], shot.motion.position[:, 0]
        rays = np.array([shade(camera, place[None], body.bounds, plane) for place in places])
        clear = (rays[:, 2] < x - half) | (rays[:, 0] > x + half)
        shown = within(draw, body, places)
        behind = np.flatnonzero(~clear)
        if not len(behind) or not (shown & clear)[: _UP_FRAME + 2].all() or behind[0] < _UP_FRAME + 2:
            return False
        if (shown & clear)[behind[-1] + 1 :].sum() < SEEN_FRAMES:
            return False
    return True
