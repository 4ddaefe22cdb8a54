"""Positional codes: rotary over time, fixed sines over the image plane."""

import torch
from jaxtyping import Float
from torch import Tensor


def rotate(x: Float[Tensor, "... L h"], positions: Float[Tensor, " L"], base: float = 1000.0) -> Tensor:
    """Rotary position code (RoFormer, arXiv 2104.09864, section 3.2) on x [..., L, head width].

    Only differences of positions matter to attention, so a sliding window may number its slots afresh at every step.
    """
    half = x.shape[-1] // 2
    frequencies = base ** (-torch.arange(half, dtype=torch.float32, device=x.device) / half)
    angles = positions.float()[:, None] * frequencies
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half : 2 * half]
    return torch.cat([a * cos - b * sin, a * sin + b * cos, x[..., 2 * half :]], dim=-1)


def sincos_2d(rows: int, columns: int, width: int) -> Float[Tensor, "P d"]:
    """Fixed sine and cosine code of a grid of patches (ViT, MAE), [rows · columns, width]; width divisible by 4."""
    quarter = width // 4
    frequencies = 10000.0 ** (-torch.arange(quarter, dtype=torch.float32) / quarter)
    y, x = torch.meshgrid(torch.arange(rows).float(), torch.arange(columns).float(), indexing="ij")
    parts = [f(axis.reshape(-1, 1) * frequencies) for axis in (y, x) for f in (torch.sin, torch.cos)]
    return torch.cat(parts, dim=-1)
