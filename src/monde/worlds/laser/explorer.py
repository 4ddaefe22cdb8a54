"""The scripted policy that laser worlds are recorded with."""

import math
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from monde.protocols import Observation
from monde.types import ActionSpec

if TYPE_CHECKING:
    from monde.worlds.laser.world import LaserWorld

_NOISE = 0.15
"""Spread of the noise on actions, in half-ranges."""
_SHARES = (0.65, 0.8)
"""Below the first: along the shortest way; below the second: straight on, through walls; above: at random."""
_PATIENCE_STEPS = 16
_HOLD_STEPS = 5
_LOOK_CELLS = 3
_ARRIVED_M = 0.3
_GAIN = 2.0
"""Yaw rate for each radian off the way, 1/s."""


class Explorer:
    """Goes to one random place after another, along the shortest way, straight on, or not at all (random actions).

    As the mazes' `Navigator`: a recording that shows only ways that lead somewhere does not tell what walls do.

    Args:
        world: Where it acts; it knows the walls.
    """

    def __init__(self, world: "LaserWorld") -> None:
        self._world = world
        self._target = self._held = np.full((0, 2), np.nan)
        self._share: Float64[np.ndarray, " B"] = np.zeros(0)
        self._left = np.zeros(0, dtype=np.int64)
        self._fields: list[Float64[np.ndarray, "h w"] | None] = []

    def __call__(
        self, observation: Observation, actions: ActionSpec, generator: np.random.Generator
    ) -> Float64[np.ndarray, "B dim"]:
        """Control steps [B, 2]."""
        B, poses = observation.batch, self._world.poses
        if len(self._target) != B or not observation.times_seconds.any():
            self._target, self._held = np.zeros((B, 2)), np.zeros((B, 2))
            self._share, self._left = np.zeros(B), np.zeros(B, dtype=np.int64)
            self._fields = [None] * B
        # All rows draw at every step: what one gets does not depend on when the others need something new.
        drawn, share = generator.uniform(size=B), generator.uniform(size=B)
        held = generator.uniform(actions.low, actions.high, size=(B, 2))
        redraw = generator.uniform(size=B) < 1 / _HOLD_STEPS
        noise = generator.normal(0, _NOISE, size=(B, 2)) * (np.array(actions.high) - np.array(actions.low)) / 2
        controls = np.zeros((B, 2))
        for row, task in enumerate(self._world.tasks):
            place = poses[row, :2]
            if self._left[row] <= 0 or np.hypot(*(place - self._target[row])) < _ARRIVED_M:
                free = task.ground.places
                self._target[row] = free[int(drawn[row] * len(free))]
                self._share[row] = share[row]
                finds = share[row] < _SHARES[0]
                self._left[row] = 4 * _PATIENCE_STEPS if finds else _PATIENCE_STEPS
                self._fields[row] = task.ground.distances(self._target[row]) if finds else None
            self._left[row] -= 1
            if redraw[row]:
                self._held[row] = held[row]
            controls[row] = self._held[row] if self._share[row] >= _SHARES[1] else self._towards(row, poses[row])
            if self._share[row] < _SHARES[1]:
                controls[row] += noise[row]
        return np.clip(controls, actions.low, actions.high)

    def _towards(self, row: int, pose: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "2"]:
        """Turn to the way and drive the faster the better one faces it."""
        aim, field = self._target[row], self._fields[row]
        if field is not None and np.isfinite(field).any():
            aim = self._world.tasks[row].ground.ahead(field, pose[:2], _LOOK_CELLS)
        gap = aim - pose[:2]
        off = math.remainder(np.arctan2(gap[1], gap[0]) - pose[2], math.tau)
        return np.array([self._world.config.fastest_mps * max(0.0, np.cos(off)) ** 2, _GAIN * off])
