"""What encoders of senses have in common: numbers standardised by the training data's moments."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class SenseEncoder(nn.Module, ABC):
    """Samples of one sensor to features; numbers are standardised by moments that are stored beside the weights.

    Args:
        numbers: k, how many numbers have moments of their own.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("std", torch.ones(numbers))

    @abstractmethod
    def measured(self, values: Float[Tensor, "M ..."]) -> Float[Tensor, "n k"]:
        """What is standardised in some samples: everything that was measured in them, and no padding."""

    @abstractmethod
    def forward(self, values: Float[Tensor, "M ..."], mask: Bool[Tensor, "M P"] | None = None) -> Float[Tensor, "M f"]:
        """Raw samples in the sensor's unit to features; `mask` says which points of clouds are none."""

    def standardise(self, mean: Float[Tensor, " k"], std: Float[Tensor, " k"]) -> None:
        """Take the moments of what was measured in training; a number that never varies keeps its scale."""
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > 1e-6, std, torch.ones_like(std)))
