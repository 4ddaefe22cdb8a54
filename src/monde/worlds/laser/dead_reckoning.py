"""Where robots believe they are, by counting their wheels' turns."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from monde.spatial import se2_compose
from monde.worlds.laser.config import Odometry


class DeadReckoning:
    """Poses of a batch of robots in the frames of their starts, with errors that grow.

    Args:
        errors: Their sizes.
        generators: One for each row.
    """

    def __init__(self, errors: Odometry, generators: Sequence[np.random.Generator]) -> None:
        self._errors, self._generators = errors, generators
        drawn = [generator.normal(0, (errors.way_scale, errors.turn_scale)) for generator in generators]
        self._scale = 1 + np.array(drawn).reshape(-1, 2)
        self._level = np.array([generator.uniform(*errors.levels) for generator in generators])
        self._pose = np.zeros((len(generators), 3))
        self.told: Float64[np.ndarray, "B 3"] = self._pose
        """What it says now: (x, y, yaw)."""

    def move(self, motion: Float64[np.ndarray, "B 3"], speed: Float64[np.ndarray, " B"]) -> None:
        """Take in one step's true motion, in the frame before it, and the speed at its end."""
        errors = self._errors
        noise = self._level[:, None] * np.array([generator.normal(size=3) for generator in self._generators])
        way = np.sqrt((motion[:, :2] ** 2).sum(1))
        along = motion[:, :2] * (self._scale[:, :1] + errors.way_noise * noise[:, :1])
        turn = motion[:, 2] * self._scale[:, 1] + errors.turn_noise * noise[:, 1] * (np.abs(motion[:, 2]) + way)
        self._pose = se2_compose(self._pose, np.concatenate([along, turn[:, None]], axis=1))
        late = np.zeros_like(self._pose)
        late[:, 0] = speed * errors.late_seconds * noise[:, 2]
        self.told = se2_compose(self._pose, late)
