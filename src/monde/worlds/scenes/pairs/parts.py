"""What a design hands over: possible films that are equal at a cut, or films whose contexts can be exchanged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float64

from monde.worlds.scenes.bodies import Body, Box
from monde.worlds.scenes.film import Shot
from monde.worlds.scenes.render import Look, Panel, Take
from monde.worlds.scenes.scenery import Scenery, light
from monde.worlds.scenes.screens import RISE_FRAMES, SINK_FRAMES, Span, around, rising
from monde.worlds.scenes.simulate import Motion
from monde.worlds.scenes.splits import Variety

Grade = Literal["easy", "hidden", "long-hidden"]
GRADES: tuple[Grade, ...] = get_args(Grade)

RATE_HZ = 20.0
"""Frames a second of all pairs."""

HIDDEN_FRAMES = {"easy": 1, "hidden": 6, "long-hidden": 20}
"""Frames, at least, over which what matters is out of sight: at 20 Hz, one frame, 0.3 s and 1 s."""

SEEN_FRAMES = 5
"""Frames, at least, that what matters is in view before it is hidden, and after."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What a design draws from.

    Args:
        generator: Of this set alone.
        grade: How the event is shown.
        kinds: Sizes, colours and speeds of the split.
        scenery: Surroundings, the same in all films of the set.
        side_pixels: Side of the picture.
    """

    generator: np.random.Generator
    grade: Grade
    kinds: Variety
    scenery: Scenery
    side_pixels: int

    def uniform(self, low: float, high: float) -> float:
        """A number between."""
        return float(self.generator.uniform(low, high))

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self.generator.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """Whether it happens."""
        return bool(self.generator.uniform() < probability)


@dataclass(frozen=True, kw_only=True, repr=False)
class Parts:
    """Films that a set is made of.

    Args:
        shots: Two possible films that look the same at each cut (a matched quadruplet is spliced from them), or four
            whole ones: two possible, then two impossible (exchanged contexts).
        cuts: Frames after which a matched quadruplet goes over to the other film, and back at the next.
        event: The first frame that may be wrong, of exchanged contexts (of quadruplets it is read off the pixels).
    """

    shots: tuple[Shot, ...]
    cuts: tuple[int, ...] = ()
    event: int = 0

    @property
    def matched(self) -> bool:
        """Whether impossible films are spliced from possible ones."""
        return len(self.shots) == 2


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """When what happens.

    Args:
        frames: T.
        cut: Frame after which the other film goes on.
        up: While the screen is whole; none if the event is in view.
        blink: Frame at which the light goes out, or none.
    """

    frames: int
    cut: int
    up: Span | None = None
    blink: int | None = None

    @property
    def seen(self) -> tuple[Span, Span]:
        """Frames before and after the event in which what matters has to be in view."""
        if self.up is None:
            return Span(max(0, self.cut - 8), self.cut), Span(self.cut + 1, self.cut + 9)
        before = self.up.start - RISE_FRAMES
        after = self.up.stop + SINK_FRAMES
        return Span(max(0, before - 8), before), Span(after, min(self.frames, after + 8))


def timeline(draw: Draw, *, blink_at_cut: bool) -> Timeline:
    """When it happens, by the grade.

    In an easy film the light goes out for a moment, at the cut itself if the films do not look the same there, else
    some time before. That moment is the greatest change of any film and lies in its first part, so that the greatest
    change tells nothing of what comes after.
    """
    if draw.grade == "easy":
        cut = draw.between(13, 17)
        return Timeline(frames=32, cut=cut, blink=cut if blink_at_cut else draw.between(1, cut - 9))
    frames, shortest, longest = (40, 3, 5) if draw.grade == "hidden" else (56, 10, 12)
    cut = draw.between(frames // 2 - 3, frames // 2)
    up = Span(cut - draw.between(shortest, longest), cut + 1 + draw.between(shortest, longest))
    return Timeline(frames=frames, cut=cut, up=up)


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
