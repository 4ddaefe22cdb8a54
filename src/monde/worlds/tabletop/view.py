"""What the camera sees: RGB and depth in one drawing; which pixel is what, in a second.

No shadows, no multisampling, no reflections: those take 26 to 60 times as long in software.
"""

import atexit
import contextlib
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from monde.worlds.scenes3d.engine import load, rendering
from monde.worlds.tabletop.table import Table

if TYPE_CHECKING:
    import mujoco

SEGMENTS = ("nothing", "tray", "finger", "object")
"""What a segmentation's numbers mean; the hand is the finger's."""

_NAMES = {"tray": 1, "finger": 2, "hand": 2, "object": 3}


class View:
    """A renderer of square frames, for any number of tables of the same parts.

    Args:
        table: Any of them, made for frames of this side.
        side: Of the frames, px.

    Raises:
        UsageError: There is no renderer.
    """

    def __init__(self, table: Table, side: int) -> None:
        lab = load()
        self._lab, self._side = lab, side
        model = table.model
        self._data: mujoco.MjData = lab.MjData(model)
        with rendering():
            self._window = lab.GLContext(side, side)
            self._window.make_current()
            self._context = lab.MjrContext(model, lab.mjtFontScale.mjFONTSCALE_100)
        self._context.readDepthMap = lab.mjtDepthMap.mjDEPTH_ZEROFAR
        lab.mjr_setBuffer(lab.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._rect = lab.MjrRect(0, 0, side, side)
        self._scene = lab.MjvScene(model, 32)
        self._scene.flags[:] = 0
        self._camera, self._options, self._nobody = lab.MjvCamera(), lab.MjvOption(), lab.MjvPerturb()
        self._camera.type, self._camera.fixedcamid = lab.mjtCamera.mjCAMERA_FIXED, 0
        self._near, self._far = float(model.vis.map.znear), float(model.vis.map.zfar)
        self._segments = np.zeros(model.ngeom, dtype=np.uint8)
        for name, number in _NAMES.items():
            self._segments[model.geom(name).id] = number
        self._open = True
        # At the interpreter's end what MuJoCo needs to free its renderer is gone already, and it complains.
        atexit.register(self.close)

    def shoot(
        self, table: Table, state: Float64[np.ndarray, " 10"]
    ) -> tuple[UInt8[np.ndarray, "3 h w"], Float32[np.ndarray, "h w"]]:
        """RGB, and metres along the optical axis, of a state of a table."""
        self._set(table, state)
        rgb = np.empty((self._side, self._side, 3), dtype=np.uint8)
        buffer = np.empty((self._side, self._side), dtype=np.float32)
        self._lab.mjr_render(self._rect, self._scene, self._context)
        self._lab.mjr_readPixels(rgb, buffer, self._rect, self._context)
        # MuJoCo keeps OpenGL's buffer reversed: 1 at the near plane, 0 at the far one.
        depth = self._near * self._far / (self._near + buffer[::-1] * (self._far - self._near))
        return np.ascontiguousarray(rgb[::-1].transpose(2, 0, 1)), depth

    def segments(self, table: Table, state: Float64[np.ndarray, " 10"]) -> UInt8[np.ndarray, "h w"]:
        """Which of `SEGMENTS` each pixel shows."""
        marks = [int(self._lab.mjtRndFlag.mjRND_SEGMENT), int(self._lab.mjtRndFlag.mjRND_IDCOLOR)]
        self._set(table, state)
        flat = np.empty((self._side, self._side, 3), dtype=np.uint8)
        self._scene.flags[marks] = 1
        self._lab.mjr_render(self._rect, self._scene, self._context)
        self._lab.mjr_readPixels(flat, None, self._rect, self._context)
        self._scene.flags[marks] = 0
        named = np.zeros(256, dtype=np.uint8)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            named[geom.segid + 1] = self._segments[geom.objid]  # red is a geom's place in the scene, plus one
        return named[flat[::-1, :, 0]]

    def close(self) -> None:
        """Free the renderer."""
        if not self._open:
            return
        from OpenGL.error import Error

        self._open = False
        atexit.unregister(self.close)
        # Another package may have ended the display before: then nothing is left to free.
        with contextlib.suppress(Error):
            self._window.make_current()
            self._context.free()
            self._window.free()

    def _set(self, table: Table, state: Float64[np.ndarray, " 10"]) -> None:
        lab, model, data = self._lab, table.model, self._data
        self._window.make_current()
        data.qpos[:] = state
        lab.mj_kinematics(model, data)
        lab.mj_camlight(model, data)
        everything = int(lab.mjtCatBit.mjCAT_ALL)
        lab.mjv_updateScene(model, data, self._options, self._nobody, self._camera, everything, self._scene)
