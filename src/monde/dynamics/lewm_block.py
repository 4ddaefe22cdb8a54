"""The block of LeWM's predictor: causal attention and an MLP under adaptive layer norm."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.nn import MLP, KeyValues, attend_newest, infer


class LewmBlock(nn.Module):
    """Transformer block conditioned by adaLN-Zero (DiT, arXiv 2212.09748), as LeWM's predictor is published.

    Args:
        width: Token width.
        heads: Attention heads.
        head_width: Width of one head.
        hidden: Hidden width of the MLP.
        inner_norm: Whether attention and MLP begin with a learned norm of their own.
        dropout: Share of attention weights and hidden units dropped in training.
        residual_dropout: Share dropped of what the block adds.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        head_width: int,
        hidden: int,
        *,
        inner_norm: bool,
        dropout: float,
        residual_dropout: float,
    ) -> None:
        super().__init__()
        self.heads, self.head_width = heads, head_width
        self.dropout, self.residual_dropout = dropout, residual_dropout
        self.attention_norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.attention_inner_norm = nn.LayerNorm(width) if inner_norm else nn.Identity()
        self.qkv = nn.Linear(width, 3 * heads * head_width, bias=not inner_norm)
        self.out = nn.Linear(heads * head_width, width)
        self.mlp_norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.mlp_inner_norm = nn.LayerNorm(width) if inner_norm else nn.Identity()
        self.mlp = MLP(width, hidden, width)
        self.modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def modulate(self, condition: Float[Tensor, "... d"]) -> Float[Tensor, "... m"]:
        """Shift, scale and gate of attention and MLP, [..., 6 · width], of a condition [..., width]."""
        # As wide as the tokens that it modulates: products of two precisions take twice as long.
        return infer(self.modulation, nn.functional.silu(condition)).to(self.modulation.weight.dtype)

    def forward(
        self, x: Float[Tensor, "B S n d"], modulation: Float[Tensor, "B S n m"], past: KeyValues | None, newest: bool
    ) -> tuple[Tensor, KeyValues]:
        """New tokens of S continuations of each of B histories; each sees the past, what is before it, and itself.

        Args:
            x: [B, S, n, width].
            modulation: [B, S, n, 6 · width], of `modulate`.
            past: Keys and values [B, S or 1, heads, P, h] of the tokens before, or none.
            newest: Whether only the last token goes on: all are looked at.

        Returns:
            Tokens [B, S, n or 1, width], and keys and values [B, S, heads, P + n, h].
        """
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = modulation.chunk(6, dim=-1)
        n = x.shape[2]
        kept = 1 if newest else n
        dropped = self.dropout if self.training else 0.0
        # The first token of all sees itself alone and need not ask; with dropout it may not see even that.
        alone = past is None and kept == n and not dropped
        modulated = self.attention_inner_norm(torch.addcmul(shift, self.attention_norm(x), 1 + scale))
        q, kv = self._project(modulated, kept - alone)
        if past is not None:
            shape = (-1, x.shape[1], -1, -1, -1)
            kv = KeyValues(past.keys.expand(shape), past.values.expand(shape)).extended(kv)
        if kept < n:
            x = x[:, :, -kept:]
            gate, mlp_shift, mlp_scale, mlp_gate = (m[:, :, -kept:] for m in (gate, mlp_shift, mlp_scale, mlp_gate))
        attended = attend_newest(q, kv.keys, kv.values, dropped, alone).transpose(-3, -2).flatten(-2)
        x = torch.addcmul(x, gate, self._dropped(infer(self.out, attended)).to(x.dtype))
        mixed = self.mlp_inner_norm(torch.addcmul(mlp_shift, self.mlp_norm(x), 1 + mlp_scale))
        hidden = nn.functional.dropout(infer(self.mlp.up, mixed, "gelu"), self.dropout, self.training)
        return torch.addcmul(x, mlp_gate, self._dropped(infer(self.mlp.down, hidden)).to(x.dtype)), kv

    def _project(self, x: Tensor, asking: int) -> tuple[Tensor, KeyValues]:
        """Queries [B, S, heads, asking, h] of the newest tokens, and keys and values of all."""
        if asking == x.shape[2]:
            q, k, v = infer(self.qkv, x).unflatten(-1, (3, self.heads, self.head_width)).unbind(-3)
        else:
            inner = self.heads * self.head_width
            q = infer(self.qkv, x[:, :, x.shape[2] - asking :], rows=slice(0, inner))
            q = q.unflatten(-1, (self.heads, self.head_width))
            both = infer(self.qkv, x, rows=slice(inner, 3 * inner))
            k, v = both.unflatten(-1, (2, self.heads, self.head_width)).unbind(-3)
        return q.transpose(-3, -2), KeyValues(k.transpose(-3, -2), v.transpose(-3, -2))

    def _dropped(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(x, self.residual_dropout, self.training)
