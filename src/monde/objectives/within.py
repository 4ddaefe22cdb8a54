"""Variety within clips: some dimensions must tell what changes, since what never changes is predicted best."""

import torch
from jaxtyping import Float
from torch import Tensor

SPREAD = 0.7
"""Standard deviation within clips, of 1 in all, that is asked for."""

DECORRELATION = 0.1


def variety_within(latents: Float[Tensor, "B T N D"]) -> Float[Tensor, ""]:
    """How much these dimensions lack variety within clips: hinge on their spread, plus squared correlations.

    The variance and covariance terms of VICReg (arXiv 2105.04906, section 4.1), of differences from each clip's mean.
    """
    T = latents.shape[1]
    moved = (latents - latents.mean(1, keepdim=True)).flatten(0, 2)
    covariance = moved.T @ moved * (T / (T - 1) / len(moved))
    spread = (covariance.diagonal() + 1e-6).sqrt()
    correlation = covariance / (spread[:, None] * spread)
    others = correlation - torch.diag(correlation.diagonal())
    return torch.relu(SPREAD - spread).mean() + DECORRELATION * others.square().sum() / len(spread)
