"""The simulator of one row: a fingertip that is steered along x, y and z, and an object on a tray."""

import copy
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from monde.worlds.scenes3d.engine import load
from monde.worlds.tabletop.config import DT_SECONDS, REACH_METRES, STEP_METRES
from monde.worlds.tabletop.scene import FIELD_OF_VIEW_DEGREES, Scene

if TYPE_CHECKING:
    import mujoco

TIP_RADIUS = 0.012
_FINGER_METRES = 0.14
_SUBSTEPS = 20
_DENSITY = 500.0
"""kg/m³, of wood."""

HIGHEST_METRES = 0.30
"""How high the tip goes."""

TIP, OBJECT = slice(0, 3), slice(3, 6)
"""Where the tip's and the object's places are in a state; what follows is the object's turn as (w, x, y, z)."""


class Table:
    """One tray, and what is on it; a state is MuJoCo's `qpos`: tip [3], object [3], its quaternion (w, x, y, z).

    The tip is held by a servo (stiff, critically damped, of limited force), so that it stops at what it meets.

    Args:
        side_pixels: Side of the pictures that will be drawn of it.

    Raises:
        UsageError: MuJoCo is not installed.
    """

    def __init__(self, side_pixels: int = 64) -> None:
        self._mujoco = load()
        self.model: mujoco.MjModel = copy.copy(_compiled(side_pixels))
        self._data: mujoco.MjData = self._mujoco.MjData(self.model)

    def dress(self, scene: Scene) -> None:
        """Make tray, object, camera and light those of a scene."""
        model, lab = self.model, self._mujoco
        kinds = {"box": lab.mjtGeom.mjGEOM_BOX, "cylinder": lab.mjtGeom.mjGEOM_CYLINDER}
        kinds["ellipsoid"] = lab.mjtGeom.mjGEOM_ELLIPSOID
        tray, thing, body = model.geom("tray").id, model.geom("object").id, model.body("object").id
        model.geom_size[tray] = (*scene.tray_half, 0.02)
        model.geom_pos[tray] = (0.0, 0.0, scene.tray_height - 0.02)
        a, b, c = scene.half
        model.geom_type[thing] = kinds[scene.shape]
        model.geom_size[thing] = (a, c, 0.0) if scene.shape == "cylinder" else (a, b, c)
        model.geom_rbound[thing], model.geom_rbound[tray] = np.linalg.norm(scene.half), 1.0
        model.geom_aabb[thing, 3:], model.geom_aabb[tray, 3:] = scene.half, model.geom_size[tray]
        mass = 8 * a * b * c * _DENSITY * {"box": 1.0, "cylinder": np.pi / 4, "ellipsoid": np.pi / 6}[scene.shape]
        model.body_mass[body] = mass
        model.body_inertia[body] = mass / 3 * np.array([b * b + c * c, a * a + c * c, a * a + b * b])
        model.geom_rgba[tray], model.geom_rgba[thing] = _rgba(scene.tray), _rgba(scene.colour)
        light = np.array(scene.light)
        model.light_dir[0] = light / np.linalg.norm(light)
        x, y, z, w = scene.rig[3:]
        # MuJoCo's cameras look along -z, with y upwards: half a turn about x from ours.
        turned = np.empty(4)
        lab.mju_mulQuat(turned, np.array([w, x, y, z]), np.array([0.0, 1.0, 0.0, 0.0]))
        model.cam_pos[0], model.cam_quat[0] = scene.rig[:3], turned
        lab.mj_setConst(model, self._data)
        model.stat.extent = 1.0  # that of the scene as it lies now: near and far planes are multiples of it

    def place(self, state: Float64[np.ndarray, " 10"], speed: Float64[np.ndarray, " 9"] | None = None) -> None:
        """Put everything where a state says, at rest or at a speed."""
        self._mujoco.mj_resetData(self.model, self._data)
        self._data.qpos[:] = state
        if speed is not None:
            self._data.qvel[:] = speed
        self._mujoco.mj_forward(self.model, self._data)

    def step(self, control: Float64[np.ndarray, " 3"]) -> None:
        """One control step: the tip goes by `STEP_METRES` × control, as far as it can."""
        reach = np.array([REACH_METRES, REACH_METRES, HIGHEST_METRES])
        wanted = self._data.qpos[TIP] + STEP_METRES * control
        self._data.ctrl[:] = np.clip(wanted, [-REACH_METRES, -REACH_METRES, 0.0], reach)
        self._mujoco.mj_step(self.model, self._data, nstep=_SUBSTEPS)

    def state(self) -> Float64[np.ndarray, " 10"]:
        """Where everything is."""
        return np.array(self._data.qpos)

    def speed(self) -> Float64[np.ndarray, " 9"]:
        """How fast it moves."""
        return np.array(self._data.qvel)


@cache
def _compiled(side: int) -> "mujoco.MjModel":
    model = load().MjModel.from_xml_string(_XML.replace("SIDE", str(side)))
    model.geom_sameframe[:] = 0  # else MuJoCo would not look at places that were 0 when compiled
    return model


def _rgba(colour: tuple[int, int, int]) -> Float64[np.ndarray, " 4"]:
    return np.array([*colour, 255]) / 255


_XML = f"""<mujoco>
  <option timestep="{DT_SECONDS / _SUBSTEPS}" integrator="implicitfast" cone="elliptic">
    <flag midphase="disable"/><!-- its boxes are those of the sizes that were compiled -->
  </option>
  <statistic extent="1" center="0 0 0"/>
  <visual>
    <global offwidth="SIDE" offheight="SIDE"/><quality shadowsize="0" offsamples="0"/>
    <map znear="0.1" zfar="5"/>
    <headlight ambient="0.45 0.45 0.45" diffuse="0.1 0.1 0.1" specular="0 0 0"/>
  </visual>
  <default><geom condim="6" friction="0.5 0.01 0.005"/></default>
  <worldbody>
    <light directional="true" diffuse="0.5 0.5 0.5" specular="0 0 0" castshadow="false"/>
    <camera name="camera" fovy="{FIELD_OF_VIEW_DEGREES}"/>
    <geom name="floor" type="plane" size="5 5 1" pos="0 0 -0.6" rgba="0.25 0.27 0.3 1" contype="0" conaffinity="0"/>
    <geom name="tray" type="box" size="0.25 0.25 0.02"/>
    <body name="finger" gravcomp="1">
      <joint name="x" type="slide" axis="1 0 0"/><joint name="y" type="slide" axis="0 1 0"/>
      <joint name="z" type="slide" axis="0 0 1"/>
      <geom name="finger" type="capsule" size="{TIP_RADIUS}" fromto="0 0 {TIP_RADIUS} 0 0 {_FINGER_METRES}" mass="0.2"
        rgba="0.1 0.1 0.12 1"/>
      <geom name="hand" type="box" size="0.025 0.025 0.015" pos="0 0 {_FINGER_METRES + 0.02}" mass="0.05"
        rgba="0.85 0.85 0.85 1"/>
    </body>
    <body name="object"><freejoint/><geom name="object" type="box" size="0.03 0.03 0.03"/></body>
  </worldbody>
  <actuator>
    <position joint="x" kp="600" dampratio="1" forcerange="-20 20"/>
    <position joint="y" kp="600" dampratio="1" forcerange="-20 20"/>
    <position joint="z" kp="600" dampratio="1" forcerange="-20 20"/>
  </actuator>
</mujoco>"""
