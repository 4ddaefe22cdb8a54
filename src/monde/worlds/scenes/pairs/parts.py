"""What a design hands over: possible films that are equal at a cut, or films whose contexts can be exchanged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from monde.worlds import minimal_pairs
from monde.worlds.minimal_pairs.timing import RATE_HZ, SEEN_FRAMES, Dice, Span
from monde.worlds.minimal_pairs.variety import Variety
from monde.worlds.scenes.bodies import Body, Box
from monde.worlds.scenes.film import Shot
from monde.worlds.scenes.render import Look, Panel, Take
from monde.worlds.scenes.scenery import Scenery, light
from monde.worlds.scenes.screens import around, rising
from monde.worlds.scenes.simulate import Motion


@dataclass(frozen=True, kw_only=True)
class Draw(Dice):
    """What a design draws from.

    Args:
        kinds: Sizes, colours and speeds of the split.
        scenery: Surroundings, the same in all films of the set.
        side_pixels: Side of the picture.
    """

    kinds: Variety
    scenery: Scenery
    side_pixels: int


Parts = minimal_pairs.Parts[Shot]
"""Films of a set before they are drawn."""


def shoot(
    draw: Draw,
    bodies: Sequence[Body],
    motion: Motion,
    *,
    gravity: float = 0.0,
    furniture: Sequence[Panel] = (),
    screens: Sequence[Panel] = (),
    blink: int | None = None,
    present: Sequence[bool] | None = None,
) -> Shot:
    """A film of this motion (in pixels of the scene) through the set's camera."""
    frames, zoom = motion.frames, draw.scenery.camera.zoom
    seen = motion.through(draw.scenery.camera)
    there: Bool[np.ndarray, "T K"] = np.ones((frames, len(bodies)), dtype=np.bool_)
    if present is not None:
        there = there & np.array(present, dtype=np.bool_)
    take = Take(
        background=draw.scenery.background,
        furniture=tuple(furniture),
        looks=tuple(Look(shape=b.shape, radius=b.radius * zoom, colour=b.colour, plane=b.plane) for b in bodies),
        position=seen.position,
        angle=seen.angle,
        present=there,
        screens=tuple(screens),
        light=light(frames, () if blink is None else (blink,)),
    )
    return Shot(take=take, bodies=tuple(bodies), motion=seen, gravity=gravity * zoom, rate_hz=RATE_HZ)


def with_screens(shot: Shot, screens: Sequence[Panel]) -> Shot:
    """The same film behind screens."""
    return replace(shot, take=replace(shot.take, screens=tuple(screens)))


def panel(draw: Draw, box: Box, colour: tuple[int, int, int], frames: int) -> Panel:
    """A box of the scene that stands still."""
    return draw.scenery.panel(box, colour, frames)


def reach(draw: Draw, body: Body) -> float:
    """Greatest distance of a body's outline from its centre, px of the picture."""
    return body.extent * draw.scenery.camera.zoom


def inside(draw: Draw, shot: Shot, spans: Sequence[Span], objects: Sequence[int] | None = None) -> bool:
    """Whether objects (by default all) are wholly within the picture in these frames."""
    for k in range(len(shot.bodies)) if objects is None else objects:
        edge = reach(draw, shot.bodies[k]) + 0.5
        for span in spans:
            places = shot.motion.position[span.start : span.stop, k]
            if len(places) < SEEN_FRAMES or (places < edge).any() or (places > draw.side_pixels - edge).any():
                return False
    return True


def cover(
    draw: Draw, shots: Sequence[Shot], up: Span, objects: Sequence[int] = (0,), *, below: bool = False
) -> Panel | None:
    """A rising screen that hides objects of all these films while it is up, or none if it would hide most of the
    picture.

    Args:
        draw: The set.
        shots: Films.
        up: While the screen is whole.
        objects: That it must hide.
        below: It rises from the lower edge; by default from either.
    """
    boxes: list[Float64[np.ndarray, " 4"]] = []
    for shot in shots:
        for k in objects:
            boxes.append(around(shot.motion.position[up.start : up.stop, k], reach(draw, shot.bodies[k])))
    low = np.min([box[:2] for box in boxes], axis=0)
    high = np.max([box[2:] for box in boxes], axis=0)
    box = np.concatenate([low, high])
    if box[2] - box[0] > 0.62 * draw.side_pixels:
        return None
    above = not below and draw.chance(0.3)
    return rising(box, shots[0].take.frames, up, draw.side_pixels, draw.scenery.screen, above)
