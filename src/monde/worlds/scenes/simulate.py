"""Rigid bodies in the plane, by Chipmunk (pymunk), in small fixed steps: equal launches give equal bits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64

from monde.errors import UsageError, WorldError
from monde.worlds.scenes.bodies import Body, Box, Camera, corners

if TYPE_CHECKING:
    import pymunk

SUBSTEPS_HZ = 240.0
"""Physics steps a second, at least: a body of 34 px/s moves 0.14 px in one."""

_SURROUNDINGS = -1
_SOLID_CATEGORY = 1 << 31


@dataclass(frozen=True, kw_only=True, repr=False)
class Motion:
    """How K bodies move over T frames.

    Args:
        position: [T, K, 2] px.
        velocity: [T, K, 2] px/s.
        angle: [T, K] rad, unwrapped.
        spin: [T, K] rad/s.
        contacts: [T, K, K + 1], whether a body has touched each other one, and (last) the surroundings, since the frame
            before.
    """

    position: Float64[np.ndarray, "T K 2"]
    velocity: Float64[np.ndarray, "T K 2"]
    angle: Float64[np.ndarray, "T K"]
    spin: Float64[np.ndarray, "T K"]
    contacts: Bool[np.ndarray, "T K K1"]

    @property
    def frames(self) -> int:
        """T."""
        return len(self.position)

    def through(self, camera: Camera) -> "Motion":
        """The same motion in pixels of the picture."""
        return replace(self, position=camera.places(self.position), velocity=self.velocity * camera.zoom)

    def reversed(self) -> "Motion":
        """The same motion backwards in time. What touched since the frame before touches until the next one."""
        contacts = np.roll(self.contacts[::-1], 1, axis=0)
        contacts[0] = False
        return Motion(
            position=self.position[::-1],
            velocity=-self.velocity[::-1],
            angle=self.angle[::-1],
            spin=-self.spin[::-1],
            contacts=contacts,
        )

    def then(self, after: "Motion") -> "Motion":
        """This motion, and `after` from its second frame on: its first is this one's last."""
        return Motion(
            position=np.concatenate([self.position, after.position[1:]]),
            velocity=np.concatenate([self.velocity, after.velocity[1:]]),
            angle=np.concatenate([self.angle, after.angle[1:]]),
            spin=np.concatenate([self.spin, after.spin[1:]]),
            contacts=np.concatenate([self.contacts, after.contacts[1:]]),
        )

    def __repr__(self) -> str:
        return f"Motion({self.frames} frames, {self.position.shape[1]} bodies)"


def simulate(bodies: Sequence[Body], solids: Sequence[Box], *, gravity: float, frames: int, rate_hz: float) -> Motion:
    """The motion of bodies among immovable boxes, from their launch at frame 0.

    Solids have friction and restitution 1, so that a body's own count. Free flight is the exact parabola: Chipmunk
    moves by the velocity that a step begins with, so velocities are launched half a step late and told half a step
    early (leapfrog).

    Args:
        bodies: K bodies.
        solids: Boxes that they cannot enter.
        gravity: px/s², downwards.
        frames: T ≥ 1.
        rate_hz: Frames a second.

    Raises:
        UsageError: pymunk is not installed.
        WorldError: The motion is not finite.
    """
    try:
        import pymunk
    except ImportError as error:
        raise UsageError("scenes need pymunk", remedy='pip install "monde[physics]"') from error
    steps = math.ceil(SUBSTEPS_HZ / rate_hz)
    dt = 1 / (rate_hz * steps)
    kick = gravity * dt / 2
    space = pymunk.Space()
    space.gravity = (0.0, gravity)
    space.collision_slop = 0.02
    moving = [_add(space, body, index, kick) for index, body in enumerate(bodies)]
    for box in solids:
        _add_solid(space, box)
    touching = _Touching(space, len(bodies))
    state = np.empty((frames, len(bodies), 6))
    contacts = np.zeros((frames, len(bodies), len(bodies) + 1), dtype=np.bool_)
    for frame in range(frames):
        if frame:
            for _ in range(steps):
                space.step(dt)
            contacts[frame] = touching.since_last()
        for index, body in enumerate(moving):
            (x, y), (vx, vy) = body.position, body.velocity
            state[frame, index] = x, y, vx, vy - kick, body.angle, body.angular_velocity
    if not np.isfinite(state).all():
        raise WorldError("the scene's motion is not finite", got=list(bodies), remedy="launch bodies apart")
    return Motion(
        position=state[..., 0:2], velocity=state[..., 2:4], angle=state[..., 4], spin=state[..., 5], contacts=contacts
    )


