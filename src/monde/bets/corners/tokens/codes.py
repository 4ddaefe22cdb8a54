"""`Codebook`: pictures as codes. Patches of 8 × 8 px are put by principal components and quantised twice over.

The second stage quantises what the first left (residual vector quantisation, arXiv 2107.03312, section III-C); both are
learned by k-means, so none of their codes dies. A frame is a row of 64 patches of two codes each.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

PATCH = 8
"""Side of a patch, px."""

CELLS = (64 // PATCH) ** 2
"""Patches of a picture."""

COMPONENTS = 32
"""Principal components that are kept of a patch."""

CODES = 256
"""Of one stage."""

STAGES = 2
"""Of quantisation: codes of a patch."""

ROUNDS = 8
"""Of k-means."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Codebook:
    """What was learned of patches.

    Args:
        mean: [192] of all patches, 0 to 1.
        axes: [192, COMPONENTS] principal components.
        centroids: [STAGES, CODES, COMPONENTS].
    """

    mean: Float[Tensor, " p"]
    axes: Float[Tensor, "p D"]
    centroids: Float[Tensor, "S V D"]

    @torch.no_grad()
    def encode(self, frames: UInt8[np.ndarray, "T 3 h w"]) -> Int[np.ndarray, "T N S"]:
        """Codes 1 to `CODES` of each patch, row by row."""
        left = (_patches(frames).to(self.mean.device) - self.mean) @ self.axes
        found = []
        for centroids in self.centroids:
            nearest = _nearest(left, centroids)
            left = left - centroids[nearest]
            found.append(nearest + 1)
        return torch.stack(found, dim=-1).view(len(frames), CELLS, STAGES).cpu().numpy()

    @torch.no_grad()
    def decode(self, codes: Int[np.ndarray, "T N S"]) -> UInt8[np.ndarray, "T 3 h w"]:
        """Pictures of codes."""
        given = torch.from_numpy(np.maximum(codes, 1) - 1).to(self.mean.device)
        put = sum((self.centroids[stage][given[..., stage]] for stage in range(STAGES)), torch.zeros(()).to(self.mean))
        patches = (put @ self.axes.T + self.mean).clamp(0, 1).mul(255).round().to(torch.uint8)
        side = 64 // PATCH
        grid = patches.view(-1, side, side, 3, PATCH, PATCH).permute(0, 3, 1, 4, 2, 5)
        return grid.reshape(-1, 3, 64, 64).cpu().numpy()

    def tensors(self) -> dict[str, Tensor]:
        """By name, to be stored."""
        return {"codebook.mean": self.mean, "codebook.axes": self.axes, "codebook.centroids": self.centroids}

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> "Codebook":
        """From what `tensors` named."""
        return cls(
            mean=tensors["codebook.mean"], axes=tensors["codebook.axes"], centroids=tensors["codebook.centroids"]
        )


@torch.no_grad()
def learn_codebook(frames: UInt8[np.ndarray, "T 3 h w"], patches: int, generator: torch.Generator) -> Codebook:
    """From some patches of these frames, half of them drawn evenly and half of them by their contrast.

    Args:
        frames: To learn from.
        patches: How many of their patches, at most.
        generator: Draws patches and first centroids.
    """
    every = _patches(frames)
    contrast = every.var(dim=1) + 1e-6
    half = max(CODES, min(patches, len(every)) // 2)
    even = torch.randint(len(every), (half,), generator=generator)
    rich = torch.multinomial(contrast, half, replacement=True, generator=generator)
    drawn = every[torch.cat([even, rich])]
    mean = drawn.mean(dim=0)
    _, axes = torch.linalg.eigh((drawn - mean).T @ (drawn - mean))
    axes = axes[:, -COMPONENTS:].contiguous()
    left = (drawn - mean) @ axes
    found = []
    for _ in range(STAGES):
        found.append(_means(left, generator))
        left = left - found[-1][_nearest(left, found[-1])]
    return Codebook(mean=mean, axes=axes, centroids=torch.stack(found))


def _means(points: Float[Tensor, "n D"], generator: torch.Generator) -> Float[Tensor, "V D"]:
    """k-means (Lloyd): a centroid that is nearest to none begins anew at a random point."""
    centroids = points[torch.randperm(len(points), generator=generator)[:CODES]].clone()
    for _ in range(ROUNDS):
        nearest = _nearest(points, centroids)
        sums = torch.zeros_like(centroids).index_add_(0, nearest, points)
        counts = torch.bincount(nearest, minlength=CODES).float()
        anew = points[torch.randint(len(points), (CODES,), generator=generator)]
        centroids = torch.where(counts[:, None] > 0, sums / counts.clamp(min=1)[:, None], anew)
    return centroids


def _nearest(points: Float[Tensor, "n D"], centroids: Float[Tensor, "V D"]) -> Int[Tensor, " n"]:
    return ((centroids**2).sum(dim=1) - 2 * (points @ centroids.T)).argmin(dim=1)


def _patches(frames: UInt8[np.ndarray, "T 3 h w"]) -> Float[Tensor, "n p"]:
    side = 64 // PATCH
    pictures = torch.from_numpy(np.ascontiguousarray(frames)).float() / 255
    cut = pictures.view(-1, 3, side, PATCH, side, PATCH).permute(0, 2, 4, 1, 3, 5)
    return cut.reshape(-1, 3 * PATCH * PATCH)
