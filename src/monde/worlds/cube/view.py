"""What OGBench's pixel camera sees, with MuJoCo's software renderer at its fastest.

Nearly all of a frame's time (7 frames a second as OGBench sets it) goes to shadows, antialiasing and the 190,000
triangles of the arm and of the gripper's body, which OGBench itself makes nearly transparent in pictures. Without them
it draws about 300 a second: floor, cube, and the gripper's fingers.
"""

import atexit
import copy
import math
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, UInt8

from monde.worlds.cube.arm import TOLD
from monde.worlds.cube.config import CubeConfig
from monde.worlds.drawing import Colour
from monde.worlds.scenes3d.engine import load, rendering

if TYPE_CHECKING:
    import mujoco

CAMERA = "front_pixels"
_DIMMED = 0.6
_SHOWN_GROUP, _HIDDEN_GROUP = 2, 5
_HEAVY_TRIANGLES = 3000
"""Meshes of the gripper above this size are its body, not its fingers."""


class View:
    """A camera on a copy of a model, coloured, and stripped of what is not shown.

    Args:
        model: MuJoCo's model.
        config: Sizes and colours.

    Raises:
        UsageError: There is no renderer.
    """

    def __init__(self, model: "mujoco.MjModel", config: CubeConfig) -> None:
        # A copy: OGBench colours its own model's cube anew in every episode.
        model = copy.copy(model)
        self._mujoco, self._model, self._look = load(), model, config.look
        self._data = self._mujoco.MjData(model)
        self._paint_model(config)
        camera = model.camera(CAMERA).id
        half = math.tan(math.radians(float(model.cam_fovy[camera])) / 2) / config.look.zoom
        model.cam_fovy[camera] = 2 * math.degrees(math.atan(half))
        with rendering():
            self._renderer: mujoco.Renderer | None = self._mujoco.Renderer(
                model, config.side_pixels, config.side_pixels
            )
        # At the interpreter's end what MuJoCo needs to free its renderer is gone already, and it complains.
        atexit.register(self.close)

    def show(self, states: Float64[np.ndarray, "B n"]) -> UInt8[np.ndarray, "B 3 h w"]:
        """Pictures of states."""
        renderer = self._renderer
        if renderer is None:
            raise RuntimeError("the renderer was closed")
        frames = np.empty((len(states), 3, renderer.height, renderer.width), dtype=np.uint8)
        for row, state in enumerate(states):
            self._data.qpos[:] = state[len(TOLD) :]
            self._mujoco.mj_kinematics(self._model, self._data)
            self._mujoco.mj_comPos(self._model, self._data)  # what lights may follow
            self._mujoco.mj_camlight(self._model, self._data)
            renderer.update_scene(self._data, camera=CAMERA)
            frames[row] = renderer.render().transpose(2, 0, 1)
        return self._look.light(frames)

    def close(self) -> None:
        """Free the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
            atexit.unregister(self.close)

    def _paint_model(self, config: CubeConfig) -> None:
        model = self._model
        model.vis.quality.offsamples = 0
        model.light_castshadow[:] = 0
        model.mat_reflectance[:] = 0
        # Two lights and the camera's own would wash out a light floor.
        model.light_diffuse[:] *= _DIMMED
        model.vis.headlight.diffuse[:] *= _DIMMED
        for index in range(model.ngeom):
            geom, body = model.geom(index), model.body(int(model.geom_bodyid[index])).name
            if geom.name == "floor":
                self._colour(index, config.look.floor)
            elif geom.name == "object_0":
                self._colour(index, config.cube)
            elif body.startswith("ur5e"):
                mesh = int(model.geom_dataid[index])
                finger = "robotiq" in body and mesh >= 0 and int(model.mesh_facenum[mesh]) < _HEAVY_TRIANGLES
                if finger and int(model.geom_group[index]) == _SHOWN_GROUP:
                    self._colour(index, config.look.agent)
                else:
                    model.geom_group[index] = _HIDDEN_GROUP

    def _colour(self, geom: int, colour: Colour) -> None:
        self._model.geom_matid[geom] = -1
        self._model.geom_rgba[geom] = np.array([*colour, 255]) / 255
