"""The pinhole camera: depth images to points and back."""

import numpy as np
from jaxtyping import Bool, Float

from monde.errors import ContractError
from monde.types.geometry import Intrinsics


def backproject(
    depth: Float[np.ndarray, "... h w"], camera: Intrinsics
) -> tuple[Float[np.ndarray, "... h w 3"], Bool[np.ndarray, "... h w"]]:
    """Points (x right, y down, z ahead) in metres of each pixel, in the camera's frame; and which were measured.

    Args:
        depth: Metres along the optical axis; 0 where nothing was measured.
        camera: Of frames of this size.

    Raises:
        ContractError: Intrinsics of another frame size.
    """
    if depth.shape[-2:] != (camera.height, camera.width):
        raise ContractError(
            "the intrinsics do not fit the image",
            got=f"intrinsics of {camera.height} × {camera.width}, a depth image of {list(depth.shape[-2:])}",
            expected="one size",
            remedy="use camera.resized(height, width)",
        )
    right = (np.arange(camera.width, dtype=depth.dtype) - camera.cx) / camera.fx
    down = (np.arange(camera.height, dtype=depth.dtype) - camera.cy) / camera.fy
    points = np.stack([depth * right, depth * down[:, None], depth], axis=-1).astype(depth.dtype, copy=False)
    return points, depth > 0


def project(
    points: Float[np.ndarray, "... 3"], camera: Intrinsics
) -> tuple[Float[np.ndarray, "... 2"], Bool[np.ndarray, "..."]]:
    """(column, row) in pixels of points in the camera's frame; whether they are ahead and in the frame."""
    ahead = points[..., 2] > 0
    z = np.where(ahead, points[..., 2], 1.0)
    column = camera.fx * points[..., 0] / z + camera.cx
    row = camera.fy * points[..., 1] / z + camera.cy
    across = (column >= -0.5) & (column < camera.width - 0.5)
    along = (row >= -0.5) & (row < camera.height - 0.5)
    return np.stack([column, row], axis=-1), ahead & across & along
