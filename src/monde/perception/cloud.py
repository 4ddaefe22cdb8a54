"""Point clouds: what each point is like, pooled over points in ways that do not depend on their order or number.

Maxima of per-point features tell which things are there (PointNet, arXiv 1612.00593, section 4.2). Weighted centroids
tell where, to a fraction of a point's distance from the next, as those of pictures do (`monde.perception.focus`).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.nn import MLP, BatchNorm
from monde.perception.sense import SenseEncoder

FAINT = 1e-4
"""Weight of nothing at all, as a share of all points, beside which what is in focus must stand out."""


class CloudEncoder(SenseEncoder):
    """A shared MLP on every point; its maxima, K weighted centroids and their masses; a linear map beside an MLP.

    Args:
        columns: C, numbers of a point; the first three are x, y, z.
        width: Width of the shared MLP.
        foci: K.
        hidden: Width of the MLP on what was pooled.
        features: Width of the output.
    """

    def __init__(self, columns: int, width: int, foci: int, hidden: int, features: int) -> None:
        super().__init__(columns)
        self.points = nn.Sequential(
            nn.Linear(columns, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.weigh = nn.Linear(width, foci)
        told = width + 4 * foci
        self.norm = BatchNorm(told)
        self.linear = nn.Linear(told, features)
        self.mlp = MLP(told, hidden, features)

    def measured(self, values: Float[Tensor, "M P C"]) -> Float[Tensor, "n C"]:
        """The points that are none of the padding."""
        return values[(values[..., :3] != 0).any(-1)]

    def forward(self, values: Float[Tensor, "M P C"], mask: Bool[Tensor, "M P"] | None = None) -> Float[Tensor, "M f"]:
        """Points in metres to features [M, features]; padding changes nothing, an empty cloud is like no other."""
        there = (values[..., :3] != 0).any(-1) if mask is None else mask
        points = (values - self.mean) / self.std
        maps = self.points(points).float()
        most = maps.masked_fill(~there[..., None], -torch.inf).amax(1)
        most = torch.where(there.any(1, keepdim=True), most, torch.zeros_like(most))
        weights = (nn.functional.softplus(self.weigh(maps).float()).square() * there[..., None]).transpose(1, 2)
        with torch.autocast(values.device.type, enabled=False):  # a centroid in bfloat16 would be millimetres off
            weights = weights / there.sum(1)[:, None, None].clamp(min=1)
            mass = weights.sum(-1, keepdim=True) + FAINT
            centroids = weights @ points[..., :3] / mass
        told = torch.cat([most, centroids.flatten(1), mass.flatten(1).log()], dim=1)
        told = self.norm(told)
        return self.linear(told) + self.mlp(told)
