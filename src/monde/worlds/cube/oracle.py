"""The scripted policy of the cube world: OGBench's own oracle, with noise."""

import importlib
import math
from typing import Protocol

import numpy as np
from jaxtyping import Float, Float64

from monde.protocols import Observation
from monde.types import ActionSpec
from monde.worlds.scenes3d.engine import rendering

_NOISE = 0.1
"""Spread of the noise on all actions: that of OGBench's "play" recordings (arXiv 2410.20092)."""

_ARM = np.array([[0.25, -0.35, 0.20], [0.6, 0.35, 0.35]])
_TARGETS = np.array([[0.3, -0.3], [0.55, 0.3]])
"""Where OGBench lets the hand end, and cubes lie; m."""


class _Oracle(Protocol):
    done: bool

    def select_action(self, ob: None, info: dict[str, object]) -> Float64[np.ndarray, " 5"]: ...


class Handler:
    """Acts for one arm: takes the cube to one random place after another and lets go of it (`CubeMarkovOracle`).

    Args:
        generator: All its randomness.
    """

    def __init__(self, generator: np.random.Generator) -> None:
        with rendering():
            module = importlib.import_module("ogbench.manipspace.oracles.markov.cube_markov")
        self._make = module.CubeMarkovOracle
        self._random = generator
        self._begin()

    def _begin(self) -> None:
        random = self._random
        # Its own `reset` draws from NumPy's global generator.
        oracle = self._make(env=None, min_norm=random.uniform(0.4, 1.0))
        oracle.__dict__.update(
            _done=False, _step=0, _final_pos=random.uniform(*_ARM), _final_yaw=random.uniform(-np.pi, np.pi)
        )
        self._oracle: _Oracle = oracle
        self._place = np.array([*random.uniform(*_TARGETS), 0.02])
        self._yaw = random.uniform(0, 2 * np.pi)

    def act(self, told: Float64[np.ndarray, " m"]) -> Float64[np.ndarray, " 5"]:
        """The next action, given what the sensor `state` tells."""
        if self._oracle.done:
            self._begin()
        info: dict[str, object] = {
            "proprio/effector_pos": told[:3],
            "proprio/effector_yaw": np.array([math.atan2(told[4], told[3])]),
            "proprio/gripper_opening": told[5:6],
            "proprio/gripper_contact": told[6:7],
            "privileged/target_block": 0,
            "privileged/block_0_pos": told[7:10],
            "privileged/block_0_yaw": np.array([math.atan2(told[11], told[10])]),
            "privileged/target_block_pos": self._place,
            "privileged/target_block_yaw": np.array([self._yaw]),
        }
        action = self._oracle.select_action(None, info)
        return np.clip(action + self._random.normal(0, _NOISE, size=5), -1, 1)


class Handlers:
    """A `Handler` for each row of a batch. Each draws from a generator of its own, seeded when its episode starts."""

    def __init__(self) -> None:
        self._rows: list[Handler] = []

    def __call__(
        self, observation: Observation, actions: ActionSpec, generator: np.random.Generator
    ) -> Float[np.ndarray, "B 5"]:
        """Control steps [B, 5] from the sensor `state`."""
        B = observation.batch
        seeds = generator.integers(2**62, size=B).tolist()
        if len(self._rows) != B:
            self._rows = [Handler(np.random.default_rng(seed)) for seed in seeds]
        for row in np.flatnonzero(observation.times_seconds == 0).tolist():
            self._rows[row] = Handler(np.random.default_rng(seeds[row]))
        told = observation.values["state"].astype(np.float64)
        return np.stack([handler.act(row) for handler, row in zip(self._rows, told, strict=True)]).astype(np.float32)
