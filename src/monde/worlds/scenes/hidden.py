"""Films of one object that is hidden for a declared time while something happens to it, or nothing.

It is in full view first; then a screen rises before it, or it goes behind one that stands; at the end it is seen again.
What decides what happens behind the screen (wall, ground, a flight's curve, how a slide slows down) is seen before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monde.errors import ContractError, WorldError, unknown_name
from monde.limits import MAX_HIDDEN_TRIES
from monde.worlds.minimal_pairs.timing import RATE_HZ, RISE_FRAMES, SINK_FRAMES, Span
from monde.worlds.minimal_pairs.variety import Split, split_of
from monde.worlds.scenes.film import SceneFilm, Shot, film
from monde.worlds.scenes.hidden_events import COURSES, EVENTS, Course, Event
from monde.worlds.scenes.pairs.make import SIDE_PIXELS
from monde.worlds.scenes.pairs.parts import Draw, inside, panel, reach, shoot, with_screens
from monde.worlds.scenes.render import Panel
from monde.worlds.scenes.scenery import draw_scenery
from monde.worlds.scenes.screens import around, rising, standing
from monde.worlds.scenes.simulate import simulate
from monde.worlds.scenes.splits import variety

HIDDEN_SECONDS = (0.5, 1.0, 1.5, 2.0)
"""Times out of sight that films are made and judged for."""

HIDDEN_FROM = 24
"""Frame from which the object is wholly hidden at the latest: 1.2 s are seen before."""

AFTER_FRAMES = 16
"""Frames of a film after the screen begins to sink."""

UNSEEN = 0.01
"""Fraction of its pixels below which an object counts as hidden."""

_SEEN_FRAMES = 10
"""Frames in which the object is wholly in view before anything hides it, at least."""

_SEEN_AFTER = 5
_ZOOM = (0.7, 0.85)
_STANDING_SHARE = 0.6
"""Share of draws, not of films: a screen that stands fits less often than one that rises."""

_LARGER_PIXELS = 9.0
_WIDEST = 0.75
"""Widest and highest region that a screen is there to hide, as a fraction of the picture."""


@dataclass(frozen=True, kw_only=True, repr=False)
class HiddenFilm:
    """A film and what is hidden in it.

    Args:
        film: Of one object.
        event: What happens while it is hidden.
        seconds: Declared time out of sight; it is hidden at least so long.
        hidden: Frames in which less than `UNSEEN` of it is seen, without a gap.
    """

    film: SceneFilm
    event: Event
    seconds: float
    hidden: Span

    @property
    def last_seen(self) -> int:
        """The last frame before it is hidden."""
        return self.hidden.start - 1

    @property
    def judged(self) -> int:
        """The frame `seconds` after it was last seen; it is still hidden."""
        return self.last_seen + hidden_frames(self.seconds)

    def __repr__(self) -> str:
        return f"HiddenFilm({self.event}, {self.seconds:g} s, hidden {self.hidden.start} to {self.hidden.stop - 1})"


def hidden_films(
    event: str, seconds: float, numbers: Sequence[int], seed: int, *, split: str = "test"
) -> tuple[HiddenFilm, ...]:
    """One film a number, of one event and one time out of sight. Each depends on event, seconds, seed, split and its
    number alone.

    Raises:
        UsageError: An unknown event or split, or pymunk is not installed.
        ContractError: A time that is not between one frame and 2.5 s, or negative numbers.
        WorldError: No draw fits into the picture.
    """
    shots = [hidden_shot(event, seconds, [seed, number], split=split) for number in numbers]
    return tuple(
        HiddenFilm(film=made, event=_event(event), seconds=seconds, hidden=hidden_span(made)) for made in film(shots)
    )


def hidden_shot(event: str, seconds: float, seeds: Sequence[int], *, split: str = "test") -> Shot:
    """One film before it is drawn; all that it depends on besides its arguments is in `seeds`.

    Raises:
        As `hidden_films`.
    """
    kind, part, frames = _event(event), split_of(split), hidden_frames(seconds)
    if min(seeds, default=0) < 0:
        raise ContractError("a scene's seed is negative", got=min(seeds), expected="≥ 0")
    entropy = [*seeds, EVENTS.index(kind), frames, ("train", "test").index(part), 0x41DE]
    generator = np.random.default_rng(entropy)
    for _ in range(MAX_HIDDEN_TRIES):
        shot = _attempt(generator, kind, frames, part)
        if shot is not None:
            return shot
    raise WorldError(
        f"no film of {event!r} hidden for {seconds:g} s fits into the picture",
        got=f"{MAX_HIDDEN_TRIES} draws",
        remedy="ask for a shorter time or another seed",
    )


def hidden_frames(seconds: float) -> int:
    """Frames of a time out of sight.

    Raises:
        ContractError: Not between one frame and 2.5 s.
    """
    if not 1 / RATE_HZ <= seconds <= 2.5:
        raise ContractError("this time out of sight cannot be filmed", got=f"{seconds} s", expected="0.05 to 2.5 s")
    return round(seconds * RATE_HZ)


def hidden_span(made: SceneFilm) -> Span:
    """The frames in which the film's one object is hidden, from the first on without a gap.

    Raises:
        ContractError: Several objects, or none that is seen first and hidden then.
    """
    unseen = made.visible[:, 0] < UNSEEN
    if made.objects != 1 or unseen[0] or not unseen.any():
        got = f"{made.objects} objects, hidden in {int(unseen.sum())} frames, the first among them: {bool(unseen[0])}"
        raise ContractError("no object is seen first and hidden then", got=got, expected="one object")
    start = int(unseen.argmax())
    shown = np.flatnonzero(~unseen[start:])
    return Span(start, start + int(shown[0]) if len(shown) else len(unseen))


def _event(name: str) -> Event:
    for known in EVENTS:
        if known == name:
            return known
    raise unknown_name("event", name, list(EVENTS))


def _attempt(generator: np.random.Generator, event: Event, frames: int, split: Split) -> Shot | None:
    scenery = draw_scenery(generator, SIDE_PIXELS, zoom=_ZOOM, shift_pixels=2.0)
    draw = Draw(
        generator=generator, grade="long-hidden", kinds=variety(split), scenery=scenery, side_pixels=SIDE_PIXELS
    )
    up = Span(HIDDEN_FROM, HIDDEN_FROM + frames)
    course = COURSES[event](draw, up)
    total = up.stop + SINK_FRAMES + AFTER_FRAMES
    motion = simulate([course.body], course.solids, gravity=course.gravity, frames=total, rate_hz=RATE_HZ)
    shot = shoot(draw, [course.body], motion, gravity=course.gravity, furniture=_furniture(draw, course, total))
    stands = draw.chance(_STANDING_SHARE)
    screen = _screen(draw, shot, up, course, stands)
    whole = Span(0, _SEEN_FRAMES if stands else up.start - RISE_FRAMES)
    after = Span(up.stop + SINK_FRAMES, up.stop + SINK_FRAMES + _SEEN_AFTER)
    # What is hidden by a screen that stands may leave the picture before it comes into view again.
    spans = (whole, up) if stands else (whole, up, after)
    if screen is None or not inside(draw, shot, spans):
        return None
    return with_screens(shot, (screen,)) if _met(shot, up, event) else None


def _screen(draw: Draw, shot: Shot, up: Span, course: Course, stands: bool) -> Panel | None:
    """A screen that hides the object in these frames, or none if it would be too wide, or stood before it at first."""
    edge = reach(draw, course.body)
    box = around(shot.motion.position[up.start : up.stop, 0], edge)
    # Wider than need be, by another measure on each side: where it stands shall not tell where the object is.
    box += np.array([-1, -1, 1, 1]) * draw.generator.uniform(0, _LARGER_PIXELS, size=4)
    from_above = not course.floors and draw.chance(0.3)
    if box[2] - box[0] > _WIDEST * SIDE_PIXELS or box[3] - box[1] > _WIDEST * SIDE_PIXELS:
        return None
    if not stands:
        return rising(box, shot.take.frames, up, SIDE_PIXELS, draw.scenery.screen, from_above)
    box[3] = max(box[3], SIDE_PIXELS + 1.0) if course.floors or draw.chance(0.7) else box[3]
    places = shot.motion.position[:_SEEN_FRAMES, 0]
    apart = (places < box[:2] - edge).any(axis=1) | (places > box[2:] + edge).any(axis=1)
    return standing(box, shot.take.frames, draw.scenery.screen) if apart.all() else None


def _met(shot: Shot, up: Span, event: Event) -> bool:
    """Whether what is declared happens while hidden, and nothing like it before."""
    touched = shot.motion.contacts[:, 0, -1]
    if event == "bounce":
        return not touched[: up.start].any() and bool(touched[up.start : up.stop].any())
    if event == "stop":
        speed = np.linalg.norm(shot.motion.velocity[:, 0], axis=1)
        return bool(speed[up.start] > 2 and speed[up.stop - 1] < 0.2)
    return not touched[: up.stop].any()


def _furniture(draw: Draw, course: Course, frames: int) -> tuple[Panel, ...]:
    walls = [panel(draw, box, draw.scenery.solid, frames) for box in course.walls]
    return (*walls, *(panel(draw, box, draw.scenery.ground, frames) for box in course.floors))
