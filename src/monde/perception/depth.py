"""Depth maps: standardised logarithms of distances, beside a channel that says where nothing was measured."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.perception.sense import SenseEncoder


class DepthEncoder(SenseEncoder):
    """Two channels, log distance and what was not measured, through an encoder of pictures.

    The logarithm makes equal what is equal in proportion: near things are told apart finely, as sensors measure them.

    Args:
        pictures: Encoder of frames of two channels.
    """

    def __init__(self, pictures: nn.Module) -> None:
        super().__init__(1)
        self.pictures = pictures

    def measured(self, values: Float[Tensor, "M 1 h w"]) -> Float[Tensor, "n 1"]:
        """Logarithms of the distances that were measured."""
        return values[values > 0].log()[:, None]

    def forward(
        self, values: Float[Tensor, "M 1 h w"], mask: Bool[Tensor, "M P"] | None = None
    ) -> Float[Tensor, "M f"]:
        """Metres, 0 where nothing was measured, to features [M, features]."""
        seen = values > 0
        logs = (torch.where(seen, values, torch.ones_like(values)).log() - self.mean) / self.std
        frames = torch.cat([torch.where(seen, logs, torch.zeros_like(logs)), (~seen).to(logs.dtype)], dim=1)
        kind = torch.bfloat16 if torch.is_autocast_enabled(values.device.type) else torch.float32
        features: Tensor = self.pictures(frames.to(kind))
        return features
