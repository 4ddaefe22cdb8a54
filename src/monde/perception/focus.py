"""Pooling by attention for frames of few small things: where each thing is, how large, and what it looks like.

A strided CNN that is flattened tells a small object's place only coarsely and loses its colour among the scene's. Here
maps of high resolution are pooled by learned weights: their centroid is a place to a fraction of a pixel (spatial
softmax: Finn et al., arXiv 1509.06113, section 5), and features pooled by the same weights are an appearance.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.nn import BatchNorm

DARK = 16 / 127.5
"""Added to both sides of the ratio to the frame's own colour, of 2 for white: where all is black, nothing is seen."""

FAINT = 3e-3
"""Weight of nothing at all, beside which what is in focus must stand out."""


class FocusEncoder(nn.Module):
    """Two convolutions, K weighted poolings of their map, and a linear map beside an MLP on what these tell.

    Frames are first taken relative to their own median colour, so that light which goes out for a moment changes
    little. The convolutions have no biases, and the first begins blind to flat colour: an empty background weighs
    next to nothing, whatever it is like. Weights are squared, so that what stands out most counts.

    Args:
        channels: Image channels.
        height: Frame height in pixels.
        width: Frame width in pixels.
        base: C, channels of both convolutions.
        foci: K.
        hidden: Width of the MLP.
        features: Width of the output.
        colours: Whether frames are colours, -1..1, which are taken relative to their median; other frames are seen as
            they are.
    """

    grid: Tensor

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        base: int,
        foci: int,
        hidden: int,
        features: int,
        colours: bool = True,
    ) -> None:
        super().__init__()
        self.colours = colours
        self.near = nn.Conv2d(channels, base, 5, 2, 2, bias=False)
        self.wide = nn.Conv2d(base, base, 3, 1, 1, bias=False)
        self.weigh = nn.Linear(base, foci, bias=False)
        for layer in (self.near, self.wide, self.weigh):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        with torch.no_grad():
            self.near.weight.sub_(self.near.weight.mean((2, 3), keepdim=True))
        self.register_buffer("grid", _grid((height + 1) // 2, (width + 1) // 2), persistent=False)
        told = foci * (self.grid.shape[1] + base)
        self.norm = BatchNorm(told)
        self.linear = nn.Linear(told, features)
        self.mlp = nn.Sequential(nn.Linear(told, hidden), nn.SiLU(), nn.Linear(hidden, features))

    def forward(self, frames: Float[Tensor, "M C h w"]) -> Float[Tensor, "M f"]:
        """Frames scaled to -1..1 to features [M, features]."""
        seen = (relative(frames).to(frames.dtype) if self.colours else frames).contiguous(
            memory_format=torch.channels_last
        )
        maps = self.wide(self.near(seen).relu_()).relu_().permute(0, 2, 3, 1).flatten(1, 2)  # [M, P, base]
        weighed = torch.matmul(self.weigh.weight.to(maps.dtype), maps.transpose(1, 2)).relu_()  # [M, K, P]
        weights = weighed * weighed
        told = self.norm(torch.cat(_pooled(weights, maps, self.grid), dim=1))
        return self.linear(told) + self.mlp(told)


def relative(frames: Float[Tensor, "M C h w"]) -> Float[Tensor, "M C h w"]:
    """Logarithm of the ratio of each colour, -1..1, to the median of its frame (over every fourth row and column)."""
    logs = (frames.float() + (1 + DARK)).log()
    return logs - logs[:, :, ::4, ::4].flatten(2).median(dim=2).values[:, :, None, None]


def _pooled(
    weights: Float[Tensor, "M K P"], maps: Float[Tensor, "M P C"], grid: Float[Tensor, "P 6"]
) -> tuple[Float[Tensor, "M n"], ...]:
    """Centroids, spreads, log masses and mean features of each weighting."""
    looks = weights @ maps
    with torch.autocast(weights.device.type, enabled=False):  # a centroid in bfloat16 would be half a pixel off
        moments = (weights.flatten(0, 1).float() @ grid).unflatten(0, weights.shape[:2])
        mass = moments[..., :1] + FAINT
        x, y, xx, xy, yy = (moments[..., 1:] / mass).unbind(-1)
        told = torch.stack([x, y, xx - x * x, xy - x * y, yy - y * y], dim=-1)
        return told.flatten(1), (looks.float() / mass).flatten(1), mass.log().flatten(1)


def _grid(height: int, width: int) -> Float[Tensor, "P 6"]:
    """1, x, y, x², xy and y² of each place of a map, -1..1."""
    y, x = torch.meshgrid(*(((torch.arange(n) + 0.5) / n * 2 - 1) for n in (height, width)), indexing="ij")
    return torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y], dim=-1).flatten(0, 1)
