"""`SceneFilm3D`: pictures of a scene in space and the exact state behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from monde.errors import ContractError
from monde.worlds.scenes3d.bodies import Body
from monde.worlds.scenes3d.render import Take, render
from monde.worlds.scenes3d.silhouettes import visible
from monde.worlds.scenes3d.simulate import Motion
from monde.worlds.scenes3d.splits import Shape


@dataclass(frozen=True, kw_only=True, repr=False)
class Shot:
    """One film before it is drawn, with the physics that it came from.

    Args:
        take: What is drawn.
        bodies: K bodies, as launched.
        motion: Theirs.
        gravity: m/s².
        rate_hz: Frames a second.
    """

    take: Take
    bodies: tuple[Body, ...]
    motion: Motion
    gravity: float
    rate_hz: float


@dataclass(frozen=True, kw_only=True, repr=False)
class SceneFilm3D:
    """T frames of K objects, and everything about them. Metres, seconds, kilograms; z is up.

    Args:
        rgb: [T, 3, h, w].
        depth: [T, 1, h, w] m along the optical axis; darkness does not change it.
        segmentation: [T, h, w]: 0 floor and wall, 1 to K objects, 254 furniture, 255 screens.
        shapes: K names.
        poses: [T, K, 7], centre of mass x, y, z and quaternion w, x, y, z from the object's own axes to the scene's.
        twists: [T, K, 6], velocity in m/s and angular velocity in rad/s, about the scene's axes.
        radius: [K] m, of the sphere of equal volume.
        half_sizes: [K, 3] m, along the object's own axes.
        mass: [K] kg, of one density.
        friction: [K].
        restitution: [K].
        contacts: [T, K, K + 1], touched since the frame before: each other object, and last the surroundings.
        visible: [T, K] fraction of an object's pixels that are seen.
        present: [T, K], whether the object exists at all; where not, its other numbers mean nothing.
        gravity: m/s².
        intrinsics: [3, 3], from camera coordinates (right, down, forwards) to pixels.
        extrinsics: [4, 4], from the scene to camera coordinates.
        times_seconds: [T].
    """

    rgb: UInt8[np.ndarray, "T 3 h w"]
    depth: Float32[np.ndarray, "T 1 h w"]
    segmentation: UInt8[np.ndarray, "T h w"]
    shapes: tuple[Shape, ...]
    poses: Float64[np.ndarray, "T K 7"]
    twists: Float64[np.ndarray, "T K 6"]
    radius: Float64[np.ndarray, " K"]
    half_sizes: Float64[np.ndarray, "K 3"]
    mass: Float64[np.ndarray, " K"]
    friction: Float64[np.ndarray, " K"]
    restitution: Float64[np.ndarray, " K"]
    contacts: Bool[np.ndarray, "T K K1"]
    visible: Float32[np.ndarray, "T K"]
    present: Bool[np.ndarray, "T K"]
    gravity: float
    intrinsics: Float64[np.ndarray, "3 3"]
    extrinsics: Float64[np.ndarray, "4 4"]
    times_seconds: Float64[np.ndarray, " T"]

    def __post_init__(self) -> None:
        T, K = self.visible.shape
        lengths = (len(self.rgb), len(self.depth), len(self.segmentation), len(self.poses), len(self.times_seconds))
        if set(lengths) != {T} or self.poses.shape != (T, K, 7) or len(self.shapes) != K:
            raise ContractError(
                "a SceneFilm3D's parts do not line up", got=lengths, expected=f"{T} frames, {K} objects"
            )

    @property
    def objects(self) -> int:
        """K."""
        return len(self.shapes)

    def __repr__(self) -> str:
        T, _, h, w = self.rgb.shape
        return f"SceneFilm3D(rgb=uint8[{T}×3×{h}×{w}], {self.objects} objects, {self.times_seconds[-1]:.2f} s)"


def film(shots: Sequence[Shot]) -> tuple[SceneFilm3D, ...]:
    """Draw shots: colours, depth and segmentation.

    Raises:
        UsageError: mujoco is not installed, or there is no renderer.
    """
    return tuple(_film(shot) for shot in shots)


def _film(shot: Shot) -> SceneFilm3D:
    bodies, motion, take = shot.bodies, shot.motion, shot.take
    drawn = render(take, depth=True, segmentation=True)
    if drawn.depth is None or drawn.segmentation is None:
        raise ContractError("a film was drawn without depth or segmentation")
    camera = take.scenery.camera
    return SceneFilm3D(
        rgb=drawn.rgb,
        depth=drawn.depth,
        segmentation=drawn.segmentation,
        shapes=tuple(look.shape for look in take.looks),
        poses=np.concatenate([motion.position, motion.quaternion], axis=2),
        twists=np.concatenate([motion.velocity, motion.spin], axis=2),
        radius=np.array([body.radius for body in bodies]),
        half_sizes=np.array([body.half_sizes for body in bodies]),
        mass=np.array([body.mass for body in bodies]),
        friction=np.array([body.friction for body in bodies]),
        restitution=np.array([body.restitution for body in bodies]),
        contacts=motion.contacts,
        visible=visible(take, drawn.segmentation),
        present=take.present,
        gravity=shot.gravity,
        intrinsics=camera.intrinsics,
        extrinsics=camera.extrinsics,
        times_seconds=np.arange(take.frames) / shot.rate_hz,
    )
