"""Multi-head attention, and its cached form: one history shared by many imagined continuations."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.nn.attend import attend
from monde.nn.positions import rotate


@dataclass(frozen=True)
class KeyValues:
    """Keys (before rotation) and values of earlier tokens.

    Args:
        keys: [..., heads, L, h].
        values: [..., heads, L, h].
    """

    keys: Tensor
    values: Tensor

    def extended(self, other: "KeyValues") -> "KeyValues":
        """These, followed by `other`, along L."""
        return KeyValues(torch.cat([self.keys, other.keys], dim=-2), torch.cat([self.values, other.values], dim=-2))

    def newest(self, count: int) -> "KeyValues":
        """The last `count` tokens (views)."""
        start = max(0, self.keys.shape[-2] - count)
        return KeyValues(self.keys[..., start:, :], self.values[..., start:, :])


class Attention(nn.Module):
    """Multi-head self-attention with optional rotary positions (one position per token, given by the caller).

    Args:
        width: Token width.
        heads: Number of heads.
        head_width: Width of a head, width / heads unless given (LeWM's predictor uses heads wider than the model).
    """

    def __init__(self, width: int, heads: int, head_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.head_width = head_width or width // heads
        inner = heads * self.head_width
        self.qkv = nn.Linear(width, 3 * inner)
        self.out = nn.Linear(inner, width)

    def project(self, x: Float[Tensor, "... L d"]) -> tuple[Tensor, KeyValues]:
        """Queries [..., heads, L, h] and unrotated keys and values of x [..., L, width]."""
        *lead, L, _ = x.shape
        q, k, v = self.qkv(x).reshape(*lead, L, 3, self.heads, self.head_width).unbind(-3)
        return q.transpose(-3, -2), KeyValues(k.transpose(-3, -2), v.transpose(-3, -2))

    def forward(
        self,
        x: Float[Tensor, "M L d"],
        positions: Float[Tensor, " L"] | None = None,
        mask: Bool[Tensor, "L L"] | None = None,
    ) -> tuple[Tensor, KeyValues]:
        """Attention among the tokens of x [M, L, width]; mask[i, j] says whether i may look at j."""
        q, kv = self.project(x)
        k = kv.keys
        if positions is not None:
            q, k = rotate(q, positions), rotate(k, positions)
        mixed = attend(q, k, kv.values, mask)
        return self.out(mixed.transpose(-3, -2).flatten(-2)), kv

    def first(self, x: Float[Tensor, "M L d"]) -> Float[Tensor, "M d"]:
        """What `forward` makes of the first token of x [M, L, width], without positions and mask."""
        inner = self.heads * self.head_width
        weights, biases = (part.split([inner, 2 * inner]) for part in (self.qkv.weight, self.qkv.bias))
        q = nn.functional.linear(x[:, :1], weights[0], biases[0]).unflatten(-1, (self.heads, self.head_width))
        k, v = nn.functional.linear(x, weights[1], biases[1]).unflatten(-1, (2, self.heads, self.head_width)).unbind(2)
        mixed = attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        return self.out(mixed.transpose(1, 2).flatten(1))

    def continued(
        self,
        x: Float[Tensor, "B S n d"],
        shared: KeyValues,
        shared_mask: Bool[Tensor, "B L"],
        own: KeyValues | None,
        tokens: int,
        window: int,
    ) -> tuple[Tensor, KeyValues]:
        """New tokens of S continuations of each of B histories: they see the history, their own past and themselves.

        The history's keys and values are never copied per continuation: its scores are one product of [S·n] queries.

        Args:
            x: [B, S, n, width], the tokens of one new frame (n = `tokens`).
            shared: Keys and values of the history, [B, heads, L, h].
            shared_mask: [B, L]; false where the history is padding.
            own: Keys and values of each continuation's own earlier frames, [B, S, heads, L', h], or none.
            tokens: Tokens a frame.
            window: Frames that a frame may look at, itself included.

        Returns:
            The output [B, S, n, width] and the continuation's own keys and values, this frame included.
        """
        B, S, n, _ = x.shape
        q, new = self.project(x)
        own = new if own is None else own.extended(new)
        own = own.newest(window * tokens)
        own_frames = own.keys.shape[-2] // tokens
        context = shared.newest((window - own_frames) * tokens) if own_frames < window else shared.newest(0)
        L = context.keys.shape[-2]
        frames = L // tokens + own_frames
        slots = torch.arange(frames, device=x.device, dtype=torch.float32).repeat_interleave(tokens)
        q = rotate(q, slots[-n:]) * self.head_width**-0.5
        own_scores = q @ rotate(own.keys, slots[L:]).transpose(-2, -1)  # [B, S, heads, n, L']
        # [B, heads, S·n, h] against the one history of each row
        q_shared = q.permute(0, 2, 1, 3, 4).reshape(B, self.heads, S * n, self.head_width)
        shared_scores = q_shared @ rotate(context.keys, slots[:L]).transpose(-2, -1)
        visible = shared_mask[:, shared_mask.shape[1] - L :]
        shared_scores = shared_scores.masked_fill(~visible[:, None, None, :], float("-inf"))
        shared_scores = shared_scores.reshape(B, self.heads, S, n, L).transpose(1, 2)
        weights = torch.cat([shared_scores, own_scores], dim=-1).softmax(dim=-1)
        own_mixed = weights[..., L:] @ own.values
        shared_weights = weights[..., :L].transpose(1, 2).reshape(B, self.heads, S * n, L)
        shared_mixed = (shared_weights @ context.values).reshape(B, self.heads, S, n, self.head_width).transpose(1, 2)
        mixed = own_mixed + shared_mixed
        return self.out(mixed.transpose(-3, -2).flatten(-2)), own
