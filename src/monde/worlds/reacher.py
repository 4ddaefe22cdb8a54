"""Reacher: an arm of two links in the plane, pushed by torques; its goal is a picture of it with its tip elsewhere.

Physics: the model of Gymnasium's MuJoCo `Reacher-v5` (`reacher.xml`, as installed), its step of 2 × 0.01 s included, at
a share of the motors' strength. The picture is drawn here from the joint angles, to the measures of that model: about
four times faster than MuJoCo's software renderer at its fastest, and the same place for place (tested).

A goal is reached within 0.05 m: the radius of the target in the "easy" reacher of the DeepMind Control Suite (arXiv
1801.00690, `_BIG_TARGET`), whose arm is about as long. Unlike there, the whole arm is shown in the goal's pose.
"""

import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from monde.errors import ContractError, UsageError, WorldError
from monde.protocols import Observation, Policy
from monde.types import ActionSpec
from monde.worlds.drawing import PLAIN, Colour, Look, blank, paint_boxes, paint_discs
from monde.worlds.scenes3d.engine import load as engine
from monde.worlds.shapes import paint_capsules
from monde.worlds.simulated import GOAL_DRAWS, PicturedWorld

if TYPE_CHECKING:
    import mujoco

LINK_METRES = (0.1, 0.11)
"""From the shoulder to the elbow, and from there to the tip."""

_WALL_METRES = 0.28
"""From the middle of the arena to the walls' faces."""

ELBOW_LIMIT = 3.0
"""rad, either way."""

_STATE = (
    *("shoulder_cos", "shoulder_sin", "elbow_cos", "elbow_sin"),
    *("shoulder_speed", "elbow_speed", "tip_x", "tip_y"),
)

_STEPS = 2
"""Steps of the simulator, 0.01 s each, in a control step: Reacher-v5's `frame_skip`."""


@dataclass(frozen=True, kw_only=True)
class ReacherConfig:
    """Sizes and rules of `Reacher`.

    Args:
        side_pixels: Side of the picture.
        strength: Torque of an action of 1, as a share of the motors' (which turn the arm about in a blink).
        success_metres: Distance of the tip to the goal's that counts as reached, at whatever speed.
        radius_metres: Half the thickness of the links, and the tip's radius, as drawn.
        half_view_metres: Half the side of the square that the picture shows.
        lag_steps: Control steps that the picture `before` is behind: one picture does not tell how fast the arm turns.
        link: Colour of the upper link.
        forearm: Colour of the lower link.
        look: All other colours (the tip is the agent), light and view.

    Raises:
        ContractError: Sizes that are not positive, or a strength above 1.
    """

    side_pixels: int = 64
    strength: float = 0.1
    success_metres: float = 0.05
    radius_metres: float = 0.015
    half_view_metres: float = 0.25
    lag_steps: int = 5
    link: Colour = (0, 102, 153)
    forearm: Colour = (66, 148, 196)
    look: Look = PLAIN

    def __post_init__(self) -> None:
        sizes = (self.strength, self.success_metres, self.radius_metres, self.half_view_metres)
        if min(sizes) <= 0 or self.strength > 1 or self.lag_steps < 0:
            raise ContractError("ReacherConfig is out of range", got=self, expected="sizes above 0, strength up to 1")


