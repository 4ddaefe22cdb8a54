"""Transformer blocks: plain pre-norm, and conditioned by adaptive layer norm."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.nn.attention import Attention, KeyValues
from monde.nn.mlp import MLP


class Block(nn.Module):
    """Pre-norm transformer block (ViT, arXiv 2010.11929)."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = MLP(width, hidden, width)

    def forward(self, x: Float[Tensor, "M L d"]) -> Float[Tensor, "M L d"]:
        """[M, L, width] to the same."""
        x = x + self.attention(self.attention_norm(x))[0]
        return x + self.mlp(self.mlp_norm(x))

    def first(self, x: Float[Tensor, "M L d"]) -> Float[Tensor, "M d"]:
        """What `forward` makes of the first token, which looks at all: a last block whose class token alone is used."""
        x, mixed = x[:, 0], self.attention.first(self.attention_norm(x))
        x = x + mixed
        return x + self.mlp(self.mlp_norm(x))


class AdaLNBlock(nn.Module):
    """Transformer block whose norms are shifted, scaled and gated by a condition (DiT, arXiv 2212.09748, adaLN-Zero).

    Gates start at zero, so a fresh stack is the identity: a predictor made of these begins as "nothing changes".
    """

    def __init__(self, width: int, heads: int, hidden: int, condition: int, head_width: int | None = None) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, elementwise_affine=False)
        self.attention = Attention(width, heads, head_width)
        self.mlp_norm = nn.LayerNorm(width, elementwise_affine=False)
        self.mlp = MLP(width, hidden, width)
        self.modulation = nn.Linear(condition, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(
        self,
        x: Float[Tensor, "M L d"],
        condition: Float[Tensor, "M L c"],
        positions: Float[Tensor, " L"],
        mask: Bool[Tensor, "L L"],
    ) -> tuple[Tensor, KeyValues]:
        """Tokens x [M, L, width] under a condition per token; also the keys and values, for continuing later."""
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = self._modulations(condition)
        mixed, kv = self.attention(self.attention_norm(x) * (1 + scale) + shift, positions, mask)
        x = x + gate * mixed
        return x + mlp_gate * self.mlp(self.mlp_norm(x) * (1 + mlp_scale) + mlp_shift), kv

    def continued(
        self,
        x: Float[Tensor, "B S n d"],
        condition: Float[Tensor, "B S 1 c"],
        shared: KeyValues,
        shared_mask: Bool[Tensor, "B L"],
        own: KeyValues | None,
        tokens: int,
        window: int,
    ) -> tuple[Tensor, KeyValues]:
        """One new frame of S continuations; see `Attention.continued`."""
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = self._modulations(condition)
        mixed, own = self.attention.continued(
            self.attention_norm(x) * (1 + scale) + shift, shared, shared_mask, own, tokens, window
        )
        x = x + gate * mixed
        return x + mlp_gate * self.mlp(self.mlp_norm(x) * (1 + mlp_scale) + mlp_shift), own

    def _modulations(self, condition: Tensor) -> tuple[Tensor, ...]:
        return self.modulation(nn.functional.silu(condition)).chunk(6, dim=-1)
