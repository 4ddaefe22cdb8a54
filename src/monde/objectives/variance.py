"""Variance and covariance terms: the alternative to SIGReg."""

import torch
from jaxtyping import Float
from torch import Tensor

from monde.nn import ranks, sum_over_ranks


def variance_covariance(latents: Float[Tensor, "M D"]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The hinge on each dimension's spread, and the squared off-diagonal covariance per dimension.

    VICReg (arXiv 2105.04906, equations 1 and 3) as PLDM (arXiv 2502.14819, section 3) applies it to latents; moments
    run over all processes.
    """
    M, D = latents.shape
    count = M * ranks()
    latents = latents.float()
    mean = sum_over_ranks(latents.sum(0)) / count
    centred = latents - mean
    covariance = sum_over_ranks(centred.T @ centred) / max(count - 1, 1)
    spread = (covariance.diagonal() + 1e-4).sqrt()
    off_diagonal = covariance.square().sum() - covariance.diagonal().square().sum()
    return torch.relu(1 - spread).mean(), off_diagonal / D
