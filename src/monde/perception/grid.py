"""Occupancy grids."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.perception.sense import SenseEncoder


class GridEncoder(SenseEncoder):
    """Two channels, -1 free to 1 occupied (0 unknown) and what is unknown, through an encoder of pictures.

    Args:
        pictures: Encoder of frames of two channels.
    """

    def __init__(self, pictures: nn.Module) -> None:
        super().__init__(0)  # cells have a scale already
        self.pictures = pictures

    def measured(self, values: Float[Tensor, "M 1 h w"]) -> Float[Tensor, "M 0"]:
        """Nothing."""
        return values.new_zeros(len(values), 0)

    def forward(
        self, values: Float[Tensor, "M 1 h w"], mask: Bool[Tensor, "M P"] | None = None
    ) -> Float[Tensor, "M f"]:
        """0 free to 1 occupied, -1 unknown, to features [M, features]."""
        known = values >= 0
        cells = torch.where(known, 2 * values - 1, torch.zeros_like(values))
        features: Tensor = self.pictures(torch.cat([cells, (~known).to(cells.dtype)], dim=1))
        return features
