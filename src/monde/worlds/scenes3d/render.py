"""Drawing films with MuJoCo: one model for all of them, of which sizes, colours and places are changed.

No shadows, no multisampling, no reflections: those take 26 to 60 times as long in software.
"""

import atexit
import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from monde.errors import ContractError
from monde.limits import MAX_SCENE_OBJECTS
from monde.worlds.drawing import Colour
from monde.worlds.scenes3d.bodies import Vector, half_sizes
from monde.worlds.scenes3d.camera import FIELD_OF_VIEW_DEGREES, Camera
from monde.worlds.scenes3d.engine import load, rendering
from monde.worlds.scenes3d.scenery import FLOORS, Scenery
from monde.worlds.scenes3d.simulate import Block
from monde.worlds.scenes3d.splits import Shape

if TYPE_CHECKING:
    import mujoco

FURNITURE = 254
"""Id of blocks in a segmentation: walls and platforms that objects meet."""

SCREEN = 255
"""Id of screens. Floor and back wall are 0, objects are 1 to K."""

NEAR_METRES, FAR_METRES = 0.5, 60.0
MAX_BLOCKS, MAX_SCREENS = 5, 2
_AWAY = (0.0, 0.0, -100.0)
"""Below the floor, where nothing is seen."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How an object is drawn: shape, radius in m of the sphere of equal volume, RGB."""

    shape: Shape
    radius: float
    colour: Colour


@dataclass(frozen=True, kw_only=True)
class Screen:
    """An upright panel that moves: middles [T, 3] and half sizes, m."""

    middles: Float64[np.ndarray, "T 3"]
    half: Vector


@dataclass(frozen=True, kw_only=True, repr=False)
class Take:
    """One film before it is drawn: T frames of K objects.

    Args:
        scenery: Camera, light, and all colours but those of objects.
        blocks: Walls and platforms.
        looks: K objects.
        position: [T, K, 3] m.
        quaternion: [T, K, 4].
        present: [T, K], whether an object is there at all.
        screens: Of which nothing bounces off.
        light: [T], 1 for full light, 0 for darkness.

    Raises:
        ContractError: Parts of different lengths, or more of them than are drawn.
    """

    scenery: Scenery
    blocks: tuple[Block, ...]
    looks: tuple[Look, ...]
    position: Float64[np.ndarray, "T K 3"]
    quaternion: Float64[np.ndarray, "T K 4"]
    present: Bool[np.ndarray, "T K"]
    screens: tuple[Screen, ...]
    light: Float64[np.ndarray, " T"]

    def __post_init__(self) -> None:
        lengths = {len(self.position), len(self.quaternion), len(self.present), len(self.light)}
        lengths |= {len(screen.middles) for screen in self.screens}
        widths = {self.position.shape[1], self.quaternion.shape[1], self.present.shape[1], len(self.looks)}
        if len(lengths) > 1 or len(widths) > 1:
            got = f"lengths {sorted(lengths)}, objects {sorted(widths)}"
            raise ContractError("a Take's parts do not line up", got=got, expected="one T, one K")
        limits = (MAX_SCENE_OBJECTS, MAX_BLOCKS, MAX_SCREENS)
        if any(n > limit for n, limit in zip((len(self.looks), len(self.blocks), len(self.screens)), limits)):
            got = f"{len(self.looks)} objects, {len(self.blocks)} blocks, {len(self.screens)} screens"
            raise ContractError("a Take holds more than is drawn", got=got, expected=f"at most {limits}")

    @property
    def frames(self) -> int:
        """T."""
        return len(self.light)


@dataclass(frozen=True, repr=False)
class Pictures:
    """A film as drawn.

    Args:
        rgb: [T, 3, h, w].
        depth: [T, 1, h, w] m along the optical axis; none if not asked for.
        segmentation: [T, h, w]: 0 floor and wall, 1 to K objects, `FURNITURE`, `SCREEN`. Darkness changes neither.
    """

    rgb: UInt8[np.ndarray, "T 3 h w"]
    depth: Float32[np.ndarray, "T 1 h w"] | None
    segmentation: UInt8[np.ndarray, "T h w"] | None


def render(take: Take, *, depth: bool = False, segmentation: bool = False) -> Pictures:
    """Draw one film.

    Raises:
        UsageError: mujoco is not installed, or there is no renderer.
    """
    return _stage(take.scenery.camera.side_pixels).film(take, depth, segmentation)


