"""Old frames in a new look: a camera, a light and a map of colours, fitted so that what stands still and what moves
looks in the old frames as it does in the new ones. No frame of one recording need correspond to one of the other.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor, nn

from monde.nn import MLP

MOVING_LEVELS = 60.0
"""Difference (levels, summed over channels) to the still picture from which on a pixel belongs to what moves."""

SCALES = (1, 4, 8)
"""Pictures are compared at these scales, so that a camera which is far off still finds its way."""

PIXELS = 1024
"""Pixels of each kind that are compared in a step."""

Frames = UInt8[Tensor, "M 3 h w"]


@dataclass(frozen=True)
class Scenery:
    """What episodes look like.

    Args:
        still: [E, 3, h, w] the median picture of each episode, levels of 0 to 1.
        moving: [P, 3] colours of the pixels that differ from it; none where nothing moves.
    """

    still: Float[Tensor, "E 3 h w"]
    moving: Float[Tensor, "P 3"]


def scenery(episodes: list[Frames]) -> Scenery:
    """What stands still and what moves in some episodes of one camera."""
    still, moving = [], []
    for frames in episodes:
        median = frames.median(0).values
        away = (frames.int() - median.int()).abs().sum(1) > MOVING_LEVELS
        moving.append(frames.permute(0, 2, 3, 1)[away])
        still.append(median)
    return Scenery(torch.stack(still).float() / 255, torch.cat(moving).float() / 255)


class Repaint(nn.Module):
    """Pictures [M, 3, h, w] of levels 0 to 1 as another camera would show them, in other colours and another light."""

    def __init__(self) -> None:
        super().__init__()
        self.log_zoom = nn.Parameter(torch.zeros(2))
        self.moved = nn.Parameter(torch.zeros(2))
        self.slope = nn.Parameter(torch.zeros(2))
        self.gain = nn.Parameter(torch.zeros(3))
        self.colour = MLP(3, 32, 3)
        last = [module for module in self.colour.modules() if isinstance(module, nn.Linear)][-1]
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, pictures: Float[Tensor, "M 3 h w"]) -> Float[Tensor, "M 3 h w"]:
        """The camera first, then colours, then light."""
        h, w = pictures.shape[-2:]
        down, across = (self._taps(side, axis) for axis, side in enumerate((h, w)))
        seen = self.coloured((down @ pictures @ across.T).movedim(1, -1)).movedim(-1, 1)
        y, x = (torch.arange(side) / max(side - 1, 1) - 0.5 for side in (h, w))
        return seen * (1 + self.slope[0] * y[:, None] + self.slope[1] * x)

    def coloured(self, colours: Float[Tensor, "*lead 3"]) -> Float[Tensor, "*lead 3"]:
        """Colours in the new look, in the middle of the picture."""
        return colours * self.gain.exp() + self.colour(colours)

    def _taps(self, side: int, axis: int) -> Float[Tensor, "n m"]:
        place = torch.arange(side) + 0.5 - side / 2 - self.moved[axis] * side
        place = (place * (-self.log_zoom[axis]).exp() + side / 2 - 0.5).clamp(0, side - 1)
        return (1 - (place[:, None] - torch.arange(side)).abs()).clamp_min(0)


def fit_repaint(old: Scenery, new: Scenery, generator: Generator, steps: int = 200) -> Repaint:
    """The camera, colours and light that make the old scenery look like the new one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
        repaint = Repaint()
    camera = [repaint.log_zoom, repaint.moved]
    others = [p for p in repaint.parameters() if all(p is not known for known in camera)]
    optimiser = torch.optim.Adam([{"params": camera, "lr": 0.005}, {"params": others, "lr": 0.01}])
    rates = [group["lr"] for group in optimiser.param_groups]
    wanted = new.still.mean(0)
    for step in range(steps):
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * step / steps))
        rows = torch.randint(len(old.still), (min(8, len(old.still)),), generator=generator)
        painted = repaint(old.still[rows])
        found = painted.mean(0)
        loss = sum((_coarse(found, scale) - _coarse(wanted, scale)).abs().mean() for scale in SCALES)
        loss = loss + _apart(painted.movedim(1, -1).reshape(-1, 3), new.still.movedim(1, -1).reshape(-1, 3), generator)
        if len(old.moving) and len(new.moving):
            loss = loss + _apart(repaint.coloured(_some(old.moving, generator)), new.moving, generator)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    return repaint.requires_grad_(False)


def _coarse(picture: Float[Tensor, "3 h w"], scale: int) -> Float[Tensor, "3 a b"]:
    return picture if scale == 1 else nn.functional.avg_pool2d(picture, min(scale, *picture.shape[-2:]))


def _some(colours: Float[Tensor, "P 3"], generator: Generator) -> Float[Tensor, "n 3"]:
    return colours[torch.randint(len(colours), (PIXELS,), generator=generator)]


def _apart(one: Float[Tensor, "P 3"], other: Float[Tensor, "Q 3"], generator: Generator) -> Float[Tensor, ""]:
    """Sliced Wasserstein distance of two sets of colours, over the channels and random directions."""
    ways = torch.cat([torch.eye(3), nn.functional.normalize(torch.randn(5, 3, generator=generator), dim=1)])
    sides = [(_some(colours, generator) @ ways.T).sort(0).values for colours in (one, other)]
    return (sides[0] - sides[1]).abs().mean()
