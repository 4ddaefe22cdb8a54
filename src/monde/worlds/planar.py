"""`PlanarWorld`: what the worlds of one disc in a square have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8

from monde.protocols import Observation, Transition
from monde.types import ActionSpec
from monde.worlds.camera_world import CameraWorld
from monde.worlds.checks import check_controls, check_seeds
from monde.worlds.drawing import Look, paint_discs
from monde.worlds.pixels import shift_pixels
from monde.worlds.shifts import PixelShift


class PlanarWorld(CameraWorld, ABC):
    """A batch of discs, each in a square of its own, seen from above. Implements `monde.protocols.World`.

    The state of a row is [x, y, …] in pixels (x to the right, y downwards). Sensors: `top`, RGB of the square; `state`,
    the state itself as float32.

    Args:
        name: The name that `monde.worlds.make` knows it by.
        batch: B.
        side_pixels: Side of the square and of its picture.
        radius_pixels: Radius of the disc.
        success_pixels: Distance of the centre to the goal, in a straight line, that counts as reached.
        state_names: One name per component of the state.
        state_unit: Their unit.
        dt_seconds: Duration of one control step.
        look: Colours and sizes that it is drawn in.

    Raises:
        ContractError: A batch or a side out of limits.
    """

    def __init__(
        self,
        *,
        name: str,
        batch: int,
        side_pixels: int,
        radius_pixels: float,
        success_pixels: float,
        state_names: tuple[str, ...],
        state_unit: str,
        dt_seconds: float,
        look: Look | None = None,
    ) -> None:
        super().__init__(
            name=name,
            batch=batch,
            side_pixels=side_pixels,
            actions=ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), dt_seconds=dt_seconds, names=("x", "y")),
            state_names=state_names,
            state_unit=state_unit,
        )
        self.look = look or Look()
        self._drawn_radius = radius_pixels * self.look.agent_scale
        right, down = (moved / side_pixels for moved in self.look.offset)
        self._view = PixelShift(gain=self.look.gain, zoom=self.look.zoom, offset=(right, down))
        self._success = success_pixels
        self._state = np.zeros((batch, len(state_names)))
        self._goal = np.zeros_like(self._state)
        self._background = np.zeros((batch, 3, side_pixels, side_pixels), dtype=np.uint8)

    @abstractmethod
    def _begin(
        self, generators: Sequence[np.random.Generator]
    ) -> tuple[Float64[np.ndarray, "B n"], Float64[np.ndarray, "B n"], UInt8[np.ndarray, "B 3 h w"]]:
        """Start states, goal states and backgrounds, each row from its own generator."""

    @abstractmethod
    def _advance(
        self, state: Float64[np.ndarray, "B n"], controls: Float64[np.ndarray, "B 2"]
    ) -> Float64[np.ndarray, "B n"]:
        """The states one control step later."""

    @final
    def reset(self, seeds: Sequence[int]) -> Observation:
        """Start one episode per row, everything drawn from that row's seed alone.

        Raises:
            WorldError: Not one seed per row, or a negative one.
        """
        generators = [np.random.default_rng(seed) for seed in check_seeds(self._name, self._batch, seeds)]
        self._state, self._goal, self._background = self._begin(generators)
        self._steps = 0
        return self._observe(self._state)

    @final
    def step(self, controls: Float[np.ndarray, "..."]) -> Transition:
        """One control step of every row; these worlds never end an episode.

        Raises:
            WorldError: Wrong width, not finite, out of bounds, or no reset before.
        """
        steps = self._begun()
        self._state = self._advance(self._state, check_controls(self._name, self._actions, self._batch, controls))
        self._steps = steps + 1
        return Transition(self._observe(self._state), np.zeros(self._batch, dtype=np.bool_))

    @final
    def goal(self) -> Observation:
        """What the sensors would show with the disc at rest at each row's goal, at the present time."""
        self._begun()
        return self._observe(self._goal)

    @final
    def success(self) -> Bool[np.ndarray, " B"]:
        """Whether the straight-line distance to the goal is within `success_pixels` now."""
        return self.goal_distance() <= self._success

    @final
    def goal_distance(self) -> Float64[np.ndarray, " B"]:
        """Distance [B] to the goal in pixels, in a straight line: through walls, where there are any."""
        self._begun()
        gap = self._state[:, :2] - self._goal[:, :2]
        return np.sqrt(gap[:, 0] ** 2 + gap[:, 1] ** 2)

    @final
    def _observe(self, state: Float64[np.ndarray, "B n"]) -> Observation:
        picture = paint_discs(self._background, state[:, :2], self._drawn_radius, self.look.agent)
        picture = shift_pixels(picture, self._view)
        return Observation({"top": picture, "state": state.astype(np.float32)}, self._times())