class _Stage:
    """A model that is changed from film to film, and the renderer of one thread and picture size."""

    def __init__(self, side: int) -> None:
        lab = load()
        self._side = side
        self._model = lab.MjModel.from_xml_string(_scene_xml(side))
        self._model.geom_sameframe[:] = 0  # else MuJoCo would not look at their places, which were 0 when compiled
        self._data = lab.MjData(self._model)
        with rendering():
            self._window = lab.GLContext(side, side)
            self._window.make_current()
            self._context = lab.MjrContext(self._model, lab.mjtFontScale.mjFONTSCALE_100)
        self._context.readDepthMap = lab.mjtDepthMap.mjDEPTH_ZEROFAR
        lab.mjr_setBuffer(lab.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._rect = lab.MjrRect(0, 0, side, side)
        self._scene = lab.MjvScene(self._model, 64)
        self._scene.flags[:] = 0
        self._camera, self._options, self._nobody = lab.MjvCamera(), lab.MjvOption(), lab.MjvPerturb()
        self._camera.type, self._camera.fixedcamid = lab.mjtCamera.mjCAMERA_FIXED, 0
        self._ids = _Ids(self._model)

    def close(self) -> None:
        """Free the renderer."""
        self._window.make_current()
        self._context.free()
        self._window.free()

    def film(self, take: Take, depth: bool, segmentation: bool) -> Pictures:
        lab, T, side, K = load(), take.frames, self._side, len(take.looks)
        self._window.make_current()
        self._dress(take)
        rgb = np.empty((T, side, side, 3), dtype=np.uint8)
        deep = np.empty((T, side, side), dtype=np.float32) if depth else None
        flat = np.empty((T, side, side, 3), dtype=np.uint8) if segmentation else None
        model, data, scene = self._model, self._data, self._scene
        poses = np.concatenate([take.position, take.quaternion], axis=2)
        poses[~take.present] = (*_AWAY, 1, 0, 0, 0)
        marks = [int(lab.mjtRndFlag.mjRND_SEGMENT), int(lab.mjtRndFlag.mjRND_IDCOLOR)]
        for t in range(T):
            data.mocap_pos[:K], data.mocap_quat[:K] = poses[t, :, :3], poses[t, :, 3:]
            for index, screen in enumerate(take.screens):
                data.mocap_pos[MAX_SCENE_OBJECTS + index] = screen.middles[t]
            lab.mj_kinematics(model, data)
            lab.mj_camlight(model, data)
            lab.mjv_updateScene(
                model, data, self._options, self._nobody, self._camera, int(lab.mjtCatBit.mjCAT_ALL), scene
            )
            lab.mjr_render(self._rect, scene, self._context)
            lab.mjr_readPixels(rgb[t], None if deep is None else deep[t], self._rect, self._context)
            if flat is not None:
                scene.flags[marks] = 1
                lab.mjr_render(self._rect, scene, self._context)
                lab.mjr_readPixels(flat[t], None, self._rect, self._context)
                scene.flags[marks] = 0
        return Pictures(
            rgb=_lit(rgb, take.light),
            depth=None if deep is None else _metres(deep[:, None, ::-1]),
            segmentation=None if flat is None else self._ids.of(flat[:, ::-1, :, 0], self._scene),
        )

    def _dress(self, take: Take) -> None:
        """Sizes, colours and places of what does not move during the film; what is not in it is put away."""
        lab, model, data, scenery, ids = load(), self._model, self._data, take.scenery, self._ids
        kinds = {"sphere": lab.mjtGeom.mjGEOM_SPHERE, "box": lab.mjtGeom.mjGEOM_BOX}
        kinds |= {"cylinder": lab.mjtGeom.mjGEOM_CYLINDER, "ellipsoid": lab.mjtGeom.mjGEOM_ELLIPSOID}
        data.mocap_pos[:] = _AWAY
        for look, geom in zip(take.looks, ids.objects):
            a, b, c = half_sizes(look.shape, look.radius)
            model.geom_type[geom] = kinds[look.shape]
            model.geom_size[geom] = (a, c, 0.0) if look.shape == "cylinder" else (a, b, c)
            model.geom_rgba[geom] = _rgba(look.colour)
        model.geom_pos[ids.blocks] = _AWAY
        for block, geom in zip(take.blocks, ids.blocks):
            model.geom_pos[geom], model.geom_size[geom] = block.middle, block.half
            model.geom_rgba[geom] = _rgba(scenery.solid)
        for screen, geom in zip(take.screens, ids.screens):
            model.geom_size[geom], model.geom_rgba[geom] = screen.half, _rgba(scenery.screen)
        model.geom_matid[ids.floor] = FLOORS.index(scenery.floor_pattern)
        model.geom_rgba[ids.floor], model.geom_rgba[ids.wall] = _rgba(scenery.floor), _rgba(scenery.wall)
        model.mat_rgba[: len(FLOORS)] = _rgba(scenery.floor)
        model.light_dir[0] = np.array(scenery.light) / np.linalg.norm(scenery.light)
        _aim(model, scenery.camera)


class _Ids:
    """Which geom is what, and what it is called in a segmentation."""

    def __init__(self, model: "mujoco.MjModel") -> None:
        def numbers(kind: str, n: int) -> list[int]:
            return [model.geom(f"{kind}{i}").id for i in range(n)]

        self.objects, self.blocks = numbers("object", MAX_SCENE_OBJECTS), numbers("block", MAX_BLOCKS)
        self.screens = numbers("screen", MAX_SCREENS)
        self.floor, self.wall = model.geom("floor").id, model.geom("wall").id
        self._names = np.zeros(model.ngeom, dtype=np.uint8)
        self._names[self.objects] = np.arange(1, MAX_SCENE_OBJECTS + 1)
        self._names[self.blocks], self._names[self.screens] = FURNITURE, SCREEN

    def of(self, red: UInt8[np.ndarray, "T h w"], scene: "mujoco.MjvScene") -> UInt8[np.ndarray, "T h w"]:
        """MuJoCo draws a geom's place in the scene, plus one, in red."""
        table = np.zeros(256, dtype=np.uint8)
        for geom in scene.geoms[: scene.ngeom]:
            table[geom.segid + 1] = self._names[geom.objid]
        return table[red]


_kept = threading.local()


def _stage(side: int) -> _Stage:
    """This thread's stage for pictures of this size; a renderer belongs to one thread."""
    stages: dict[int, _Stage] = _kept.__dict__.setdefault("stages", {})
    if side not in stages:
        stages[side] = _Stage(side)
        if threading.current_thread() is threading.main_thread():
            # At the interpreter's end what MuJoCo needs to free its renderer is gone already, and it complains.
            atexit.register(_close_at_exit, stages[side])
    return stages[side]


def _close_at_exit(stage: _Stage) -> None:
    from OpenGL.error import Error

    # Another package may have ended the display before: then nothing is left to free.
    with contextlib.suppress(Error):
        stage.close()


def _aim(model: "mujoco.MjModel", camera: Camera) -> None:
    right, down, forwards = camera.axes
    quaternion = np.empty(4)
    load().mju_mat2Quat(quaternion, np.stack([right, -down, -forwards], axis=1).reshape(9))
    model.cam_pos[0], model.cam_quat[0] = camera.position, quaternion


def _rgba(colour: Colour) -> Float64[np.ndarray, " 4"]:
    return np.array([*colour, 255]) / 255


def _lit(rgb: UInt8[np.ndarray, "T h w 3"], light: Float64[np.ndarray, " T"]) -> UInt8[np.ndarray, "T 3 h w"]:
    """Upright, channels first, and dimmed where the light is out."""
    lit = np.ascontiguousarray(rgb[:, ::-1].transpose(0, 3, 1, 2))
    for t in np.flatnonzero(light < 1):
        lit[t] = (lit[t] * light[t] + 0.5).astype(np.uint8)
    return lit


def _metres(buffer: Float32[np.ndarray, "T 1 h w"]) -> Float32[np.ndarray, "T 1 h w"]:
    """Depth from OpenGL's buffer, which MuJoCo keeps reversed: 1 at the near plane, 0 at the far one."""
    near, far = NEAR_METRES, FAR_METRES
    return (near * far / (near + buffer.astype(np.float64) * (far - near))).astype(np.float32)


def _scene_xml(side: int) -> str:
    objects = "".join(
        f'<body mocap="true"><geom name="object{i}" type="sphere" size="1 1 1" material="body"/></body>'
        for i in range(MAX_SCENE_OBJECTS)
    )
    screens = "".join(
        f'<body mocap="true"><geom name="screen{i}" type="box" size="1 1 1" material="body"/></body>'
        for i in range(MAX_SCREENS)
    )
    blocks = "".join(f'<geom name="block{i}" type="box" size="1 1 1" material="body"/>' for i in range(MAX_BLOCKS))
    matte = 'specular="0" shininess="0" reflectance="0"'
    return f"""<mujoco>
      <statistic extent="1" center="0 0 1"/>
      <visual>
        <global offwidth="{side}" offheight="{side}"/><quality shadowsize="0" offsamples="0"/>
        <map znear="{NEAR_METRES}" zfar="{FAR_METRES}"/>
        <headlight ambient="0.5 0.5 0.5" diffuse="0.15 0.15 0.15" specular="0 0 0"/>
      </visual>
      <asset>
        <texture name="checks" type="2d" builtin="checker" rgb1="1 1 1" rgb2="0.9 0.9 0.9" width="64" height="64"/>
        <texture name="sky" type="2d" builtin="gradient" rgb1="1 1 1" rgb2="0.85 0.85 0.85" width="64" height="64"/>
        <material name="plain" {matte}/>
        <material name="checks" texture="checks" texrepeat="0.5 0.5" texuniform="true" {matte}/>
        <material name="fine" texture="checks" texrepeat="1 1" texuniform="true" {matte}/>
        <material name="body" {matte}/>
      </asset>
      <worldbody>
        <light directional="true" diffuse="0.45 0.45 0.45" specular="0 0 0" castshadow="false"/>
        <geom name="floor" type="plane" size="30 30 1" material="plain"/>
        <geom name="wall" type="box" size="30 0.1 20" pos="0 7 0" material="body"/>
        {blocks}{objects}{screens}
        <camera name="camera" fovy="{FIELD_OF_VIEW_DEGREES}"/>
      </worldbody>
    </mujoco>"""
