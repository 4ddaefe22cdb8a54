"""Rigid bodies in space, by MuJoCo, in small fixed steps: equal launches give equal bits."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64

from monde.errors import ContractError, WorldError
from monde.limits import MAX_SCENE_OBJECTS
from monde.worlds.scenes3d.bodies import Body, Vector
from monde.worlds.scenes3d.engine import load

if TYPE_CHECKING:
    import mujoco

STEPS_HZ = 480.0
"""Physics steps a second: a body of 3.4 m/s moves 7 mm in one."""

STIFFNESS = 36_000.0
"""Of contacts, per unit of mass, 1/s²: two bodies touch for 17 ms, eight steps, and one at rest sinks in by 0.1 mm."""

MAX_SOLIDS = 5
_FLOOR_REACH = 50.0
_NOWHERE = (0.0, 0.0, -1000.0)
_FIRST_BODY = 1 + MAX_SOLIDS
"""Number of the first body's geom: the floor's is 0, and then come the blocks."""

_PEEK_STEPS = 4
"""Steps between looks at who touches whom: half of the shortest contact."""


@dataclass(frozen=True)
class Block:
    """An upright box that nothing moves: middle and half sizes, m."""

    middle: Vector
    half: Vector


@dataclass(frozen=True, kw_only=True, repr=False)
class Motion:
    """How K bodies move over T frames.

    Args:
        position: [T, K, 3] m, of centres of mass.
        quaternion: [T, K, 4] w, x, y, z, from a body's own axes to the scene's.
        velocity: [T, K, 3] m/s.
        spin: [T, K, 3] rad/s about the scene's axes.
        contacts: [T, K, K + 1], whether a body has touched each other one, and (last) the surroundings, since the frame
            before.
    """

    position: Float64[np.ndarray, "T K 3"]
    quaternion: Float64[np.ndarray, "T K 4"]
    velocity: Float64[np.ndarray, "T K 3"]
    spin: Float64[np.ndarray, "T K 3"]
    contacts: Bool[np.ndarray, "T K K1"]

    @property
    def frames(self) -> int:
        """T."""
        return len(self.position)

    def reversed(self) -> "Motion":
        """The same motion backwards in time. What touched since the frame before touches until the next one."""
        contacts = np.roll(self.contacts[::-1], 1, axis=0)
        contacts[0] = False
        return Motion(
            position=self.position[::-1],
            quaternion=self.quaternion[::-1],
            velocity=-self.velocity[::-1],
            spin=-self.spin[::-1],
            contacts=contacts,
        )

    def then(self, after: "Motion") -> "Motion":
        """This motion, and `after` from its second frame on: its first is this one's last."""
        return Motion(
            position=np.concatenate([self.position, after.position[1:]]),
            quaternion=np.concatenate([self.quaternion, after.quaternion[1:]]),
            velocity=np.concatenate([self.velocity, after.velocity[1:]]),
            spin=np.concatenate([self.spin, after.spin[1:]]),
            contacts=np.concatenate([self.contacts, after.contacts[1:]]),
        )

    def __repr__(self) -> str:
        return f"Motion({self.frames} frames, {self.position.shape[1]} bodies)"


