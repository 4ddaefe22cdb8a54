"""Proprioception: joint angles, positions, anything that is a short vector of numbers."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.nn import MLP


class StateEncoder(nn.Module):
    """Standardise with the training data's moments, then an MLP.

    Args:
        size: Numbers in one sample.
        hidden: Width in between.
        features: Width of the output.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, size: int, hidden: int, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("std", torch.ones(size))
        self.mlp = MLP(size, hidden, features)

    def forward(self, values: Float[Tensor, "M n"]) -> Float[Tensor, "M f"]:
        """Raw values in the sensor's unit to features [M, features]."""
        return self.mlp((values - self.mean) / self.std)
