"""Vision transformer for large frames."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.nn import Block, sincos_2d


class ViTEncoder(nn.Module):
    """ViT (arXiv 2010.11929) with a class token, fixed 2-D sine positions and no dropout; LeWM's encoder family.

    Args:
        channels: Image channels.
        height: Frame height in pixels, a multiple of `patch`.
        width: Frame width in pixels, a multiple of `patch`.
        patch: Side of a patch in pixels.
        hidden: Token width.
        depth: Blocks.
        heads: Attention heads.
        features: Width of the output.

    Raises:
        ContractError: A frame that is not a whole number of patches.
    """

    positions: Tensor

    def __init__(
        self, channels: int, height: int, width: int, patch: int, hidden: int, depth: int, heads: int, features: int
    ) -> None:
        super().__init__()
        if height % patch or width % patch:
            raise ContractError(
                "the frame is not a whole number of patches",
                got=f"{height}×{width} with patches of {patch}",
                expected="sides that are multiples of the patch",
                remedy="choose --frame or the recipe's patch so that one divides the other",
            )
        self.patches = nn.Conv2d(channels, hidden, patch, patch)
        self.register_buffer("positions", sincos_2d(height // patch, width // patch, hidden), persistent=False)
        self.token = nn.Parameter(torch.zeros(hidden))
        self.layers = [Block(hidden, heads, 4 * hidden) for _ in range(depth)]
        self.blocks = nn.ModuleList(self.layers)
        self.norm = nn.LayerNorm(hidden)
        # A linear map after the norm: without it the norm fixes each latent's length, which SIGReg cannot shape.
        self.head = nn.Linear(hidden, features)

    def forward(self, frames: Float[Tensor, "M C h w"]) -> Float[Tensor, "M f"]:
        """Frames scaled to -1..1 to features [M, features]."""
        tokens = self.patches(frames).flatten(2).transpose(1, 2)
        tokens = tokens + self.positions.to(tokens.dtype)
        tokens = torch.cat([self.token.to(tokens.dtype).expand(len(tokens), 1, -1), tokens], dim=1)
        *layers, last = self.layers
        for block in layers:
            tokens = block(tokens)
        return self.head(self.norm(last.first(tokens)))
