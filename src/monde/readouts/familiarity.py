"""How far a latent lies from all that was trained on."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError, DataError
from monde.types.checks import describe

REFERENCES = 4096
"""Training latents that are kept to compare with."""

QUANTILE = 0.999
"""Share of held-out latents that lie below the limit."""


class Familiarity(nn.Module):
    """Distance of a latent to the nearest of a sample of training latents, each feature in units of its spread.

    Nearest-neighbour distance needs no assumption on the shape of what is known (Sun et al. 2022, arXiv 2204.06507).

    Args:
        features: N·D of the latents.
        references: How many training latents are kept.
    """

    reference: Tensor
    mean: Tensor
    std: Tensor
    limit: Tensor

    def __init__(self, features: int, references: int) -> None:
        super().__init__()
        self.register_buffer("reference", torch.zeros(references, features))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        self.register_buffer("limit", torch.tensor(torch.inf))

    def distance(self, latents: Float[Tensor, "*batch N D"]) -> Float[Tensor, "*batch"]:
        """Root mean squared difference, over the features, to the nearest reference.

        Raises:
            ContractError: Latents of another size than it was made for.
        """
        flat = self.standard(latents)
        nearest = torch.cdist(flat.reshape(-1, flat.shape[-1]), self.reference).amin(1)
        return (nearest / self.reference.shape[1] ** 0.5).reshape(flat.shape[:-1])

    def gap(self, latents: Float[Tensor, "... N D"], others: Float[Tensor, "... N D"]) -> Float[Tensor, "..."]:
        """Root mean squared difference of two latents, in the same units; leading dimensions broadcast."""
        return (self.standard(latents) - self.standard(others)).square().mean(-1).sqrt()

    def standard(self, latents: Float[Tensor, "... N D"]) -> Float[Tensor, "... F"]:
        """Features in units of their spread."""
        flat = latents.flatten(-2)
        if flat.shape[-1] != len(self.mean):
            raise ContractError(
                "these latents cannot be compared with what was trained on",
                got=describe(latents),
                expected=f"N·D = {len(self.mean)}",
                remedy="fit trust on this model: monde trust RUN",
            )
        return (flat.to(self.mean.dtype) - self.mean) / self.std


@torch.no_grad()
def fit_familiarity(
    train: Float[Tensor, "M N D"], held_out: Float[Tensor, "m N D"], references: int = REFERENCES
) -> Familiarity:
    """Keep an evenly spaced sample of the training latents; the limit comes of held-out ones.

    Raises:
        DataError: Too few of either.
    """
    if len(train) < 2 or len(held_out) < 2:
        raise DataError(
            "what is familiar cannot be told", got=f"{len(train)} training and {len(held_out)} held-out frames"
        )
    flat = train.flatten(1).float()
    index = torch.linspace(0, len(flat) - 1, min(references, len(flat)), device=flat.device).round().long()
    found = Familiarity(flat.shape[1], len(index)).to(flat.device)
    found.mean.copy_(flat.mean(0))
    spread = flat.std(0)
    found.std.copy_(torch.where(spread > 1e-6, spread, torch.ones_like(spread)))
    found.reference.copy_((flat[index] - found.mean) / found.std)
    distances = torch.cat([found.distance(part) for part in held_out.split(1024)])
    found.limit.copy_(torch.quantile(distances, QUANTILE))
    return found
