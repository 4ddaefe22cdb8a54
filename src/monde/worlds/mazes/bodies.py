"""What moves in a maze: how it starts, what its state tells, how it is drawn."""

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float64, UInt8

from monde.types import ActionSpec
from monde.worlds.drawing import paint_discs
from monde.worlds.mazes.simulator import Simulator
from monde.worlds.mazes.view import View

MIN_DRAWN_RADIUS_PIXELS = 2.0
"""A disc is never drawn smaller: a point of less than a pixel could hardly be seen to move."""


class Body(ABC):
    """What moves in a maze."""

    state_names: tuple[str, ...]

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    @property
    @abstractmethod
    def actions(self) -> ActionSpec:
        """Its actions, a control step of the environment each."""

    @abstractmethod
    def stand(
        self, place: Float64[np.ndarray, " 2"], generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, " nq"], Float64[np.ndarray, " nv"]]:
        """Positions and velocities with the body at `place`, as the environment's own reset draws them."""

    @abstractmethod
    def state(self, states: Float64[np.ndarray, "B width"]) -> Float64[np.ndarray, "B n"]:
        """What the sensor `state` tells."""

    @abstractmethod
    def paint(
        self, background: UInt8[np.ndarray, "1 3 h w"], view: View, states: Float64[np.ndarray, "B width"]
    ) -> UInt8[np.ndarray, "B 3 h w"]:
        """The body of each row on the background."""

    def place(self, states: Float64[np.ndarray, "B width"]) -> Float64[np.ndarray, "B 2"]:
        """x and y."""
        return self._simulator.qpos(states)[:, :2]


class Ball(Body):
    """A ball on a plane, drawn as a disc of its own radius, and of 2 px where that is more.

    Args:
        simulator: The environment.
        radius: In the maze's unit.
        velocity: Whether its velocity is part of its state.
    """

    def __init__(self, simulator: Simulator, *, radius: float, velocity: bool) -> None:
        super().__init__(simulator)
        self._radius, self._velocity = radius, velocity
        self.state_names = ("x", "y", "vx", "vy") if velocity else ("x", "y")

    @property
    def actions(self) -> ActionSpec:
        """Two numbers in [-1, 1]: right and up."""
        dt = self._simulator.dt_seconds
        return ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), dt_seconds=dt, names=("x", "y"))

    def stand(
        self, place: Float64[np.ndarray, " 2"], generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, " 2"], Float64[np.ndarray, " 2"]]:
        """At rest."""
        return place, np.zeros(2)

    def state(self, states: Float64[np.ndarray, "B width"]) -> Float64[np.ndarray, "B n"]:
        """Place, and velocity if it has one."""
        qpos = self._simulator.qpos(states)
        return np.concatenate([qpos, self._simulator.qvel(states)], axis=1) if self._velocity else qpos

    def paint(
        self, background: UInt8[np.ndarray, "1 3 h w"], view: View, states: Float64[np.ndarray, "B width"]
    ) -> UInt8[np.ndarray, "B 3 h w"]:
        """A disc."""
        look = view.look
        radius = max(self._radius * view.pixels, MIN_DRAWN_RADIUS_PIXELS * look.zoom) * look.agent_scale
        frames = np.broadcast_to(background, (len(states), *background.shape[1:]))
        return paint_discs(frames, view.place(self.place(states)), radius, look.agent)
