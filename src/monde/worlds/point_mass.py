"""PointMass: a disc with inertia in an empty square.

One frame does not show its velocity: a model needs its history.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, UInt8

from monde.errors import ContractError
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.protocols import Observation, Policy
from monde.types import ActionSpec
from monde.worlds.drawing import Look, blank, paint_boxes
from monde.worlds.planar import PlanarWorld


@dataclass(frozen=True, kw_only=True)
class PointMassConfig:
    """Sizes and rules of `PointMass`.

    Args:
        side_pixels: Side of the square.
        border_pixels: Thickness of the walls around it.
        radius_pixels: Radius of the disc.
        acceleration: px/s² along an axis by an action of 1 (force by mass).
        drag: 1/s; velocity decays with this rate. Top speed is acceleration / drag.
        restitution: Speed kept when a wall is hit: 1 elastic, 0 inelastic (it stops and slides).
        start_speed: px/s; each component of the first velocity is uniform within ± this.
        dt_seconds: Duration of one control step.
        success_pixels: Distance to the goal that counts as reached, at whatever speed.

    Raises:
        ContractError: Sizes that leave the disc no room, or physics out of range.
    """

    side_pixels: int = 64
    border_pixels: float = 3.0
    radius_pixels: float = 2.5
    acceleration: float = 40.0
    drag: float = 1.0
    restitution: float = 0.5
    start_speed: float = 10.0
    dt_seconds: float = 0.1
    success_pixels: float = 4.0

    def __post_init__(self) -> None:
        if self.side_pixels > MAX_FRAME_SIDE_PIXELS:
            raise ContractError("PointMass is too large", got=self.side_pixels, expected=f"≤ {MAX_FRAME_SIDE_PIXELS}")
        if min(self.radius_pixels, self.acceleration, self.dt_seconds, self.success_pixels) <= 0:
            raise ContractError("PointMassConfig sizes must be positive", got=self)
        if self.side_pixels <= 2 * (self.border_pixels + self.radius_pixels) or self.border_pixels < 0:
            raise ContractError("PointMass's square does not hold the disc", got=self)
        if not (0 <= self.restitution <= 1 and self.drag >= 0 and self.start_speed >= 0):
            raise ContractError(
                "PointMassConfig physics is out of range",
                got=self,
                expected="restitution 0 to 1, drag ≥ 0, start_speed ≥ 0",
            )


class PointMass(PlanarWorld):
    """A disc pushed by a force, slowed by drag, bouncing off the walls.

    Between walls the motion under a constant force is solved exactly, not integrated. Sensors: `top` RGB
    [3, side, side]; `state` [x, y, vx, vy], positions in px, velocities in px/s. The goal is a place, at rest.
    """

    def __init__(
        self, config: PointMassConfig | None = None, *, batch: int, name: str = "pointmass", look: Look | None = None
    ) -> None:
        self.config = config or PointMassConfig()
        c = self.config
        super().__init__(
            name=name,
            batch=batch,
            side_pixels=c.side_pixels,
            radius_pixels=c.radius_pixels,
            success_pixels=c.success_pixels,
            state_names=("x", "y", "vx", "vy"),
            state_unit="px, px/s",
            dt_seconds=c.dt_seconds,
            look=look,
        )
        self._bounds = (c.border_pixels + c.radius_pixels, c.side_pixels - c.border_pixels - c.radius_pixels)

    def scripted(self) -> Policy:
        """A policy that pushes and brakes towards one random place after another."""
        return _Steerer(self)

    def _begin(
        self, generators: Sequence[np.random.Generator]
    ) -> tuple[Float64[np.ndarray, "B 4"], Float64[np.ndarray, "B 4"], UInt8[np.ndarray, "B 3 h w"]]:
        c = self.config
        start, goal = np.zeros((self.batch, 4)), np.zeros((self.batch, 4))
        for row, generator in enumerate(generators):
            start[row, :2] = generator.uniform(*self._bounds, size=2)
            start[row, 2:] = generator.uniform(-c.start_speed, c.start_speed, size=2)
            goal[row, :2] = generator.uniform(*self._bounds, size=2)
        side, edge = float(c.side_pixels), c.border_pixels
        frame = [[0, 0, side, edge], [0, side - edge, side, side], [0, edge, edge, side - edge]]
        border = np.array([*frame, [side - edge, edge, side, side - edge]])
        boxes = np.broadcast_to(border, (self.batch, 4, 4))
        return start, goal, paint_boxes(blank(self.batch, c.side_pixels, self.look.floor), boxes, self.look.wall)

    def _advance(
        self, state: Float64[np.ndarray, "B 4"], controls: Float64[np.ndarray, "B 2"]
    ) -> Float64[np.ndarray, "B 4"]:
        c, dt = self.config, self.config.dt_seconds
        place, velocity = state[:, :2], state[:, 2:]
        push = c.acceleration * controls
        # x'' = push - drag·x' over dt; `lag` is the integral of exp(-drag·t), and `push_way` that of the lag.
        decay = math.exp(-c.drag * dt)
        # Below this drag the quotients would lose their digits, and the drag cannot be seen.
        dragged = c.drag * dt > 1e-6
        lag = -math.expm1(-c.drag * dt) / c.drag if dragged else dt
        push_way = (dt - lag) / c.drag if dragged else dt**2 / 2
        place = place + lag * velocity + push_way * push
        velocity = decay * velocity + lag * push
        low, high = self._bounds
        beyond = np.minimum(place - low, 0) + np.maximum(place - high, 0)
        place = np.clip(place - (1 + c.restitution) * beyond, low, high)
        # A wall turns a velocity only if it points into the wall.
        into = beyond * velocity > 0
        velocity = np.where(into, -c.restitution * velocity, velocity)
        return np.concatenate([place, velocity], axis=1)


class _Steerer:
    """The scripted policy of PointMass: a proportional and damping push towards a target per row."""

    _ARRIVED_PIXELS = 3.0
    _NOISE = 0.2

    def __init__(self, world: PointMass) -> None:
        self._world = world
        self._target = np.full((world.batch, 2), np.nan)

    def __call__(
        self, observation: Observation, actions: ActionSpec, generator: np.random.Generator
    ) -> Float[np.ndarray, "B 2"]:
        c = self._world.config
        state = observation.values["state"].astype(np.float64)
        low = c.border_pixels + c.radius_pixels
        fresh = generator.uniform(low, c.side_pixels - low, size=(len(state), 2))
        with np.errstate(invalid="ignore"):
            arrived = (np.abs(state[:, :2] - self._target) < self._ARRIVED_PIXELS).all(axis=1)
        start = (observation.times_seconds == 0) | np.isnan(self._target[:, 0])
        self._target = np.where((start | arrived)[:, None], fresh, self._target)
        # Critically damped for a unit mass at 2 rad/s: push = ω²·gap - 2ω·velocity, drag left as a bonus.
        push = (4 * (self._target - state[:, :2]) - 4 * state[:, 2:]) / c.acceleration
        noise = generator.normal(0, self._NOISE, size=push.shape)
        return np.clip(push + noise, actions.low, actions.high).astype(np.float32)
