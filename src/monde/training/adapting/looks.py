"""The same clip in another look: other colours, light, background and camera, what happens in it as before.

All frames of a row change alike, so that the motion within it stays true. The ranges are wide rather than likely: what
a model has seen varied it learns to see through (domain randomisation, arXiv 1703.06907).
"""

import math

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor

MOST_ZOOM = 0.2
MOST_OFFSET = 0.1
"""Of the camera: magnification 1 ± this; and shares of the picture's side."""

BACKGROUNDS = 0.5
"""Share of rows whose commonest colour becomes another."""

NEAR_LEVELS = 60.0
"""Distance (levels, summed over channels) at which a pixel no longer belongs to the background."""

LIGHT = (0.4, 1.2)
GRADIENT = 0.5
TINT = 0.2
BIAS_LEVELS = 20.0
"""Gain of all channels; how much it falls or rises over the picture; gain of each channel, 1 ± this; and its bias."""

Frames = UInt8[Tensor, "B T 3 h w"]


def changed_look(frames: Frames, generator: Generator, amount: float = 1.0) -> Frames:
    """Camera, background, colours and light of every row drawn anew.

    Args:
        frames: Rows.
        generator: Draws the looks; on the CPU.
        amount: Share of the ranges that is used; below 1 backgrounds keep their colour but for the tint.
    """
    values = _viewed(frames.float(), generator, amount)
    if amount >= 1:
        _recolour(values, frames, generator)
    values = _tinted(values, generator, amount)
    return values.clamp_(0, 255).round_().to(torch.uint8)


def _uniform(low: float, high: float, shape: tuple[int, ...], generator: Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator)


def _viewed(values: Float[Tensor, "B T 3 h w"], generator: Generator, amount: float) -> Float[Tensor, "B T 3 h w"]:
    """Another camera: zoom and offset, bilinear, edges repeated."""
    B, _, _, h, w = values.shape
    zoom = 1 + amount * _uniform(-MOST_ZOOM, MOST_ZOOM, (B,), generator)
    moved = amount * _uniform(-MOST_OFFSET, MOST_OFFSET, (B, 2), generator)
    down = _taps(h, zoom, moved[:, 0])[:, None, None]
    across = _taps(w, zoom, moved[:, 1])[:, None, None]
    return down @ values @ across.mT


def _taps(side: int, zoom: Float[Tensor, " B"], moved: Float[Tensor, " B"]) -> Float[Tensor, "B n m"]:
    """Matrices that read n pixels off m, each blended of its two neighbours."""
    place = (torch.arange(side) + 0.5 - side / 2)[None] - moved[:, None] * side
    place = (place / zoom[:, None] + side / 2 - 0.5).clamp(0, side - 1)
    return (1 - (place[:, :, None] - torch.arange(side)).abs()).clamp_min_(0)


def _recolour(values: Float[Tensor, "B T 3 h w"], frames: Frames, generator: Generator) -> None:
    """Give some rows another background, in place: `values` are this module's own."""
    chosen = torch.rand(len(values), generator=generator) < BACKGROUNDS
    new = _uniform(0, 255, (len(values), 3), generator)[chosen]
    old = commonest(frames[chosen, 0])
    if not len(old):
        return
    seen = values[chosen]
    away = (seen - old[:, None, :, None, None]).abs_().sum(2, keepdim=True)
    nearness = (1 - away / NEAR_LEVELS).clamp_(0, 1)
    values[chosen] = seen + nearness * (new - old)[:, None, :, None, None]


def commonest(frames: UInt8[Tensor, "B 3 h w"]) -> Float[Tensor, "B 3"]:
    """The colour that most pixels of each picture have."""
    levels = frames.flatten(2).int()
    packed = (levels[:, 0] << 16) | (levels[:, 1] << 8) | levels[:, 2]
    mode = packed.mode(dim=1).values if len(packed) else packed.new_zeros(0)
    return torch.stack([mode >> 16, (mode >> 8) & 255, mode & 255], 1).float()


def _tinted(values: Float[Tensor, "B T 3 h w"], generator: Generator, amount: float) -> Float[Tensor, "B T 3 h w"]:
    """Other colours (a turn about the grey axis, gains and biases of the channels), in light that falls unevenly."""
    B, _, _, h, w = values.shape
    mixed = _turns(amount * _uniform(-math.pi, math.pi, (B,), generator))
    mixed = mixed * (1 + amount * _uniform(-TINT, TINT, (B, 3, 1), generator))
    mixed = mixed * (1 + amount * (_uniform(*LIGHT, (B, 1, 1), generator) - 1))
    bias = amount * _uniform(-BIAS_LEVELS, BIAS_LEVELS, (B, 3, 1), generator)
    tinted = (mixed[:, None] @ values.flatten(3)).add_(bias[:, None]).unflatten(3, (h, w))
    slope = amount * _uniform(-GRADIENT, GRADIENT, (B, 2), generator)
    y, x = (torch.arange(n) / max(n - 1, 1) - 0.5 for n in (h, w))
    light = 1 + slope[:, :1, None] * y[:, None] + slope[:, 1:, None] * x
    return tinted.mul_(light[:, None, None])


def _turns(angle: Float[Tensor, " B"]) -> Float[Tensor, "B 3 3"]:
    """Rotations of colour about the grey axis."""
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    return cosine * torch.eye(3) + (1 - cosine) / 3 + sine * cross
