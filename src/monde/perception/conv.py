"""Strided CNN for small frames: to one token, or to a grid of them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.nn import BatchNorm


class ConvEncoder(nn.Module):
    """Stride-2 convolutions with batch norm down to a 4×4 map, then one linear layer over all of it.

    Args:
        channels: Image channels.
        height: Frame height in pixels.
        width: Frame width in pixels.
        base: Channels of the first convolution; each next one has twice as many, up to 8 × base.
        features: Width of the output, of each token.
        grid: Tokens along a side; 1 looks at all of the 4×4 map at once.

    Raises:
        ContractError: A frame that does not halve to the grid.
    """

    def __init__(self, channels: int, height: int, width: int, base: int, features: int, grid: int = 1) -> None:
        super().__init__()
        self.grid, end = grid, 4 if grid == 1 else grid
        layers: list[nn.Module] = []
        inputs, outputs = channels, base
        while max(height, width) > end:
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), BatchNorm(outputs), nn.SiLU()]
            height, width = (height + 2 - 4) // 2 + 1, (width + 2 - 4) // 2 + 1
            inputs, outputs = outputs, min(2 * outputs, 8 * base)
        self.convolutions = nn.Sequential(*layers)
        if grid > 1 and (height, width) != (grid, grid):
            raise ContractError(
                "the frame does not halve to this grid of tokens",
                got=f"{height}×{width} after the last halving",
                expected=f"{grid}×{grid}",
                remedy="choose a square frame whose side is the grid's times a power of two",
            )
        self.head = nn.Linear(inputs if grid > 1 else inputs * height * width, features)

    def forward(self, frames: Float[Tensor, "M C h w"]) -> Float[Tensor, "M N f"]:
        """Frames scaled to -1..1 to features [M, N, features]."""
        maps = self.convolutions(frames.contiguous(memory_format=torch.channels_last))
        # Flattened as [h, w, C]: a view of the channels-last map, where [C, h, w] would copy it.
        maps = maps.permute(0, 2, 3, 1)
        return self.head(maps.flatten(1, 2) if self.grid > 1 else maps.flatten(1)[:, None])
