"""OGBench's ant: a torso on four legs of two joints each, moved by torques."""

import numpy as np
from jaxtyping import Float64, UInt8

from monde.types import ActionSpec
from monde.worlds.drawing import paint_discs, paint_segments
from monde.worlds.mazes.bodies import Body
from monde.worlds.mazes.view import View

# In the model's order (assets/ant.xml): leg 1 front left, 2 front right, 3 back left, 4 back right, seen by x ahead.
_JOINTS = tuple(f"{joint}_{leg}" for leg in (1, 2, 3, 4) for joint in ("hip", "ankle"))
_ACTUATORS = tuple(f"{joint}_{leg}" for leg in (4, 1, 2, 3) for joint in ("hip", "ankle"))
_POSITIONS = ("x", "y", "z", "qw", "qx", "qy", "qz", *_JOINTS)
_VELOCITIES = ("vx", "vy", "vz", "wx", "wy", "wz", *(f"{joint}_rate" for joint in _JOINTS))

_STANDING = (0.0, 0.0, 0.55, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0, -1.0, 0.0, 1.0)
"""Positions that the environment resets to, `init_qpos` of assets/ant.xml."""
_RESET_NOISE = 0.1

MAGNIFIED = 1.6
"""Times its size that the ant is drawn about the middle of its torso: in life a leg is 2.6 px long."""
_TORSO_PIXELS, _LIMB_PIXELS, _REACH_PIXELS = 1.4, 0.55, 7.0


class Ant(Body):
    """The ant. One leg is drawn in the walls' colour, as OGBench's own pictures draw one white: else it looks the same
    after a quarter turn.
    """

    state_names = (*_POSITIONS, *_VELOCITIES)

    @property
    def actions(self) -> ActionSpec:
        """Eight torques in [-1, 1]."""
        dt = self._simulator.dt_seconds
        return ActionSpec(low=(-1.0,) * 8, high=(1.0,) * 8, dt_seconds=dt, names=_ACTUATORS)

    def stand(
        self, place: Float64[np.ndarray, " 2"], generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, " nq"], Float64[np.ndarray, " nv"]]:
        """As the environment resets it (ogbench/locomaze/ant.py), with the generator's noise, at this place."""
        qpos = np.array(_STANDING) + generator.uniform(-_RESET_NOISE, _RESET_NOISE, size=len(_STANDING))
        qpos[:2] = place
        return qpos, _RESET_NOISE * generator.standard_normal(len(_VELOCITIES))

    def state(self, states: Float64[np.ndarray, "B width"]) -> Float64[np.ndarray, "B n"]:
        """Positions and velocities, 29 numbers."""
        return np.concatenate([self._simulator.qpos(states), self._simulator.qvel(states)], axis=1)

    def paint(
        self, background: UInt8[np.ndarray, "1 3 h w"], view: View, states: Float64[np.ndarray, "B width"]
    ) -> UInt8[np.ndarray, "B 3 h w"]:
        """Legs and torso, 1.6 times their size."""
        look = view.look
        scale = look.agent_scale * look.zoom
        centres = view.place(self.place(states))
        ends = view.place(self._simulator.capsules(states))
        ends = centres[:, None, None] + (ends - centres[:, None, None]) * (MAGNIFIED * look.agent_scale)
        frames = np.broadcast_to(background, (len(states), *background.shape[1:]))
        # Three capsules a leg; the first leg is drawn last.
        for legs, colour in ((ends[:, 3:], look.agent), (ends[:, :3], look.wall)):
            frames = paint_segments(frames, legs, centres, _REACH_PIXELS * scale, _LIMB_PIXELS * scale, colour)
        return paint_discs(frames, centres, _TORSO_PIXELS * scale, look.agent)
