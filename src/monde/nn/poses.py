"""Poses as numbers that networks can follow."""

import torch
from jaxtyping import Float
from torch import Tensor


def pose_features(poses: Float[Tensor, "... n"]) -> Float[Tensor, "... k"]:
    """Poses as numbers without jumps: SE(2) as x, y, cos, sin; SE(3) as x, y, z and two columns of the rotation matrix.

    A quaternion has two values for each rotation and an angle has a jump, which networks cannot follow; the first two
    columns of the matrix have neither (Zhou et al. 2019, arXiv 1812.07035, section 4.2).
    """
    if poses.shape[-1] == 3:
        return torch.cat([poses[..., :2], poses[..., 2:].cos(), poses[..., 2:].sin()], dim=-1)
    x, y, z, w = poses[..., 3:].unbind(-1)
    first = torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)], dim=-1)
    second = torch.stack([2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)], dim=-1)
    return torch.cat([poses[..., :3], first, second], dim=-1)
