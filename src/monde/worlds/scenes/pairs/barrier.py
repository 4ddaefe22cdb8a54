"""Solidity and support: what a wall stops, and what a platform carries.

Whether an outcome is possible depends on something that stands there. In full view it is in every frame, so that no
film can be cut from two others: easy films exchange contexts (wall or none × stopped or not), and what shortcuts make
of that is shown. Behind a screen that never lets it be seen again, matched quadruplets can be made: wall and object are
both hidden at the cut.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from monde.worlds.minimal_pairs.timing import RATE_HZ, SEEN_FRAMES, SINK_FRAMES, Span
from monde.worlds.scenes.bodies import Body, Box, inset
from monde.worlds.scenes.film import Shot
from monde.worlds.scenes.pairs.parts import Draw, Parts, panel, reach, shoot
from monde.worlds.scenes.render import Panel
from monde.worlds.scenes.scenery import ground
from monde.worlds.scenes.screens import MARGIN_PIXELS, rising
from monde.worlds.scenes.simulate import Motion, simulate
from monde.worlds.scenes.splits import SHAPES

_THICK = 3.0
"""Of walls and platforms, px."""

_UP_FRAME = 9
"""When a screen is whole: until it rises, what stands there is seen."""


def solidity(draw: Draw) -> Parts | None:
    """A thing goes through a wall, or is thrown back where there is none."""
    easy, long = draw.grade == "easy", draw.grade == "long-hidden"
    frames, slowest, fastest = (32, 12.5, 22.0) if easy else (70, 12.0, 17.6) if long else (56, 12.0, 20.0)
    shape = SHAPES[draw.between(0, 1)]  # triangles would turn
    radius, speed = draw.kinds.radius(draw.generator), draw.kinds.speed(draw.generator, slowest, fastest)
    stop = draw.between(13, 17) if easy else draw.between(34, 38) if long else draw.between(26, 31)
    bounce = draw.uniform(0.85, 1.0)
    half = radius * inset(shape)
    way = 1 if draw.chance(0.5) else -1
    # The face of the wall that is met; everything else follows from it.
    face, y = draw.side_pixels / 2 + way * draw.uniform(-8, 8), draw.uniform(0.3, 0.7) * draw.side_pixels
    body = Body(
        shape=shape,
        radius=radius,
        colour=draw.kinds.draw_colours(draw.generator, 1)[0],
        position=(face - way * (half + speed * stop / RATE_HZ), y),
        velocity=(way * speed, 0.0),
        restitution=bounce,
    )
    tall = body.extent + draw.uniform(3, 8)
    wall: Box = (min(face, face + way * _THICK), y - tall, max(face, face + way * _THICK), y + tall)
    stopped, through = (
        simulate([body], solids, gravity=0.0, frames=frames, rate_hz=RATE_HZ) for solids in ((wall,), ())
    )
    wood = panel(draw, wall, draw.scenery.solid, frames)
    if easy:
        films = _exchanged(draw, body, [wood], through, stopped, 0.0, ())
        edge = reach(draw, body)
        whole = all(((f.motion.position > edge) & (f.motion.position < draw.side_pixels - edge)).all() for f in films)
        return Parts(shots=films, event=stop) if whole else None
    screen = _wall_screen(draw, body, wall, face, way, speed, frames)
    shots = (
        shoot(draw, [body], stopped, furniture=[wood], screens=[screen]),
        shoot(draw, [body], through, screens=[screen]),
    )
    return Parts(shots=shots, cuts=(stop,)) if _seen_around(draw, shots, screen) else None


def support(draw: Draw) -> Parts | None:
    """What a platform should carry falls through it, or a thing stays in the air on nothing."""
    easy, long = draw.grade == "easy", draw.grade == "long-hidden"
    frames = 44 if easy else 64 if long else 52
    side = draw.side_pixels
    shape = SHAPES[draw.between(0, len(SHAPES) - 1)]
    radius, speed = draw.kinds.radius(draw.generator), draw.kinds.speed(draw.generator, 8, 17)
    x, top = draw.uniform(0.3, 0.7) * side, draw.uniform(28, 32)
    floor = draw.uniform(56, 59)
    pull, late = draw.uniform(30, 60), draw.uniform(0.35, 0.5)
    body = Body(
        shape=shape,
        radius=radius,
        colour=draw.kinds.draw_colours(draw.generator, 1)[0],
        # It comes in over the upper edge some `late` seconds after the film begins: it hangs from nothing before.
        position=(x, -radius * 1.6 - 4 - speed * late - pull * late**2 / 2),
        velocity=(0.0, speed),
        friction=0.5,
        restitution=draw.uniform(0.0, 0.2),
    )
    wide = body.extent + draw.uniform(2, 4)
    board: Box = (x - wide, top, x + wide, top + _THICK)
    earth = ground(floor, side)
    carried, fallen = (
        simulate([body], solids, gravity=pull, frames=frames, rate_hz=RATE_HZ) for solids in ((board, earth), (earth,))
    )
    soil = panel(draw, earth, draw.scenery.ground, frames)
    wood = panel(draw, board, draw.scenery.solid, frames)
    if easy:
        films = _exchanged(draw, body, [wood], fallen, carried, pull, [soil])
        return Parts(shots=films, event=int(carried.contacts[:, 0, 1].argmax()))
    zoom, edge = draw.scenery.camera.zoom, reach(draw, body)
    box = draw.scenery.camera.box(board)
    # From just above where the object comes to rest; tall enough for a bounce of a pixel.
    roof = float(box[1] - 2 * edge - 2 * MARGIN_PIXELS)
    carried_y = draw.scenery.camera.places(carried.position[:, 0])[:, 1]
    hidden = int((carried_y - edge > roof + 1).argmax())
    entered = int((carried_y > -edge).argmax())
    lift = hidden + (draw.between(21, 24) if long else draw.between(7, 10))
    room_below = draw.scenery.camera.places(np.array([[x, floor]]))[0, 1] - box[3] - MARGIN_PIXELS
    if (
        hidden - entered < SEEN_FRAMES
        or lift + SINK_FRAMES + SEEN_FRAMES > frames
        or room_below < 2 * radius * zoom + 1
    ):
        return None
    screen = _lifting(draw, box, roof, lift, frames)
    shots = (
        shoot(draw, [body], carried, gravity=pull, furniture=[soil, wood], screens=[screen]),
        shoot(draw, [body], fallen, gravity=pull, furniture=[soil], screens=[screen]),
    )
    return Parts(shots=shots, cuts=(hidden + 1,))


def _exchanged(
    draw: Draw,
    body: Body,
    thing: Sequence[Panel],
    free: Motion,
    held: Motion,
    gravity: float,
    always: Sequence[Panel],
) -> tuple[Shot, ...]:
    """Held by the thing, free without it: possible. Free with it, held without: not."""
    blink = draw.between(1, 4)
    films = []
    for motion, there in ((held, True), (free, False), (free, True), (held, False)):
        furniture = [*always, *thing] if there else list(always)
        films.append(shoot(draw, [body], motion, gravity=gravity, furniture=furniture, blink=blink))
    return tuple(films)


def _wall_screen(draw: Draw, body: Body, wall: Box, face: float, way: int, speed: float, frames: int) -> Panel:
    """Hides the wall, and the object for a while before it gets there and after."""
    camera, edge = draw.scenery.camera, reach(draw, body)
    long = draw.grade == "long-hidden"
    before, after = (draw.uniform(0.56, 0.62) if long else draw.uniform(0.2, 0.28) for _ in range(2))
    centre = face - way * body.radius * inset(body.shape)
    ends = [centre - way * speed * before, centre + way * speed * after]
    reached = sorted(float(camera.places(np.array([[x, 0.0]]))[0, 0]) for x in ends)
    box = camera.box(wall)
    low = min(reached[0] - edge, float(box[0])) - MARGIN_PIXELS
    high = max(reached[1] + edge, float(box[2])) + MARGIN_PIXELS
    shape = np.array([low, float(box[1]) - MARGIN_PIXELS, high, float(box[3]) + MARGIN_PIXELS])
    side = draw.side_pixels
    return rising(shape, frames, Span(_UP_FRAME, frames), side, draw.scenery.screen, draw.chance(0.3))


def _lifting(draw: Draw, board: Float64[np.ndarray, " 4"], roof: float, lift: int, frames: int) -> Panel:
    """A screen that rises past the platform, and whose lower edge goes up again to just below it."""
    side = draw.side_pixels
    wide = np.array([board[0] - 2 * MARGIN_PIXELS, roof, board[2] + 2 * MARGIN_PIXELS, side + 1.0])
    whole = rising(wide, frames, Span(_UP_FRAME, frames), side, draw.scenery.screen)
    boxes = whole.boxes.copy()
    low, share = float(board[3]) + MARGIN_PIXELS, np.clip((np.arange(frames) - lift) / SINK_FRAMES, 0, 1)
    boxes[:, 3] = side + 1 - share * (side + 1 - low)
    return Panel(boxes=boxes, colour=whole.colour)


def _seen_around(draw: Draw, shots: Sequence[Shot], screen: Panel) -> bool:
    """Whether the object is in full view long enough before the screen and after, in either film."""
    low, high = float(screen.boxes[-1, 0]), float(screen.boxes[-1, 2])
    edge, side = reach(draw, shots[0].bodies[0]), draw.side_pixels
    for shot in shots:
        x = shot.motion.position[:, 0, 0]
        out = ((x + edge < low) | (x - edge > high)) & (x > edge) & (x < side - edge)
        behind = np.flatnonzero((x + edge > low) & (x - edge < high))
        if not len(behind) or not out[_UP_FRAME : behind[0]].sum() >= 2 or not out[:_UP_FRAME].all():
            return False
        if out[behind[-1] + 1 :].sum() < SEEN_FRAMES:
            return False
    return True
