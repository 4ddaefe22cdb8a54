"""Short vectors: joint angles, poses, velocities, accelerations, positions."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monde.nn import MLP, pose_features
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
