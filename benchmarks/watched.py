"""A world that remembers the true state of every row after each control step."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from monde.protocols import Observation, Transition, World
from monde.worlds.wrapped import WrappedWorld


class Watched(WrappedWorld):
    """Passes everything on to `world`, and keeps what its sensor `state` says.

    Args:
        world: With a sensor `state` whose first two components are x and y.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._places: list[np.ndarray] = []

    @property
    def places(self) -> Float[np.ndarray, "B T 2"]:
        """x and y of each row since the last reset."""
        return np.stack(self._places, 1)

    def reset(self, seeds: Sequence[int]) -> Observation:
        """Start anew."""
        observation = self._world.reset(seeds)
        self._places = [np.array(observation.values["state"][:, :2])]
        return observation

    def step(self, controls: Float[np.ndarray, "B dim"]) -> Transition:
        """One control step."""
        transition = self._world.step(controls)
        self._places.append(np.array(transition.observation.values["state"][:, :2]))
        return transition