def simulate(
    bodies: Sequence[Body], solids: Sequence[Block], *, gravity: float, frames: int, rate_hz: float, floor: bool = True
) -> Motion:
    """The motion of bodies among immovable blocks, from their launch at frame 0.

    The floor is at z = 0. Free flight is the exact parabola: MuJoCo moves by the velocity that a step ends with, so
    velocities are launched half a step early and told half a step late (leapfrog). Without friction and weight
    (`gravity` 0 and no floor) bodies move as they slide on ice, where weight and support cancel.

    Args:
        bodies: K bodies.
        solids: Blocks that they cannot enter, at most 5.
        gravity: m/s², downwards.
        frames: T ≥ 1.
        rate_hz: Frames a second.
        floor: Whether there is a floor.

    Raises:
        UsageError: mujoco is not installed.
        ContractError: Too many bodies or blocks.
        WorldError: The motion is not finite.
    """
    if not 1 <= len(bodies) <= MAX_SCENE_OBJECTS or len(solids) > MAX_SOLIDS:
        expected = f"1 to {MAX_SCENE_OBJECTS} bodies, at most {MAX_SOLIDS} blocks"
        raise ContractError("this is not simulated", got=f"{len(bodies)} and {len(solids)}", expected=expected)
    lab = load()
    model, data = _laboratory(len(bodies), threading.get_ident())
    steps = math.ceil(STEPS_HZ / rate_hz)
    dt = 1 / (rate_hz * steps)
    model.opt.timestep = dt
    model.opt.gravity[:] = 0.0, 0.0, -gravity
    _set_up(model, data, bodies, solids, floor)
    kick = gravity * dt / 2
    data.qvel.reshape(-1, 6)[:, 2] += kick
    K = len(bodies)
    state = np.empty((frames, K, 13))
    contacts = np.zeros((frames, K, K + 1), dtype=np.bool_)
    for frame in range(frames):
        done = 0
        while frame and done < steps:
            now = min(_PEEK_STEPS, steps - done)
            lab.mj_step(model, data, now)
            done += now
            if data.ncon:
                _touch(contacts[frame], data.contact.geom, K)
        state[frame, :, :7] = data.qpos.reshape(K, 7)
        state[frame, :, 7:] = data.qvel.reshape(K, 6)
    if not np.isfinite(state).all():
        raise WorldError("the scene's motion is not finite", got=list(bodies), remedy="launch bodies apart")
    state[..., 9] -= kick * ~contacts.any(axis=-1)  # what rests has no half step to go
    return Motion(
        position=state[..., 0:3],
        quaternion=state[..., 3:7],
        velocity=state[..., 7:10],
        spin=turned(state[..., 3:7], state[..., 10:13]),
        contacts=contacts,
    )


def simulate_around(
    bodies: Sequence[Body], *, gravity: float, frames: int, moment: int, rate_hz: float, floor: bool = True
) -> Motion:
    """The motion of bodies that are in the given state at frame `moment`, before it and after it.

    What comes before is simulated backwards. That is the past only of bodies that lose no energy in it: those given
    here must fly, slide without friction, or bounce with restitution 1 until `moment`.
    """
    past = simulate(
        [body.reversed for body in bodies], (), gravity=gravity, frames=moment + 1, rate_hz=rate_hz, floor=floor
    )
    future = simulate(bodies, (), gravity=gravity, frames=frames - moment, rate_hz=rate_hz, floor=floor)
    return past.reversed().then(future)


