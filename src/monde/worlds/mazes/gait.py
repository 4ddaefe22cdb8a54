"""How the ant walks: a trot whose legs follow sinusoids, in any direction without turning."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from monde.worlds.mazes.policies import Navigator

_LEGS = np.deg2rad([-45.0, 45.0, 135.0, 225.0])
"""Where the legs point in the body's frame, in the order of the actuators: legs 4, 1, 2, 3."""
_ANKLE_SIGNS = np.array([1.0, 1.0, -1.0, -1.0])
"""Legs 1 and 4 bend their ankles to 30 … 70°, legs 2 and 3 to -70 … -30°."""
_DIAGONALS = np.array([np.pi, 0.0, np.pi, 0.0])
"""Phases: legs that face each other move together."""
_HIPS, _ANKLES = np.array([13, 7, 9, 11]), np.array([14, 8, 10, 12])
"""Of the state's positions; their rates lie `_RATES` further on."""
_RATES = 14
_BENT_LEAST, _BENT_MOST = 0.52, 1.22
"""The ankles' range in rad."""


@dataclass(frozen=True, kw_only=True)
class Gait:
    """Numbers of the trot, found by a random search in OGBench's arena (docs/tasks.md).

    Args:
        hertz: Steps of a leg in a second.
        swing: Amplitude of the hips across the direction of walking, rad.
        lift: Amplitude of the ankles, rad.
        push: Amplitude of the ankles along the direction of walking, rad.
        lift_phase: Of the lift against the swing, rad.
        push_phase: Of the push against the swing, rad.
        bend: Middle of the ankles, rad.
        stiffness: Torque for each rad that is lacking.
        damping: Torque against each rad/s.
    """

    hertz: float
    swing: float
    lift: float
    push: float
    lift_phase: float
    push_phase: float
    bend: float
    stiffness: float
    damping: float

    def torques(
        self, heading: Float64[np.ndarray, " B"], state: Float64[np.ndarray, "B 29"], times: Float64[np.ndarray, " B"]
    ) -> Float64[np.ndarray, "B 8"]:
        """What the motors do at this time to walk towards `heading` (rad in the maze's frame), before clipping."""
        w, x, y, z = state[:, 3:7].T
        yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        ahead = (heading - yaw)[:, None]
        across, along = np.sin(ahead - _LEGS), np.cos(ahead - _LEGS)
        phase = 2 * np.pi * self.hertz * times[:, None] + _DIAGONALS
        hips = self.swing * across * np.sin(phase)
        bend = self.bend + self.lift * np.sin(phase + self.lift_phase)
        bend += self.push * along * np.sin(phase + self.push_phase)
        ankles = _ANKLE_SIGNS * np.clip(bend, _BENT_LEAST, _BENT_MOST)
        hip = self.stiffness * (hips - state[:, _HIPS]) - self.damping * state[:, _HIPS + _RATES]
        ankle = self.stiffness * (ankles - state[:, _ANKLES]) - self.damping * state[:, _ANKLES + _RATES]
        return np.stack([hip, ankle], axis=-1).reshape(len(state), 8)


TROT = Gait(
    hertz=1.358,
    swing=0.499,
    lift=0.327,
    push=0.404,
    lift_phase=-2.166,
    push_phase=2.914,
    bend=0.803,
    stiffness=4.59,
    damping=0.336,
)
"""The gait that recordings are made with."""


class Walker(Navigator):
    """The ant's `Navigator`: walks towards its waypoints with the trot; its random share throws torques about."""

    _NOISE = 0.1

    def _push(
        self, way: Float64[np.ndarray, "B 2"], state: Float64[np.ndarray, "B n"], times: Float64[np.ndarray, " B"]
    ) -> Float64[np.ndarray, "B dim"]:
        return TROT.torques(np.arctan2(way[:, 1], way[:, 0]), state, times)
