"""Unit quaternions (x, y, z, w)."""

import numpy as np
from jaxtyping import Float

from monde.errors import ContractError
from monde.limits import MAX_QUATERNION_ERROR


def unit(quaternions: Float[np.ndarray, "... 4"], most: float = MAX_QUATERNION_ERROR) -> Float[np.ndarray, "... 4"]:
    """The same of exactly unit length and with w ≥ 0 (both signs are one rotation).

    Args:
        quaternions: As read or computed.
        most: Largest distance of a length from 1.

    Raises:
        ContractError: One that is no rotation: not finite, or of a length further from 1 than `most`.
    """
    lengths = np.linalg.norm(quaternions, axis=-1, keepdims=True)
    wrong = ~(np.abs(lengths - 1) <= most)
    if wrong.any():
        first = np.argwhere(wrong[..., 0])[0]
        raise ContractError(
            "a quaternion is not of unit length",
            got=f"{quaternions[tuple(first)].tolist()} of length {float(lengths[tuple(first)][0]):.6g}"
            + (f" at {first.tolist()}" if first.size else ""),
            expected=f"length 1 within {most:g}: (x, y, z, w)",
            remedy="divide it by its length where it was measured; find out why it is none",
        )
    return quaternions / lengths * np.where(quaternions[..., 3:] < 0, -1.0, 1.0)


def rotate(quaternions: Float[np.ndarray, "... 4"], vectors: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    """Vectors turned by unit quaternions; leading axes broadcast."""
    axis, w = quaternions[..., :3], quaternions[..., 3:]
    across = 2 * np.cross(axis, vectors)
    return vectors + w * across + np.cross(axis, across)


def multiply(first: Float[np.ndarray, "... 4"], second: Float[np.ndarray, "... 4"]) -> Float[np.ndarray, "... 4"]:
    """The rotation that turns by `second`, then by `first`."""
    a, b = first[..., :3], second[..., :3]
    v, w = first[..., 3:], second[..., 3:]
    return np.concatenate([v * b + w * a + np.cross(a, b), v * w - (a * b).sum(-1, keepdims=True)], axis=-1)


def conjugate(quaternions: Float[np.ndarray, "... 4"]) -> Float[np.ndarray, "... 4"]:
    """The rotations back."""
    return quaternions * np.array([-1.0, -1.0, -1.0, 1.0])


def from_yaw(yaws: Float[np.ndarray, "..."]) -> Float[np.ndarray, "... 4"]:
    """Turns about z by angles in radians."""
    zero = np.zeros_like(yaws)
    return np.stack([zero, zero, np.sin(yaws / 2), np.cos(yaws / 2)], axis=-1)


def from_matrix(matrices: Float[np.ndarray, "... 3 3"]) -> Float[np.ndarray, "... 4"]:
    """Rotation matrices as unit quaternions with w ≥ 0 (Shepperd, Journal of Guidance and Control 1978).

    Raises:
        ContractError: One that is no rotation.
    """
    product = matrices @ np.swapaxes(matrices, -1, -2)
    if not np.allclose(product, np.eye(3), atol=MAX_QUATERNION_ERROR) or not (np.linalg.det(matrices) > 0).all():
        raise ContractError("a matrix is no rotation", got=matrices.tolist(), expected="orthonormal, determinant 1")
    xx, yy, zz = (matrices[..., axis, axis] for axis in range(3))
    one, trace = np.ones_like(xx), xx + yy + zz
    # Four times the squared quaternion's outer product: any row is the quaternion, the longest one exactly.
    skew = [matrices[..., j, i] - matrices[..., i, j] for i, j in ((1, 2), (2, 0), (0, 1))]
    even = {(i, j): matrices[..., i, j] + matrices[..., j, i] for i, j in ((0, 1), (0, 2), (1, 2))}
    rows = np.stack(
        [
            np.stack([one + 2 * xx - trace, even[0, 1], even[0, 2], skew[0]], axis=-1),
            np.stack([even[0, 1], one + 2 * yy - trace, even[1, 2], skew[1]], axis=-1),
            np.stack([even[0, 2], even[1, 2], one + 2 * zz - trace, skew[2]], axis=-1),
            np.stack([*skew, one + trace], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(np.linalg.norm(rows, axis=-1), axis=-1)
    chosen = np.take_along_axis(rows, best[..., None, None], axis=-2)[..., 0, :]
    turned = chosen / np.linalg.norm(chosen, axis=-1, keepdims=True)
    return turned * np.where(turned[..., 3:] < 0, -1.0, 1.0)


def yaw(quaternions: Float[np.ndarray, "... 4"]) -> Float[np.ndarray, "..."]:
    """Angle about z, in radians, of where the x axis is turned to."""
    x, y, z, w = np.moveaxis(quaternions, -1, 0)
    return np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def slerp(
    first: Float[np.ndarray, "... 4"], second: Float[np.ndarray, "... 4"], share: Float[np.ndarray, "..."]
) -> Float[np.ndarray, "... 4"]:
    """Rotations between two, the short way round: `share` 0 is the first, 1 the second (Shoemake, SIGGRAPH 1985)."""
    dot = (first * second).sum(-1, keepdims=True)
    second, dot = np.where(dot < 0, -second, second), np.abs(dot).clip(0, 1)
    angle = np.arccos(dot)
    part = np.asarray(share)[..., None]
    sine = np.sin(angle)
    near = sine < 1e-6
    safe = np.where(near, 1.0, sine)
    left = np.where(near, 1 - part, np.sin((1 - part) * angle) / safe)
    right = np.where(near, part, np.sin(part * angle) / safe)
    mixed = left * first + right * second
    return mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)
