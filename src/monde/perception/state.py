"""Short vectors: joint angles, poses, velocities, accelerations, positions."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monde.nn import MLP
from monde.perception.sense import SenseEncoder


class StateEncoder(SenseEncoder):
    """Continuous features of a vector, standardised, then an MLP. In float32: a place is known to a millimetre.

    Args:
        size: Numbers in one sample.
        hidden: Width in between.
        features: Width of the output.
        form: "vector" for numbers as they are, "pose" for SE(2) or SE(3) poses (see `pose_features`).
    """

    def __init__(self, size: int, hidden: int, features: int, form: Literal["vector", "pose"] = "vector") -> None:
        numbers = {3: 4, 7: 9}[size] if form == "pose" else size
        super().__init__(numbers)
        self.form = form
        self.mlp = MLP(numbers, hidden, features)

    def measured(self, values: Float[Tensor, "M n"]) -> Float[Tensor, "M k"]:
        """The continuous features."""
        return pose_features(values) if self.form == "pose" else values

    def forward(self, values: Float[Tensor, "M n"], mask: Bool[Tensor, "M P"] | None = None) -> Float[Tensor, "M f"]:
        """Raw values in the sensor's unit to features [M, features]."""
        with torch.autocast(values.device.type, enabled=False):
            return self.mlp((self.measured(values) - self.mean) / self.std)


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
