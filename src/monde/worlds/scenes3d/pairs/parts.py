"""What designs in space share: the draw, filming, and what must be in view or hidden."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from monde.worlds import minimal_pairs
from monde.worlds.minimal_pairs.timing import RATE_HZ, SEEN_FRAMES, Dice, Span
from monde.worlds.minimal_pairs.variety import Variety
from monde.worlds.scenes.scenery import light
from monde.worlds.scenes3d.bodies import Body
from monde.worlds.scenes3d.film import Shot
from monde.worlds.scenes3d.render import Look, Screen, Take
from monde.worlds.scenes3d.scenery import Scenery
from monde.worlds.scenes3d.screens import panel, shade, shares
from monde.worlds.scenes3d.simulate import Block, Motion
from monde.worlds.scenes3d.splits import SHAPES, Shape

Parts = minimal_pairs.Parts[Shot]
"""Films of a set before they are drawn."""

EARTH = 9.81
"""Weight of what only slides or rests: nothing of it shows."""

_WIDEST, _TALLEST = 4.2, 5.4
"""Screens, m: larger ones hide most of the picture."""


@dataclass(frozen=True, kw_only=True)
class Draw(Dice):
    """What a design draws from.

    Args:
        kinds: Sizes, colours and speeds of the split.
        scenery: Surroundings, the same in all films of the set.
    """

    kinds: Variety
    scenery: Scenery

    def shape(self, among: Sequence[Shape] = SHAPES) -> Shape:
        """One of these shapes."""
        return among[self.between(0, len(among) - 1)]

    def body(self, shape: Shape) -> Body:
        """An object of this shape, turned about the vertical axis, at the origin."""
        angle = self.uniform(0, 2 * math.pi)
        return Body(
            shape=shape,
            radius=self.kinds.radius(self.generator),
            colour=self.kinds.draw_colours(self.generator, 1)[0],
            quaternion=(math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2)),
        )


def shoot(
    draw: Draw,
    bodies: Sequence[Body],
    motion: Motion,
    *,
    gravity: float,
    blocks: Sequence[Block] = (),
    screens: Sequence[Screen] = (),
    blink: int | None = None,
    present: Sequence[bool] | None = None,
) -> Shot:
    """A film of this motion in the set's surroundings."""
    frames = motion.frames
    there: Bool[np.ndarray, "T K"] = np.ones((frames, len(bodies)), dtype=np.bool_)
    if present is not None:
        there = there & np.array(present, dtype=np.bool_)
    take = Take(
        scenery=draw.scenery,
        blocks=tuple(blocks),
        looks=tuple(Look(shape=b.shape, radius=b.radius, colour=b.colour) for b in bodies),
        position=motion.position,
        quaternion=motion.quaternion,
        present=there,
        screens=tuple(screens),
        light=light(frames, () if blink is None else (blink,)),
    )
    return Shot(take=take, bodies=tuple(bodies), motion=motion, gravity=gravity, rate_hz=RATE_HZ)


def with_screens(shot: Shot, screens: Sequence[Screen]) -> Shot:
    """The same film behind screens."""
    return replace(shot, take=replace(shot.take, screens=tuple(screens)))


def on_floor(motion: Motion) -> Motion:
    """The same motion, of bodies that the floor carries."""
    contacts = motion.contacts.copy()
    contacts[:, :, -1] = True
    return replace(motion, contacts=contacts)


def still(body: Body, frames: int) -> Motion:
    """A body at rest on the floor; there is nothing to simulate."""
    contacts = np.zeros((frames, 1, 2), dtype=np.bool_)
    contacts[:, 0, 1] = True
    return Motion(
        position=np.tile(np.array(body.position), (frames, 1, 1)),
        quaternion=np.tile(np.array(body.quaternion), (frames, 1, 1)),
        velocity=np.zeros((frames, 1, 3)),
        spin=np.zeros((frames, 1, 3)),
        contacts=contacts,
    )


def reach_pixels(draw: Draw, body: Body, places: Float64[np.ndarray, "T 3"]) -> Float64[np.ndarray, " T"]:
    """[T] greatest distance of a body's outline from its centre in the picture, px; infinite behind the camera."""
    camera = draw.scenery.camera
    depths = camera.depths(places) - body.reach
    return np.where(depths > 0.5, camera.focal_pixels * body.reach / np.maximum(depths, 0.5), np.inf)


def within(draw: Draw, body: Body, places: Float64[np.ndarray, "T 3"]) -> Bool[np.ndarray, " T"]:
    """[T] whether a body is wholly within the picture at these places."""
    edge = reach_pixels(draw, body, places)[:, None]
    seen = draw.scenery.camera.places(places)
    side = draw.scenery.camera.side_pixels
    return np.all((seen > edge) & (seen < side - edge), axis=1)


def inside(draw: Draw, shot: Shot, spans: Sequence[Span]) -> bool:
    """Whether all objects are wholly within the picture in these frames."""
    for span in spans:
        places = shot.motion.position[span.start : span.stop]
        if len(places) < SEEN_FRAMES:
            return False
        if not all(within(draw, body, places[:, k]).all() for k, body in enumerate(shot.bodies)):
            return False
    return True


def front(shots: Sequence[Shot], up: Span) -> float:
    """y of a screen that stands in front of all objects of these films while it moves."""
    early, late = max(0, up.start - 4), up.stop + 7
    nearest = min(
        float((shot.motion.position[early:late, k, 1]).min()) - body.reach
        for shot in shots
        for k, body in enumerate(shot.bodies)
    )
    return nearest - 0.2


def hiding(draw: Draw, shots: Sequence[Shot], up: Span, y: float) -> Float64[np.ndarray, " 4"]:
    """The rectangle at `y` that hides all objects of these films while a screen is up."""
    boxes = [
        shade(draw.scenery.camera, shot.motion.position[up.start : up.stop, k], np.full(3, body.reach), y)
        for shot in shots
        for k, body in enumerate(shot.bodies)
    ]
    return np.concatenate([np.min([b[:2] for b in boxes], axis=0), np.max([b[2:] for b in boxes], axis=0)])


def cover(draw: Draw, shots: Sequence[Shot], up: Span) -> Screen | None:
    """A screen that hides the objects of all these films while it is up; none if it would hide most of the picture,
    or stand too near to the camera.
    """
    y = front(shots, up)
    rectangle = hiding(draw, shots, up, y)
    if y < -4 or rectangle[2] - rectangle[0] > _WIDEST or rectangle[3] > _TALLEST:
        return None
    return panel(rectangle, y, shares(shots[0].take.frames, up), from_above=draw.chance(0.3))
