"""Point clouds of varying size in arrays of one size: rows at x = y = z = 0 are padding.

No sensor sees itself, so that nothing is lost; and a cloud needs no count beside it, in whatever layout it is stored.
"""

import numpy as np
from jaxtyping import Bool, Float

from monde.errors import ContractError


def cloud_mask(points: Float[np.ndarray, "... P C"]) -> Bool[np.ndarray, "... P"]:
    """Which rows are points."""
    # Axis by axis: reducing over a last axis of three takes several times as long.
    return (points[..., 0] != 0) | (points[..., 1] != 0) | (points[..., 2] != 0)


def pad_cloud(points: Float[np.ndarray, "n C"], size: int) -> Float[np.ndarray, "P C"]:
    """A cloud of any number of points as [size, C]: padded, or thinned (`thin_cloud`) where it holds more.

    Raises:
        ContractError: Fewer than three columns, or numbers that are not finite.
    """
    if points.shape[1] < 3 or not np.isfinite(points).all():
        raise ContractError(
            "these are no points",
            got=f"{list(points.shape)}, {int((~np.isfinite(points)).any(-1).sum())} of them not finite",
            expected="[n, 3 or more] of finite numbers",
            remedy="drop points that were not measured before they are padded",
        )
    held = points[cloud_mask(points)]
    kept = held[_spread(len(held), size)] if len(held) > size else held
    result = np.zeros((size, points.shape[1]), dtype=points.dtype)
    result[: len(kept)] = kept
    return result


def thin_cloud(points: Float[np.ndarray, "T P C"], size: int) -> Float[np.ndarray, "T Q C"]:
    """Clouds with at most `size` points each, spread evenly over their order; padding comes last."""
    return np.stack([pad_cloud(cloud, size) for cloud in points])


def _spread(count: int, size: int) -> np.ndarray:
    return (np.arange(size) * (count / size)).astype(np.int64)
