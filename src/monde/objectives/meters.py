"""Collapse is this field's silent failure: the loss goes down while the latents say less and less. These tell."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class CollapseMeters:
    """What the latents of one batch of clips look like.

    Args:
        effective_rank: Number of directions in use, 1 to D.
        latent_std: Mean over dimensions of the standard deviation over the batch (SIGReg aims at 1).
        motion_share: Share of the variance that lies *within* clips. Near 0, the latents encode only what never
            changes in a clip (a background, an occluder), and prediction is trivially good.
    """

    effective_rank: float
    latent_std: float
    motion_share: float

    def alarms(self, dims: int) -> list[str]:
        """Advice for each sign of collapse; empty when all is well.

        A rank below 2 is no alarm by itself: a world whose state is one number needs no more. It is one together with
        a small spread, or when nothing that moves is encoded.
        """
        found = []
        if self.latent_std < 0.05:
            found.append(
                f"the latents have collapsed to a point (spread {self.latent_std:.3g}, 1 is healthy): raise the "
                "regulariser's weight, or lower the learning rate"
            )
        elif self.effective_rank < min(2.0, 0.05 * dims):
            found.append(
                f"the latents use {self.effective_rank:.2f} of {dims} directions: raise the regulariser's weight, or "
                "add inverse dynamics"
            )
        if self.motion_share < 0.01:
            found.append(
                f"the latents encode what never changes (share of variance within clips {self.motion_share:.2g}): "
                "raise the regulariser's weight, use a larger batch, longer windows, or a longer action block"
            )
        return found


def effective_rank(latents: Float[Tensor, "M D"]) -> float:
    """exp of the entropy of the normalised singular values of the centred latents (RankMe, arXiv 2210.02885)."""
    values = torch.linalg.svdvals((latents - latents.mean(0)).double())
    total = values.sum()
    if float(total) <= 1e-12:
        return 1.0
    share = values / total
    return float(torch.exp(-(share * torch.log(share.clamp_min(1e-30))).sum()))


def measure_collapse(latents: Float[Tensor, "B T N D"]) -> CollapseMeters:
    """Meters over a batch of clips."""
    z = latents.detach().float()
    flat = z.flatten(0, 2)
    # Each of the N tokens against its own mean: what tells places of a frame apart does not move.
    total = z.flatten(0, 1).var(0, unbiased=False).sum()
    within = (z - z.mean(1, keepdim=True)).flatten(0, 1).square().mean(0).sum()
    return CollapseMeters(
        effective_rank=effective_rank(flat),
        latent_std=float(flat.std(0, unbiased=False).mean()),
        motion_share=float(within / total.clamp_min(1e-12)),
    )