class Reacher(PicturedWorld):
    """The arm, starting at rest in any pose, with another pose as its goal.

    Sensors: `top` RGB [3, side, side], seen from above, y upwards; `before`, the same of five control steps ago;
    `state` [cos, sin of the shoulder, cos, sin of the elbow, both angular velocities in rad/s, tip x, tip y in m].
    Actions: torques of shoulder and elbow. Distances are those of the tips, in metres.
    """

    def __init__(self, config: ReacherConfig | None = None, *, batch: int, name: str = "reacher") -> None:
        self.config = config or ReacherConfig()
        self._model = _model()
        dt = _STEPS * float(self._model.opt.timestep)
        super().__init__(
            name=name,
            batch=batch,
            side_pixels=self.config.side_pixels,
            actions=ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), dt_seconds=dt, names=("shoulder", "elbow")),
            state_names=_STATE,
            state_unit="1, 1, 1, 1, rad/s, rad/s, m, m",
            lag_steps=self.config.lag_steps,
        )
        self._data: list[mujoco.MjData] = [engine().MjData(self._model) for _ in range(batch)]
        self._simulate = engine().mj_step
        look, side = self.config.look, self.config.side_pixels
        edge = _WALL_METRES * side / (2 * self.config.half_view_metres)
        edges = look.place(np.array([[side / 2 - edge] * 2, [side / 2 + edge] * 2]), side)
        box = np.clip(edges, 0, side).reshape(1, 1, 4)
        self._arena = paint_boxes(blank(1, side, look.wall), box, look.floor)

    def scripted(self) -> Policy:
        """A policy that steers to random poses, and in between lets torques swing the arm."""
        return _Steerer(self)

    def _begin(
        self, row: int, generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
        data = self._data[row]
        engine().mj_resetData(self._model, data)
        start, goal = _draw_pose(generator), _draw_pose(generator)
        for _ in range(GOAL_DRAWS):
            if not self._reached(start[None], goal[None])[0]:
                break
            goal = _draw_pose(generator)
        else:
            raise WorldError(f"{self.name} finds no goal away from the start", remedy="make success_metres smaller")
        data.qpos[:2] = start[:2]
        return start, goal

    def _advance(self, row: int, control: Float64[np.ndarray, " 2"]) -> Float64[np.ndarray, " n"]:
        data = self._data[row]
        data.ctrl[:] = control * self.config.strength
        for _ in range(_STEPS):
            self._simulate(self._model, data)
        return np.array([*data.qpos[:2], *data.qvel[:2]])

    def _told(self, states: Float64[np.ndarray, "B n"]) -> Float32[np.ndarray, "B 8"]:
        turns = [[f(angle) for angle in row[:2] for f in (math.cos, math.sin)] for row in states]
        return np.concatenate([np.array(turns), states[:, 2:], tips(states)[1]], axis=1).astype(np.float32)

    def _reached(self, states: Float64[np.ndarray, "B n"], goals: Float64[np.ndarray, "B n"]) -> Bool[np.ndarray, " B"]:
        return self._apart(states, goals) <= self.config.success_metres

    def _apart(
        self, states: Float64[np.ndarray, "B n"], goals: Float64[np.ndarray, "B n"]
    ) -> Float64[np.ndarray, " B"]:
        gap = tips(states)[1] - tips(goals)[1]
        return np.sqrt(gap[:, 0] ** 2 + gap[:, 1] ** 2)

    def _paint(self, states: Float64[np.ndarray, "B n"]) -> UInt8[np.ndarray, "B 3 h w"]:
        c, side = self.config, self.config.side_pixels
        look, pixel = c.look, side / (2 * c.half_view_metres)
        radius = pixel * look.zoom * c.radius_metres
        # Pictures are as the arena's own: y points up.
        shoulder, elbow, tip = (
            look.place(side / 2 + pixel * place * np.array([1.0, -1.0]), side)
            for place in (np.zeros((len(states), 2)), *tips(states))
        )
        frames = paint_capsules(np.repeat(self._arena, len(states), 0), shoulder, elbow, radius, c.link)
        frames = paint_capsules(frames, elbow, tip, radius, c.forearm)
        return look.light(paint_discs(frames, tip, radius * look.agent_scale, look.agent))


class _Steerer:
    """One undertaking after another in each row: half of them steer to a random pose by a spring and a damper, with
    noise; a quarter hold one random torque after another, and a quarter full ones. Those turn the arm as fast as it
    may be turned later: of speeds that were never recorded a model knows nothing, not even how to leave them.
    """

    _ARRIVED = 0.2
    _NOISE = 0.3
    _SHARES = (0.5, 0.75)
    """Below the first: a pose; below the second: random torques; above: full ones."""
    _STEPS = 25
    """Of an undertaking that is no pose, and half of what is spent on a pose at most."""
    _HOLD_STEPS = 8

    def __init__(self, world: Reacher) -> None:
        self._world = world
        self._target = self._held = np.full((world.batch, 2), np.nan)
        self._share = np.zeros(world.batch)
        self._spent = np.zeros(world.batch, dtype=np.int64)

    def __call__(
        self, observation: Observation, actions: ActionSpec, generator: np.random.Generator
    ) -> Float[np.ndarray, "B 2"]:
        state = observation.values["state"].astype(np.float64)
        angles = np.stack([np.arctan2(state[:, 1], state[:, 0]), np.arctan2(state[:, 3], state[:, 2])], axis=1)
        gap = self._choose(angles, observation.times_seconds == 0, generator)
        # rad/s², critically damped at 5 rad/s; the motors give 200 rad/s² and more.
        push = (25 * gap - 10 * state[:, 4:6]) / (200 * self._world.config.strength)
        push += generator.normal(0, self._NOISE, size=push.shape)
        torque = np.where((self._share < self._SHARES[0])[:, None], push, self._held)
        return np.clip(torque, actions.low, actions.high).astype(np.float32)

    def _choose(
        self, angles: Float64[np.ndarray, "B 2"], begun: Bool[np.ndarray, " B"], generator: np.random.Generator
    ) -> Float64[np.ndarray, "B 2"]:
        """New undertakings for the rows that are done with theirs; the angles that are left to each row's pose."""
        B = len(angles)
        # All rows draw at every step: what one gets does not depend on when the others need something new.
        fresh, share = np.stack([_draw_pose(generator)[:2] for _ in angles]), generator.uniform(size=B)
        random, full = generator.uniform(-1, 1, size=(B, 2)), generator.integers(-1, 2, size=(B, 2))
        redraw = generator.uniform(size=B) < 2 / (self._HOLD_STEPS + 1)
        posing = self._share < self._SHARES[0]
        with np.errstate(invalid="ignore"):
            arrived = posing & (np.abs(_turn(self._target - angles)) < self._ARRIVED).all(axis=1)
        new = begun | arrived | (self._spent >= np.where(posing, 2 * self._STEPS, self._STEPS))
        self._target = np.where(new[:, None], fresh, self._target)
        self._share = np.where(new, share, self._share)
        self._spent = np.where(new, 1, self._spent + 1)
        forced = self._share >= self._SHARES[1]
        held = np.where(forced[:, None], full, random)
        self._held = np.where((new | (redraw & ~forced))[:, None], held, self._held)
        return _turn(self._target - angles)


def _turn(gap: Float64[np.ndarray, "B 2"]) -> Float64[np.ndarray, "B 2"]:
    """Differences of angles, the shoulder's the shorter way round; the elbow has stops."""
    return np.stack([np.mod(gap[:, 0] + np.pi, 2 * np.pi) - np.pi, gap[:, 1]], axis=1)


def tips(states: Float64[np.ndarray, "B n"]) -> tuple[Float64[np.ndarray, "B 2"], Float64[np.ndarray, "B 2"]]:
    """Where elbows and tips are, in m from the shoulder, of states [shoulder, elbow, …] in rad."""
    # The mathematics library's, not NumPy's vectorised: equal for equal angles wherever they stand in the batch.
    elbow = [[LINK_METRES[0] * math.cos(a), LINK_METRES[0] * math.sin(a)] for a in states[:, 0]]
    forearm = [[LINK_METRES[1] * math.cos(a), LINK_METRES[1] * math.sin(a)] for a in states[:, 0] + states[:, 1]]
    return np.array(elbow), np.array(elbow) + np.array(forearm)


def _draw_pose(generator: np.random.Generator) -> Float64[np.ndarray, " 4"]:
    """Any angle of the shoulder, the elbow clear of its stops, at rest."""
    return np.array([generator.uniform(-np.pi, np.pi), generator.uniform(-2.7, 2.7), 0.0, 0.0])


def _model() -> "mujoco.MjModel":
    mujoco = engine()
    found = find_spec("gymnasium")
    if found is None or found.origin is None:
        raise UsageError("reacher needs the model of Gymnasium's Reacher-v5", remedy='pip install "monde[tasks]"')
    path = Path(found.origin).parent / "envs" / "mujoco" / "assets" / "reacher.xml"
    if not path.is_file():
        raise UsageError("Gymnasium has no reacher.xml", got=path.name, remedy='pip install "monde[tasks]"')
    return mujoco.MjModel.from_xml_path(str(path))
