"""How things lie to each other: gaps between edges and between outlines, now and if all moved on as they do.

What happens where two things meet turns on parts of a pixel; of places across the frame a network would have to learn
differences a hundred times smaller than what it is told. Edges between nodes that tell distances are what learned
simulators live by (Sanchez-Gonzalez et al., arXiv 2002.09405, section 3; Allen et al., arXiv 2212.03574, section 3.2,
for faces that touch). All lengths are in pixels of a frame of 64, divided so that what matters is about one.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from monde.types.things import EDGES, LOOKS, PLACE

RELATIONS = 19
"""Numbers that `relations` tells of a pair."""

_PIXELS = 32.0
"""Pixels in one unit of places."""
_GAP, _SPEED, _DEPTH = 2.0, 4.0, 4.0
"""What gaps, speeds and depths are divided by."""
_MOST = 3.0
"""Bound of what is told, either way: what is far away is far away."""
_DEEPEST = 8.0
_APART = -2.0
"""Gap, px, from which on two things count as not in each other yet."""
_AREA = LOOKS.index("log_area")
_LARGEST = 1.6
"""`log_area` of 600 px, up to which a thing may count as round."""


def relations(looks: Float[Tensor, "B N G"], change: Float[Tensor, "B N G"]) -> Float[Tensor, "B N N R"]:
    """Of every pair (whom it happens to, who does it), seen from the first: gaps between facing edges and between round
    outlines, now and a step on; the direction, the relative and the closing velocity; and how far the two would be in
    each other a step on if nothing kept them apart, along that direction and square to the edges that face."""
    sides, outline, direction = _gaps(looks)
    sides_then, outline_then, _ = _gaps(looks + change)
    velocity = _PIXELS * _between(change[..., PLACE])
    closing = (velocity * direction).sum(dim=-1, keepdim=True)
    depth = (-outline_then).clamp(0, _DEEPEST) * (outline > _APART) / _DEPTH
    parts = [
        (torch.cat([sides, outline, sides_then, outline_then], dim=-1) / _GAP).clamp(-_MOST, _MOST),
        direction,
        (torch.cat([velocity, closing], dim=-1) / _SPEED).clamp(-_MOST, _MOST),
        depth * direction,
        _into(sides, sides_then),
    ]
    return torch.cat(parts, dim=-1)


def facing_edges(of: Float[Tensor, "*lead N G"], to: Float[Tensor, "*lead M G"]) -> Float[Tensor, "*lead N M 4"]:
    """Gaps, px, between the edges of each thing and the facing ones of each other: on its right, below it, on its left
    and above; negative where they lap over."""
    edges, others = _PIXELS * of[..., :, None, EDGES], _PIXELS * to[..., None, :, EDGES]
    return torch.cat([others[..., :2] - edges[..., 2:], edges[..., :2] - others[..., 2:]], dim=-1)


def _between(values: Float[Tensor, "B N k"]) -> Float[Tensor, "B N N k"]:
    return values[:, None] - values[:, :, None]


def _gaps(
    looks: Float[Tensor, "B N G"],
) -> tuple[Float[Tensor, "B N N 4"], Float[Tensor, "B N N 1"], Float[Tensor, "B N N 2"]]:
    """Gaps on the right, below, on the left and above, between round outlines, and the direction."""
    sides = facing_edges(looks, looks)
    away = _PIXELS * _between(looks[..., PLACE])
    distance = (away.square().sum(dim=-1, keepdim=True) + 1e-2).sqrt()
    radius = (2 * looks[..., _AREA, None].clamp(0, _LARGEST)).exp() / math.sqrt(math.pi)
    return sides, distance - radius[:, None] - radius[:, :, None], away / distance


def _into(now: Float[Tensor, "B N N 4"], then: Float[Tensor, "B N N 4"]) -> Float[Tensor, "B N N 2"]:
    """How far the boxes of two things would be in each other, along the axis on which they are apart now."""
    apart, met = (torch.maximum(gaps[..., :2], gaps[..., 2:]) for gaps in (now, then))
    meet = (met < 0).all(dim=-1, keepdim=True) & (apart.amax(dim=-1, keepdim=True) > _APART)
    across = apart[..., :1] > apart[..., 1:]
    along = torch.cat([across, ~across], dim=-1)
    side = torch.where(now[..., :2] > now[..., 2:], 1.0, -1.0)
    return side * (-met).clamp(0, _DEEPEST) / _DEPTH * (meet & along)
