"""How many pixels an object would fill if nothing stood before it: rays through pixels, met with the shape itself."""

import math

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from monde.worlds.scenes3d.bodies import half_sizes
from monde.worlds.scenes3d.camera import Camera
from monde.worlds.scenes3d.render import Take
from monde.worlds.scenes3d.simulate import turned
from monde.worlds.scenes3d.splits import Shape


def visible(take: Take, segmentation: UInt8[np.ndarray, "T h w"]) -> Float32[np.ndarray, "T K"]:
    """[T, K] fraction of each object's pixels that are seen; what lies beyond the picture's edge counts as not seen."""
    share = np.zeros(take.present.shape, dtype=np.float32)
    for k, look in enumerate(take.looks):
        seen = (segmentation == k + 1).sum(axis=(1, 2))
        for t in np.flatnonzero(take.present[:, k] & (seen > 0)):
            filled = silhouette(
                look.shape, look.radius, take.position[t, k], take.quaternion[t, k], take.scenery.camera
            )
            share[t, k] = min(1.0, seen[t] / max(1, filled.shape[0]))
    return share


def silhouette(
    shape: Shape,
    radius: float,
    position: Float64[np.ndarray, " 3"],
    quaternion: Float64[np.ndarray, " 4"],
    camera: Camera,
) -> Int64[np.ndarray, "n 2"]:
    """[n, 2] line and column of the pixels whose middles see the object, within the picture or beyond its edge."""
    half = np.array(half_sizes(shape, radius))
    depth = float(camera.depths(position[None])[0])
    reach = math.hypot(*half)
    if depth <= reach:
        return np.empty((0, 2), dtype=np.int64)
    x, y = camera.places(position)
    # A sphere off the axis looks longer than it is: half a pixel and a fifth more hold it within the field of view.
    edge = 1.2 * camera.focal_pixels * reach / (depth - reach) + 1
    columns, lines = (np.arange(math.floor(c - edge), math.ceil(c + edge)) for c in (x, y))
    middle = camera.side_pixels / 2
    u, v = (columns + 0.5 - middle) / camera.focal_pixels, (lines + 0.5 - middle) / camera.focal_pixels
    rays = np.stack(np.broadcast_arrays(u[None, :], v[:, None], np.ones((1, 1))), axis=-1) @ camera.axes
    back = quaternion * np.array([1.0, -1.0, -1.0, -1.0])
    # In the object's own axes, in units of its half sizes: a unit sphere, cube or cylinder.
    eye = turned(back, np.array(camera.position) - position) / half
    met = _meets(shape, eye, turned(np.broadcast_to(back, (*rays.shape[:2], 4)), rays) / half)
    row, column = np.nonzero(met)
    return np.stack([lines[row], columns[column]], axis=1)


def _meets(shape: Shape, eye: Float64[np.ndarray, " 3"], rays: Float64[np.ndarray, "h w 3"]) -> np.ndarray:
    if shape in ("sphere", "ellipsoid"):
        a, b, c = (rays**2).sum(-1), rays @ eye, eye @ eye - 1
        return b**2 >= a * c
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.minimum((-1 - eye) / rays, (1 - eye) / rays)
        far = np.maximum((-1 - eye) / rays, (1 - eye) / rays)
    if shape == "box":
        return near.max(axis=-1) <= far.min(axis=-1)
    a, b = (rays[..., :2] ** 2).sum(-1), rays[..., :2] @ eye[:2]
    inside = b**2 - a * (eye[:2] @ eye[:2] - 1)
    root = np.sqrt(np.maximum(inside, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        enter, leave = (-b - root) / a, (-b + root) / a
    return (inside >= 0) & (np.maximum(enter, near[..., 2]) <= np.minimum(leave, far[..., 2]))
