"""Rigid motions: SE(3) as (x, y, z, qx, qy, qz, qw), SE(2) as (x, y, yaw)."""

import numpy as np
from jaxtyping import Float

from monde.spatial.rotations import conjugate, multiply, rotate, slerp
from monde.types.geometry import Mount


def mounted(mount: Mount) -> Float[np.ndarray, "7"]:
    """A mount as a pose of the sensor in its parent's frame."""
    return np.array([*mount.translation, *mount.rotation], dtype=np.float64)


def compose(first: Float[np.ndarray, "... 7"], second: Float[np.ndarray, "... 7"]) -> Float[np.ndarray, "... 7"]:
    """`second`, given in the frame of `first`, in the frame that `first` is given in."""
    where = first[..., :3] + rotate(first[..., 3:], second[..., :3])
    turned = multiply(first[..., 3:], second[..., 3:])
    where, turned = np.broadcast_arrays(where, turned[..., :3])[0], turned
    return np.concatenate([where, turned], axis=-1)


def inverse(poses: Float[np.ndarray, "... 7"]) -> Float[np.ndarray, "... 7"]:
    """The parent seen from the child."""
    back = conjugate(poses[..., 3:])
    return np.concatenate([-rotate(back, poses[..., :3]), back], axis=-1)


def relative(first: Float[np.ndarray, "... 7"], second: Float[np.ndarray, "... 7"]) -> Float[np.ndarray, "... 7"]:
    """`second` seen from `first`, both given in one frame."""
    return compose(inverse(first), second)


def transform(pose: Float[np.ndarray, "... 7"], points: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    """Points of the child's frame in the parent's; leading axes broadcast."""
    return pose[..., :3] + rotate(pose[..., 3:], points)


def interpolate(
    first: Float[np.ndarray, "... 7"], second: Float[np.ndarray, "... 7"], share: Float[np.ndarray, "..."]
) -> Float[np.ndarray, "... 7"]:
    """Poses between two: places along the straight line, rotations the short way round."""
    part = np.asarray(share)[..., None]
    where = (1 - part) * first[..., :3] + part * second[..., :3]
    return np.concatenate([where, slerp(first[..., 3:], second[..., 3:], share)], axis=-1)


def se2_compose(first: Float[np.ndarray, "... 3"], second: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    """`second`, given in the frame of `first`, in the frame that `first` is given in; yaw within ±π."""
    c, s = np.cos(first[..., 2]), np.sin(first[..., 2])
    x = first[..., 0] + c * second[..., 0] - s * second[..., 1]
    y = first[..., 1] + s * second[..., 0] + c * second[..., 1]
    return np.stack([x, y, wrap(np.asarray(first[..., 2] + second[..., 2]))], axis=-1)


def se2_inverse(poses: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    """The parent seen from the child."""
    c, s = np.cos(poses[..., 2]), np.sin(poses[..., 2])
    x, y = poses[..., 0], poses[..., 1]
    return np.stack([-c * x - s * y, s * x - c * y, wrap(np.asarray(-poses[..., 2]))], axis=-1)


def wrap(angles: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The same angles within [-π, π)."""
    return np.asarray((angles + np.pi) % (2 * np.pi) - np.pi)