def turned(quaternion: Float64[np.ndarray, "*n 4"], vector: Float64[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n 3"]:
    """Vectors turned by unit quaternions."""
    w, axis = quaternion[..., :1], quaternion[..., 1:]
    across = np.cross(axis, vector)
    return vector + 2 * (w * across + np.cross(axis, across))


def _touch(table: Bool[np.ndarray, "K K1"], pairs: np.ndarray, K: int) -> None:
    """Mark who touches whom: K stands for all surroundings."""
    for a, b in np.where(pairs < _FIRST_BODY, K, pairs - _FIRST_BODY).tolist():
        if a < K:
            table[a, b] = True
        if b < K:
            table[b, a] = True


@cache
def _laboratory(K: int, thread: int) -> tuple["mujoco.MjModel", "mujoco.MjData"]:
    """One model for all simulations of K bodies in one thread: compiling one takes longer than a film.

    Every pair that may touch is named, since only of named pairs can friction be as stiff as it should whatever the
    restitution: else MuJoCo damps sliding as it damps bouncing, and what bounces well slides on for ever.
    """
    bodies = "".join(
        f'<body name="b{k}"><freejoint/><geom name="g{_FIRST_BODY + k}" type="sphere" size="0.5"/></body>'
        for k in range(K)
    )
    solids = "".join(f'<geom name="g{i}" type="box" size="1 1 1"/>' for i in range(1, _FIRST_BODY))
    pairs = "".join(f'<pair geom1="g{a}" geom2="g{b}"/>' for b in range(_FIRST_BODY, _FIRST_BODY + K) for a in range(b))
    xml = f"""<mujoco>
      <option integrator="Euler" cone="elliptic" iterations="50" tolerance="1e-12"/>
      <default><geom contype="0" conaffinity="0"/></default>
      <worldbody>
        <geom name="g0" type="plane" size="{_FLOOR_REACH} {_FLOOR_REACH} 1"/>{solids}{bodies}
      </worldbody>
      <contact>{pairs}</contact></mujoco>"""
    lab = load()
    model = lab.MjModel.from_xml_string(xml)
    model.geom_sameframe[:_FIRST_BODY] = 0  # else MuJoCo would not look at their places, which were 0 when compiled
    model.pair_solimp[:, :3] = 0.999, 0.999, 0.001
    model.pair_solreffriction[:] = -STIFFNESS, -damping(0.0)
    return model, lab.MjData(model)


def _set_up(
    model: "mujoco.MjModel",
    data: "mujoco.MjData",
    bodies: Sequence[Body],
    solids: Sequence[Block],
    floor: bool,
) -> None:
    lab = load()
    kinds = {"sphere": lab.mjtGeom.mjGEOM_SPHERE, "box": lab.mjtGeom.mjGEOM_BOX}
    kinds |= {"cylinder": lab.mjtGeom.mjGEOM_CYLINDER, "ellipsoid": lab.mjtGeom.mjGEOM_ELLIPSOID}
    for k, body in enumerate(bodies):
        a, b, c = body.half_sizes
        geom = _FIRST_BODY + k
        model.geom_type[geom] = kinds[body.shape]
        model.geom_size[geom] = (a, c, 0.0) if body.shape == "cylinder" else (a, b, c)
        model.geom_rbound[geom], model.geom_aabb[geom] = body.reach, (0, 0, 0, a, b, c)
        model.body_mass[k + 1], model.body_inertia[k + 1] = body.mass, body.inertia
    # What is not there is where nobody gets to.
    model.geom_pos[:_FIRST_BODY] = _NOWHERE
    if floor:
        model.geom_pos[0] = 0.0
    for index, solid in enumerate(solids, start=1):
        model.geom_pos[index], model.geom_size[index] = solid.middle, solid.half
        model.geom_aabb[index], model.geom_rbound[index] = (0, 0, 0, *solid.half), float(np.linalg.norm(solid.half))
    _set_pairs(model, bodies)
    lab.mj_resetData(model, data)
    lab.mj_setConst(model, data)
    for k, body in enumerate(bodies):
        quaternion = np.array(body.quaternion, dtype=np.float64) / np.linalg.norm(body.quaternion)
        if body.shape == "cylinder":
            quaternion = _tilted(quaternion)
        data.qpos[7 * k : 7 * k + 7] = (*body.position, *quaternion)
        inverse = quaternion * np.array([1.0, -1.0, -1.0, -1.0])
        data.qvel[6 * k : 6 * k + 6] = (*body.velocity, *turned(inverse, np.array(body.spin, dtype=np.float64)))
    lab.mj_forward(model, data)


def _set_pairs(model: "mujoco.MjModel", bodies: Sequence[Body]) -> None:
    """Friction and restitution of every two that may touch: products, in which surroundings count as 1."""
    rough = np.array([1.0] * _FIRST_BODY + [body.friction for body in bodies])
    springy = np.array([1.0] * _FIRST_BODY + [body.restitution for body in bodies])
    a, b = model.pair_geom1, model.pair_geom2
    friction = rough[a] * rough[b]
    model.pair_friction[:] = 0.0
    model.pair_friction[:, :2] = friction[:, None]
    model.pair_dim[:] = np.where(friction > 0, 3, 1)
    model.pair_solref[:, 0] = -STIFFNESS
    model.pair_solref[:, 1] = [-damping(restitution) for restitution in (springy[a] * springy[b]).tolist()]


def _tilted(quaternion: Float64[np.ndarray, " 4"]) -> Float64[np.ndarray, " 4"]:
    """Tilted by 0.1 mrad. Where a cylinder is upright but for rounding, MuJoCo divides noise by noise to find the point
    of its rim that is nearest to a plane, and it sinks in.
    """
    w, x, y, z = quaternion
    half = 5e-5
    tilted: Float64[np.ndarray, " 4"] = quaternion + half * np.array([-x, w, z, -y])
    return tilted / np.linalg.norm(tilted)


def damping(restitution: float) -> float:
    """Damping, 1/s, at which a contact of `STIFFNESS` gives a colliding pair this restitution.

    A damped oscillator that leaves its rest with v comes back with v exp(-π ζ / √(1 - ζ²)).
    """
    if restitution <= 0.01:
        return 2 * math.sqrt(STIFFNESS)  # critical: it does not come back
    share = -math.log(restitution)
    return 2 * share / math.hypot(math.pi, share) * math.sqrt(STIFFNESS)