def simulate_around(bodies: Sequence[Body], *, gravity: float, frames: int, moment: int, rate_hz: float) -> Motion:
    """The motion of bodies that are in the given state at frame `moment`, before it and after it.

    What comes before is simulated backwards. That is the past only of bodies that lose no energy in it: those given
    here must fly freely until `moment`.
    """
    past = simulate([body.reversed for body in bodies], (), gravity=gravity, frames=moment + 1, rate_hz=rate_hz)
    future = simulate(bodies, (), gravity=gravity, frames=frames - moment, rate_hz=rate_hz)
    return past.reversed().then(future)


class _Touching:
    """Who touches whom: kept from begin and separate events, for asking a body's arbiters at every step is slow."""

    def __init__(self, space: "pymunk.Space", n: int) -> None:
        self._n = n
        self._now: dict[tuple[int, int], int] = {}
        self._met: set[tuple[int, int]] = set()
        handler = space.add_default_collision_handler()
        handler.begin = self._begin
        handler.separate = self._separate

    def since_last(self) -> Bool[np.ndarray, "K K1"]:
        """[K, K + 1], what touches now or has touched since this was last asked."""
        table = np.zeros((self._n, self._n + 1), dtype=np.bool_)
        for a, b in self._met | self._now.keys():
            # The surroundings are index -1, the last column; they have no row.
            for body, other in ((a, b), (b, a)):
                if body != _SURROUNDINGS:
                    table[body, other] = True
        self._met = set()
        return table

    def _begin(self, arbiter: "pymunk.Arbiter", space: "pymunk.Space", data: object) -> bool:
        pair = _pair(arbiter)
        self._now[pair] = self._now.get(pair, 0) + 1
        self._met.add(pair)
        return True

    def _separate(self, arbiter: "pymunk.Arbiter", space: "pymunk.Space", data: object) -> None:
        pair = _pair(arbiter)
        self._now[pair] -= 1
        if not self._now[pair]:
            del self._now[pair]


def _pair(arbiter: "pymunk.Arbiter") -> tuple[int, int]:
    a, b = sorted(int(shape.collision_type) - 1 for shape in arbiter.shapes)
    return a, b


def _add(space: "pymunk.Space", body: Body, index: int, kick: float) -> "pymunk.Body":
    import pymunk

    if body.shape == "disc":
        moment = pymunk.moment_for_circle(body.mass, 0, body.radius)
    else:
        moment = pymunk.moment_for_poly(body.mass, corners(body.shape, body.radius))
    made = pymunk.Body(body.mass, moment)
    made.position, made.angle = body.position, body.angle
    made.velocity = (body.velocity[0], body.velocity[1] + kick)
    made.angular_velocity = body.spin
    shape: pymunk.Shape
    if body.shape == "disc":
        shape = pymunk.Circle(made, body.radius)
    else:
        shape = pymunk.Poly(made, corners(body.shape, body.radius))
    shape.friction, shape.elasticity, shape.collision_type = body.friction, body.restitution, index + 1
    plane = 1 << body.plane
    shape.filter = pymunk.ShapeFilter(categories=plane, mask=plane | _SOLID_CATEGORY)
    space.add(made, shape)
    return made


def _add_solid(space: "pymunk.Space", box: Box) -> None:
    import pymunk

    x0, y0, x1, y1 = box
    shape = pymunk.Poly(space.static_body, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    shape.friction, shape.elasticity, shape.collision_type = 1.0, 1.0, _SURROUNDINGS + 1
    shape.filter = pymunk.ShapeFilter(categories=_SOLID_CATEGORY)
    space.add(shape)
