"""`SceneFilm`: pictures of a scene and the exact state behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from monde.errors import ContractError
from monde.worlds.scenes.bodies import Body
from monde.worlds.scenes.render import Take, render
from monde.worlds.scenes.simulate import Motion
from monde.worlds.scenes.splits import Shape


@dataclass(frozen=True, kw_only=True, repr=False)
class Shot:
    """One film before it is drawn, with the physics that it came from.

    Args:
        take: What is drawn.
        bodies: K bodies, as launched.
        motion: Theirs, in pixels of the picture.
        gravity: px/s² of the picture.
        rate_hz: Frames a second.
    """

    take: Take
    bodies: tuple[Body, ...]
    motion: Motion
    gravity: float
    rate_hz: float


@dataclass(frozen=True, kw_only=True, repr=False)
class SceneFilm:
    """T frames of K objects, and everything about them. Lengths are pixels of the picture, y downwards.

    Args:
        rgb: [T, 3, h, w].
        segmentation: [T, h, w]: 0 background, 1 to K objects, 254 furniture, 255 screens; the nearest of each pixel.
        depth_order: [K], 0 for objects of the nearest plane, 1 for the next…; screens are before all.
        shapes: K names.
        position: [T, K, 2] px, centre of mass.
        velocity: [T, K, 2] px/s.
        angle: [T, K] rad.
        spin: [T, K] rad/s.
        radius: [K] px, of the disc of equal area.
        mass: [K], of one density; 1 is 100 px² before the camera's zoom.
        friction: [K], against the surroundings.
        restitution: [K], likewise.
        contacts: [T, K, K + 1], touched since the frame before: each other object, and last the surroundings.
        visible: [T, K] fraction of an object's pixels that are seen.
        present: [T, K], whether the object exists at all; where not, its other numbers mean nothing.
        gravity: px/s².
        times_seconds: [T].
    """

    rgb: UInt8[np.ndarray, "T 3 h w"]
    segmentation: UInt8[np.ndarray, "T h w"]
    depth_order: Int64[np.ndarray, " K"]
    shapes: tuple[Shape, ...]
    position: Float64[np.ndarray, "T K 2"]
    velocity: Float64[np.ndarray, "T K 2"]
    angle: Float64[np.ndarray, "T K"]
    spin: Float64[np.ndarray, "T K"]
    radius: Float64[np.ndarray, " K"]
    mass: Float64[np.ndarray, " K"]
    friction: Float64[np.ndarray, " K"]
    restitution: Float64[np.ndarray, " K"]
    contacts: Bool[np.ndarray, "T K K1"]
    visible: Float32[np.ndarray, "T K"]
    present: Bool[np.ndarray, "T K"]
    gravity: float
    times_seconds: Float64[np.ndarray, " T"]

    def __post_init__(self) -> None:
        T, K = self.visible.shape
        lengths = (len(self.rgb), len(self.segmentation), len(self.position), len(self.times_seconds))
        if set(lengths) != {T} or self.position.shape != (T, K, 2) or len(self.shapes) != K:
            raise ContractError("a SceneFilm's parts do not line up", got=lengths, expected=f"{T} frames, {K} objects")

    @property
    def objects(self) -> int:
        """K."""
        return len(self.shapes)

    def __repr__(self) -> str:
        T, _, h, w = self.rgb.shape
        return f"SceneFilm(rgb=uint8[{T}×3×{h}×{w}], {self.objects} objects, {self.times_seconds[-1]:.2f} s)"


def film(shots: Sequence[Shot]) -> tuple[SceneFilm, ...]:
    """Draw shots; those of one length and number of objects are drawn together, which is what makes it fast."""
    groups: dict[tuple[int, int, int], list[int]] = {}
    for index, shot in enumerate(shots):
        key = (shot.take.frames, shot.take.background.shape[1], len(shot.bodies))
        groups.setdefault(key, []).append(index)
    films: dict[int, SceneFilm] = {}
    for members in groups.values():
        drawn = render([shots[index].take for index in members])
        for row, index in enumerate(members):
            films[index] = _film(shots[index], drawn.rgb[row], drawn.segmentation[row], drawn.visible[row])
    return tuple(films[index] for index in range(len(shots)))


def _film(
    shot: Shot,
    rgb: UInt8[np.ndarray, "T 3 h w"],
    segmentation: UInt8[np.ndarray, "T h w"],
    visible: Float32[np.ndarray, "T K"],
) -> SceneFilm:
    bodies, motion, take = shot.bodies, shot.motion, shot.take
    planes = sorted({body.plane for body in bodies})
    return SceneFilm(
        rgb=rgb,
        segmentation=segmentation,
        depth_order=np.array([planes.index(body.plane) for body in bodies], dtype=np.int64),
        shapes=tuple(look.shape for look in take.looks),
        position=motion.position,
        velocity=motion.velocity,
        angle=motion.angle,
        spin=motion.spin,
        radius=np.array([look.radius for look in take.looks], dtype=np.float64),
        mass=np.array([body.mass for body in bodies], dtype=np.float64),
        friction=np.array([body.friction for body in bodies], dtype=np.float64),
        restitution=np.array([body.restitution for body in bodies], dtype=np.float64),
        contacts=motion.contacts,
        visible=visible,
        present=take.present,
        gravity=shot.gravity,
        times_seconds=np.arange(take.frames) / shot.rate_hz,
    )
