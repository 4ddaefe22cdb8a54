"""`SimulatedWorld`: what worlds have in common whose rows each have a simulator of their own.

Most show one picture, `top`, and `state`: `PicturedWorld`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Shaped, UInt8

from monde.errors import WorldError
from monde.protocols import Observation, Transition
from monde.types import ActionSpec, Sensor
from monde.worlds.camera_world import CameraWorld
from monde.worlds.checks import RowError, check_controls, check_seeds

GOAL_DRAWS = 50
"""Times that a row's start and goal are drawn again where they do not make a task, before the world gives up."""


class SimulatedWorld(CameraWorld, ABC):
    """A batch of simulators that are stepped one after another. Implements `monde.protocols.World`.

    What a simulator is in, is a row [n] of numbers: enough to tell what the sensors show, and to judge success.
    Episodes do not end by themselves.

    Args:
        name: The name that `monde.worlds.make` knows it by.
        batch: B.
        side_pixels: Side of the picture `top`.
        actions: What a control step takes.
        state_names: One name per component of the sensor `state`.
        state_unit: Their units.
        sensors: All of its sensors, where they are others than `top` and `state`.
        lag_steps: Control steps that the picture `before` is behind, or 0 for a world without it.

    Raises:
        ContractError: A batch or a side out of limits.
    """

    def __init__(
        self,
        *,
        name: str,
        batch: int,
        side_pixels: int,
        actions: ActionSpec,
        state_names: tuple[str, ...] = (),
        state_unit: str = "1",
        sensors: tuple[Sensor, ...] = (),
        lag_steps: int = 0,
    ) -> None:
        super().__init__(
            name=name,
            batch=batch,
            side_pixels=side_pixels,
            actions=actions,
            state_names=state_names,
            state_unit=state_unit,
            sensors=sensors,
            lag_steps=lag_steps,
        )
        self._seeds: tuple[int, ...] = ()
        self._state = np.zeros((batch, 1))
        self._goal = np.zeros((batch, 1))

    @abstractmethod
    def _begin(
        self, row: int, generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
        """Start the simulator of one row; its state and its goal, both drawn from `generator` alone."""

    @abstractmethod
    def _advance(self, row: int, control: Float64[np.ndarray, " dim"]) -> Float64[np.ndarray, " n"]:
        """The state of one row one control step later."""

    @abstractmethod
    def _sensed(self, states: Float64[np.ndarray, "B n"]) -> dict[str, Shaped[np.ndarray, "B ..."]]:
        """What the sensors show of some states, one of each row."""

    @abstractmethod
    def _reached(self, states: Float64[np.ndarray, "B n"], goals: Float64[np.ndarray, "B n"]) -> Bool[np.ndarray, " B"]:
        """Whether states are at goals."""

    @abstractmethod
    def _apart(
        self, states: Float64[np.ndarray, "B n"], goals: Float64[np.ndarray, "B n"]
    ) -> Float64[np.ndarray, " B"]:
        """How far states are from goals, in the world's unit."""

    @final
    def reset(self, seeds: Sequence[int]) -> Observation:
        """Start one episode per row, everything drawn from that row's seed alone.

        Raises:
            WorldError: Not one seed per row, or a negative one; a simulator raised, or a seed gives no task.
        """
        self._seeds, self._steps = check_seeds(self._name, self._batch, seeds), 0
        begun = [self._guarded(row, seed) for row, seed in enumerate(self._seeds)]
        self._state = np.stack([state for state, _ in begun])
        self._goal = np.stack([goal for _, goal in begun])
        return self._see()

    @final
    def step(self, controls: Float[np.ndarray, "..."]) -> Transition:
        """One control step of every row; these worlds never end an episode.

        Raises:
            WorldError: Wrong width, not finite, out of bounds, no reset before, or a simulator raised (a `RowError`).
        """
        steps = self._begun()
        checked = check_controls(self._name, self._actions, self._batch, controls)
        self._steps = steps + 1
        self._state = np.stack([self._stepped(row, control) for row, control in enumerate(checked)])
        return Transition(
            Observation(self._now(self._sensed(self._state)), self._times()), np.zeros(self._batch, dtype=np.bool_)
        )

    @final
    def goal(self) -> Observation:
        """What the sensors would show at each row's goal, at the present time."""
        self._begun()
        return Observation(self._still(self._sensed(self._goal)), self._times())

    @final
    def success(self) -> Bool[np.ndarray, " B"]:
        """Whether each row is at its goal now."""
        self._begun()
        return self._reached(self._state, self._goal)

    @final
    def goal_distance(self) -> Float64[np.ndarray, " B"]:
        """How far [B] each row is from its goal, in the world's unit."""
        self._begun()
        return self._apart(self._state, self._goal)

    @final
    def _see(self) -> Observation:
        return Observation(self._now(self._sensed(self._state)), self._times())

    @final
    def _guarded(self, row: int, seed: int) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
        try:
            return self._begin(row, np.random.default_rng(seed))
        except WorldError:
            raise
        except Exception as error:
            raise self._failure(row, error) from error

    @final
    def _stepped(self, row: int, control: Float64[np.ndarray, " dim"]) -> Float64[np.ndarray, " n"]:
        try:
            state = self._advance(row, control)
        except Exception as error:
            raise self._failure(row, error) from error
        if not np.isfinite(state).all():
            raise self._failure(row, ValueError(f"the state is not finite: {state}"))
        return state

    def _failure(self, row: int, error: Exception) -> RowError:
        return RowError(
            f"{self._name} raised in row {row} (seed {self._seeds[row]}) at step {self._steps}",
            got=f"{type(error).__name__}: {error}",
            remedy="the fault is in the simulator; this seed reproduces it",
            row=row,
            step=self._steps or 0,
        )


class PicturedWorld(SimulatedWorld, ABC):
    """A `SimulatedWorld` that shows `top`, a picture of monde's own drawing, and `state`."""

    @abstractmethod
    def _paint(self, states: Float64[np.ndarray, "B n"]) -> UInt8[np.ndarray, "B 3 h w"]:
        """What the camera sees of some states."""

    @abstractmethod
    def _told(self, states: Float64[np.ndarray, "B n"]) -> Float32[np.ndarray, "B m"]:
        """What the sensor `state` tells of some states."""

    @final
    def _sensed(self, states: Float64[np.ndarray, "B n"]) -> dict[str, Shaped[np.ndarray, "B ..."]]:
        return {"top": self._paint(states), "state": self._told(states)}
