"""Rooms: discs that fly, bounce off walls and off one another, as questions are asked about.

A room is known by what it is *now*. What was before is simulated backwards, and is the past of these discs only if
nothing touched anything in it. So several rooms can share one picture and differ in velocities alone, each as likely as
the others: which of them is the one that is shown cannot be told from their futures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, UInt8

from monde.bets.types import Grade
from monde.errors import WorldError
from monde.limits import MAX_BETS_TRIES
from monde.worlds.drawing import Colour
from monde.worlds.minimal_pairs.variety import Split
from monde.worlds.scenes.bodies import Body
from monde.worlds.scenes.render import Look, Panel, Take, render
from monde.worlds.scenes.scenery import BORDER_PIXELS, Scenery, draw_scenery, light, room
from monde.worlds.scenes.simulate import Motion, simulate
from monde.worlds.scenes.splits import variety

SIDE_PIXELS = 64
RATE_HZ = 20.0
PAST_FRAMES = 12
"""Frames before now: 0.6 s, in which nothing touches anything."""

RESTITUTION = 0.9
"""Of a disc against a wall; two discs keep its square. The same everywhere, for no picture shows it."""

COLOURS: dict[str, Colour] = {
    "red": (214, 56, 48),
    "orange": (240, 140, 20),
    "green": (58, 140, 62),
    "blue": (42, 84, 190),
    "purple": (130, 50, 170),
    "pink": (235, 90, 165),
}
"""Discs are called by these names."""

SCREEN: Colour = (96, 104, 116)


@dataclass(frozen=True, kw_only=True)
class Room:
    """Discs at one moment.

    Args:
        names: Colour of each.
        bodies: Discs as they are now.
        gravity: px/s² downwards.
    """

    names: tuple[str, ...]
    bodies: tuple[Body, ...]
    gravity: float

    def past(self, frames: int = PAST_FRAMES) -> Motion | None:
        """The last `frames` frames and now, or none if something touched something in them."""
        back = simulate(
            [body.reversed for body in self.bodies], WALLS, gravity=self.gravity, frames=frames + 1, rate_hz=RATE_HZ
        )
        return None if back.contacts.any() else back.reversed()

    def future(self, frames: int) -> Motion:
        """Now and the next `frames` frames."""
        return simulate(self.bodies, WALLS, gravity=self.gravity, frames=frames + 1, rate_hz=RATE_HZ)

    def without(self, name: str) -> "Room":
        """The same room without one disc."""
        kept = [index for index, other in enumerate(self.names) if other != name]
        return replace(self, names=tuple(self.names[k] for k in kept), bodies=tuple(self.bodies[k] for k in kept))


WALLS = room(SIDE_PIXELS)


def frames_of(seconds: float) -> int:
    """Frames in a time."""
    return round(seconds * RATE_HZ)


def draw_looks(generator: np.random.Generator, discs: int, split: Split) -> tuple[tuple[str, ...], tuple[Body, ...]]:
    """Names and sizes of discs that stand nowhere yet."""
    kinds = variety(split)
    names = tuple(str(name) for name in generator.permutation(sorted(COLOURS))[:discs])
    bodies = tuple(
        Body(
            shape="disc",
            radius=kinds.radius(generator),
            colour=COLOURS[name],
            position=(0.0, 0.0),
            restitution=RESTITUTION,
        )
        for name in names
    )
    return names, bodies


def draw_gravity(generator: np.random.Generator, grade: Grade) -> float:
    """None in easy rooms, 25 to 70 px/s² in every other of the rest."""
    pull = float(generator.uniform(25, 70))
    return pull if grade != "easy" and generator.uniform() < 0.5 else 0.0


def draw_siblings(
    generator: np.random.Generator, n: int, discs: int, grade: Grade, split: Split
) -> tuple[tuple[Room, Motion], ...]:
    """n rooms of the same discs at the same places now, of velocities drawn alike and independently, with their pasts.

    All are drawn anew if the past of one is none: so none of them is special.

    Raises:
        WorldError: No draw fits.
    """
    kinds = variety(split)
    for _ in range(MAX_BETS_TRIES):
        names, looks = draw_looks(generator, discs, split)
        gravity = draw_gravity(generator, grade)
        placed = _placed(generator, looks)
        if placed is None:
            continue
        made: list[tuple[Room, Motion]] = []
        while len(made) < n:
            bodies = tuple(replace(body, velocity=_velocity(generator, kinds.speed(generator))) for body in placed)
            drawn = Room(names=names, bodies=bodies, gravity=gravity)
            past = drawn.past()
            if past is None:
                break
            made.append((drawn, past))
        if len(made) == n:
            return tuple(made)
    raise WorldError("no rooms of one picture could be drawn", got=f"{MAX_BETS_TRIES} draws")


def pictures(
    names: Sequence[str],
    radii: Sequence[float],
    position: Float64[np.ndarray, "T K 2"],
    scenery: Scenery,
    screens: Sequence[Panel] = (),
) -> UInt8[np.ndarray, "T 3 h w"]:
    """Discs at these places in a room, behind screens."""
    frames = len(position)
    take = Take(
        background=scenery.background,
        furniture=tuple(scenery.panel(box, scenery.solid, frames) for box in WALLS),
        looks=tuple(
            Look(shape="disc", radius=radius, colour=COLOURS[name]) for name, radius in zip(names, radii, strict=True)
        ),
        position=position,
        angle=np.zeros(position.shape[:2]),
        present=np.ones(position.shape[:2], dtype=np.bool_),
        screens=tuple(screens),
        light=light(frames),
    )
    return render([take]).rgb[0]


def surroundings(generator: np.random.Generator) -> Scenery:
    """Colours of a room; the camera looks straight at it, so that pixels are pixels."""
    return draw_scenery(generator, SIDE_PIXELS, zoom=(1.0, 1.0), shift_pixels=0.0)


def apart(motions: Sequence[Motion], frame: int, least_pixels: float, disc: int | None = None) -> bool:
    """Whether these motions lie apart from one another in one frame: the mean over discs, or one disc's, of every two
    of them."""
    places = np.stack([motion.position[frame] for motion in motions])
    gaps = np.linalg.norm(places[:, None] - places[None, :], axis=-1)
    gaps = gaps.mean(axis=-1) if disc is None else gaps[..., disc]
    upper = np.triu_indices(len(motions), 1)
    return bool((gaps[upper] >= least_pixels).all())


def _placed(generator: np.random.Generator, looks: Sequence[Body]) -> tuple[Body, ...] | None:
    margin = BORDER_PIXELS + 6.0
    places = generator.uniform(margin, SIDE_PIXELS - margin, size=(len(looks), 2))
    for index, (body, place) in enumerate(zip(looks, places, strict=True)):
        others = zip(looks[:index], places[:index], strict=True)
        if any(math.dist(place, there) < body.radius + other.radius + 1.0 for other, there in others):
            return None
    return tuple(replace(body, position=(float(x), float(y))) for body, (x, y) in zip(looks, places, strict=True))


def _velocity(generator: np.random.Generator, speed: float) -> tuple[float, float]:
    direction = float(generator.uniform(0, 2 * math.pi))
    return speed * math.cos(direction), speed * math.sin(direction)
