"""Scaled dot-product attention by the fastest way of a device: torch's numbers, to the precision asked for."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

FEW = 4
"""Up to as many tokens are weighed one by one: a kernel made for long sequences costs several times as much."""

MOST_PRODUCTS = 512
"""Up to as many tokens the scores [L, L] are written to memory as they are; they must stay small."""


def attend(
    q: Float[Tensor, "*lead n h"],
    k: Float[Tensor, "*lead L h"],
    v: Float[Tensor, "*lead L h"],
    mask: Bool[Tensor, "n L"] | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "*lead n h"]:
    """What each query [..., n, h] takes from the values; mask[i, j] says whether i may look at j.

    On a CPU in bfloat16 the scores are plain products: torch's fused kernel takes over twice as long there, and five
    times as long backwards (docs/log.md). Scores are then rounded to bfloat16, as all else that autocast computes.
    """
    plain = q.device.type == "cpu" and _bfloat16(q) and max(q.shape[-2], k.shape[-2]) <= MOST_PRODUCTS
    if not plain or dropout:
        return functional.scaled_dot_product_attention(q, k, v, mask, dropout)
    with torch.autocast(q.device.type, enabled=False):  # its softmax would go through float32
        q, k, v = (tensor.to(torch.bfloat16) for tensor in (q, k, v))
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        return scores.softmax(-1) @ v


def attend_newest(
    q: Float[Tensor, "*lead n h"],
    k: Float[Tensor, "*lead L h"],
    v: Float[Tensor, "*lead L h"],
    dropout: float = 0.0,
    lone: bool = False,
) -> Float[Tensor, "*lead m h"]:
    """Causal attention of the newest n of L tokens: query i sees the keys up to L - n + i.

    With `lone` the first of the L tokens comes before them (m = n + 1): it sees itself alone, and so needs no query.
    """
    n, L = q.shape[-2], k.shape[-2]
    if lone and n == 0:
        return v[..., :1, :]
    if q.device.type == "cpu" and L <= FEW and not dropout:
        found = [v[..., 0, :]] if lone else []
        found += [_weigh(q[..., i, :], k, v, L - n + i + 1) for i in range(n)]
        # Heads beside each other in memory: that is how what follows reads them.
        return torch.stack(found, dim=-3).transpose(-3, -2) if len(found) > 1 else found[0].unsqueeze(-2)
    mask = None if n == 1 else torch.ones(n, L, dtype=torch.bool, device=q.device).tril(L - n)
    # Four axes: torch's fast kernels take no more.
    shape = q.shape
    mixed = attend(q.flatten(0, -4), k.flatten(0, -4), v.flatten(0, -4), mask, dropout).reshape(shape)
    return torch.cat([v[..., :1, :], mixed], dim=-2) if lone else mixed


def _weigh(q: Tensor, k: Tensor, v: Tensor, seen: int) -> Tensor:
    """One query [..., h] over the first `seen` keys."""
    if seen == 1:
        return v[..., 0, :]
    scores = torch.stack([(q * k[..., j, :]).sum(-1) for j in range(seen)])
    weights = (scores * q.shape[-1] ** -0.5).softmax(0).to(v.dtype)
    mixed = weights[0, ..., None] * v[..., 0, :]
    for j in range(1, seen):
        mixed = torch.addcmul(mixed, weights[j, ..., None], v[..., j, :])
    return mixed


def _bfloat16(tensor: Tensor) -> bool:
    kind = tensor.device.type
    return tensor.dtype == torch.bfloat16 or (
        torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) == torch.bfloat16
    )
