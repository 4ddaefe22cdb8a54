"""The scripted policy of the table: reach somewhere, touch the object, push it, or do anything; with noise."""

import math

import numpy as np
from jaxtyping import Float, Float64

from monde.protocols import Observation
from monde.types import ActionSpec
from monde.worlds.tabletop.config import REACH_METRES, STEP_METRES

_NOISE = 0.15
_BEHIND_METRES = 0.075
"""Where a push begins: so far from the object's middle."""

_ABOVE_METRES = 0.05
"""The tip crosses the object so far above its top."""

_ARRIVED_METRES = 0.015
_PATIENCE_STEPS = 14
_SHARES = (0.2, 0.2, 0.5, 0.1)
"""Of undertakings: reach, touch, push, anything."""


class Pusher:
    """Acts for one row; knows where tip and object are.

    Args:
        generator: All its randomness.
    """

    def __init__(self, generator: np.random.Generator) -> None:
        self._random = generator
        self._way: list[Float64[np.ndarray, " 3"]] = []
        self._held: Float64[np.ndarray, " 3"] | None = None
        self._left = 0

    def act(self, tip: Float64[np.ndarray, " 3"], gap: Float64[np.ndarray, " 3"]) -> Float64[np.ndarray, " 3"]:
        """The next control; `gap` is from the tip to the middle of the object's top."""
        noise = self._random.normal(0, _NOISE, size=3)
        while self._way and np.linalg.norm(self._way[0] - tip) < _ARRIVED_METRES:
            self._way.pop(0)
            self._left = _PATIENCE_STEPS
        if self._left <= 0 or not (self._way or self._held is not None):
            self._begin(tip, tip + gap)
        self._left -= 1
        if self._held is not None:
            return np.clip(self._held + noise, -1, 1)
        gone = self._way[0] - tip
        # Straight for it: no axis ends before the others.
        return np.clip(gone / max(STEP_METRES, float(np.abs(gone).max())) + noise, -1, 1)

    def _begin(self, tip: Float64[np.ndarray, " 3"], top: Float64[np.ndarray, " 3"]) -> None:
        random = self._random
        self._way, self._held, self._left = [], None, _PATIENCE_STEPS
        kind = int(random.choice(len(_SHARES), p=_SHARES))
        if kind == 0:
            low = (-REACH_METRES, -REACH_METRES, top[2] - 0.02)
            self._way = [random.uniform(low, (REACH_METRES, REACH_METRES, top[2] + 0.12))]
        elif kind == 1:
            self._way = [top + np.array([0.0, 0.0, _ABOVE_METRES / 2]), top]
        elif kind == 2:
            self._way = self._push(tip, top)
        else:
            self._held, self._left = random.uniform(-1, 1, size=3), int(random.integers(2, 6))

    def _push(self, tip: Float64[np.ndarray, " 3"], top: Float64[np.ndarray, " 3"]) -> list[Float64[np.ndarray, " 3"]]:
        """Up, over, down behind the object, and through it."""
        random = self._random
        # Towards the middle more often than away from it, so that the object stays on the table.
        inwards = math.atan2(-top[1], -top[0])
        angle = random.normal(inwards, 1.2) if math.hypot(top[0], top[1]) > 0.05 else random.uniform(-math.pi, math.pi)
        along = np.array([math.cos(angle), math.sin(angle), 0.0])
        behind = top - _BEHIND_METRES * along
        behind[:2] = np.clip(behind[:2], -REACH_METRES, REACH_METRES)
        low = behind - np.array([0.0, 0.0, random.uniform(0.012, 0.025)])
        high = top[2] + _ABOVE_METRES
        way = [np.array([tip[0], tip[1], high]), np.array([behind[0], behind[1], high])]
        if np.linalg.norm(tip - low) < 0.06:
            way = []
        return [*way, low, low + random.uniform(0.08, 0.18) * along]


class Pushers:
    """A `Pusher` for each row of a batch. Each draws from a generator of its own, seeded when its episode starts."""

    def __init__(self) -> None:
        self._rows: list[Pusher] = []

    def __call__(
        self, observation: Observation, actions: ActionSpec, generator: np.random.Generator
    ) -> Float[np.ndarray, "B 3"]:
        """Control steps [B, 3] from the sensors `gripper` and `gap`."""
        B = observation.batch
        seeds = generator.integers(2**62, size=B).tolist()
        if len(self._rows) != B:
            self._rows = [Pusher(np.random.default_rng(seed)) for seed in seeds]
        for row in np.flatnonzero(observation.times_seconds == 0).tolist():
            self._rows[row] = Pusher(np.random.default_rng(seeds[row]))
        tips, gaps = (observation.values[name].astype(np.float64) for name in ("gripper", "gap"))
        acted = [pusher.act(tip, gap) for pusher, tip, gap in zip(self._rows, tips, gaps, strict=True)]
        return np.stack(acted).astype(np.float32)
