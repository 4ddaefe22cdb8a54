"""Strided CNN for small frames."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.nn import BatchNorm


class ConvEncoder(nn.Module):
    """Stride-2 convolutions with batch norm down to a 4×4 map, then one linear layer over all of it.

    Args:
        channels: Image channels.
        height: Frame height in pixels.
        width: Frame width in pixels.
        base: Channels of the first convolution; each next one has twice as many, up to 8 × base.
        features: Width of the output.
    """

    def __init__(self, channels: int, height: int, width: int, base: int, features: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs, outputs = channels, base
        while max(height, width) > 4:
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), BatchNorm(outputs), nn.SiLU()]
            height, width = (height + 2 - 4) // 2 + 1, (width + 2 - 4) // 2 + 1
            inputs, outputs = outputs, min(2 * outputs, 8 * base)
        self.convolutions = nn.Sequential(*layers)
        self.head = nn.Linear(inputs * height * width, features)

    def forward(self, frames: Float[Tensor, "M C h w"]) -> Float[Tensor, "M f"]:
        """Frames scaled to -1..1 to features [M, features]."""
        maps = self.convolutions(frames.contiguous(memory_format=torch.channels_last))
        # Flattened as [h, w, C]: a view of the channels-last map, where [C, h, w] would copy it.
        return self.head(maps.permute(0, 2, 3, 1).flatten(1))
