"""`WrappedWorld`: a world around another, which passes everything on to it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from monde.protocols import Intermittent, Observation, Transition, World
from monde.types import ActionSpec, Sensor


class WrappedWorld:
    """As the world within, in everything that is not overridden. Implements `monde.protocols.World`.

    Args:
        world: The world; closed with this one.
        name: The name of both together; by default the world's.
    """

    def __init__(self, world: World, name: str | None = None) -> None:
        self._world, self._name = world, world.name if name is None else name

    @property
    def name(self) -> str:
        """The name that `monde.worlds.make` knows it by."""
        return self._name

    @property
    def batch(self) -> int:
        """B."""
        return self._world.batch

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """As the world's."""
        return self._world.sensors

    @property
    def actions(self) -> ActionSpec:
        """As the world's."""
        return self._world.actions

    @property
    def gaps(self) -> tuple[str, ...]:
        """As the world's."""
        return self._world.gaps if isinstance(self._world, Intermittent) else ()

    @property
    def aged(self) -> tuple[str, ...]:
        """As the world's."""
        return self._world.aged if isinstance(self._world, Intermittent) else ()

    def reset(self, seeds: Sequence[int]) -> Observation:
        """Start one episode per row. Raises as the world."""
        return self._world.reset(seeds)

    def step(self, controls: Float[np.ndarray, "..."]) -> Transition:
        """One control step of every row. Raises as the world."""
        return self._world.step(controls)

    def goal(self) -> Observation | None:
        """As the world's."""
        return self._world.goal()

    def success(self) -> Bool[np.ndarray, " B"]:
        """As the world's."""
        return self._world.success()

    def goal_distance(self) -> Float[np.ndarray, " B"] | None:
        """As the world's."""
        return self._world.goal_distance()

    def close(self) -> None:
        """Close the world."""
        self._world.close()
