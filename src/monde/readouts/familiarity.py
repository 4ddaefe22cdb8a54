"""How far a latent lies from all that was trained on."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError, DataError
from monde.types.checks import describe

REFERENCES = 8192
"""Training steps that are kept to compare with."""

ROWS_AT_ONCE = 2048
"""Rows compared at once: bounds the memory."""

QUANTILE = 0.999
"""Share of held-out latents that lie below the limit."""

NEGLIGIBLE = 1e-4
"""Variance, where features have 1, below which directions hardly count: what is left of rounding."""


class Familiarity(nn.Module):
    """Distance of a latent, or of a step from one to the next, to the nearest that was trained on.

    Nearest-neighbour distance needs no assumption on the shape of what is known (Sun et al. 2022, arXiv 2204.06507).
    Latents are whitened for it (Lee et al. 2018, arXiv 1807.03888): what is strange shows in directions that hardly
    vary in what is known, and counts there in units of that little. Steps tell what states cannot: both sides of a wall
    are familiar, and the way through it is not; they are compared feature by feature, each in units of its spread.

    Args:
        features: N·D of the latents.
        references: How many training steps are kept; `places` are their beginnings, whitened once, since every decision
            is compared with them.
    """

    before: Tensor
    after: Tensor
    places: Tensor
    whitening: Tensor
    mean: Tensor
    std: Tensor
    limit: Tensor
    step_limit: Tensor

    def __init__(self, features: int, references: int) -> None:
        super().__init__()
        self.register_buffer("before", torch.zeros(references, features))
        self.register_buffer("after", torch.zeros(references, features))
        self.register_buffer("places", torch.zeros(references, features))
        self.register_buffer("whitening", torch.eye(features))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        self.register_buffer("limit", torch.tensor(torch.inf))
        self.register_buffer("step_limit", torch.tensor(torch.inf))

    def distance(self, latents: Float[Tensor, "*batch N D"]) -> Float[Tensor, "*batch"]:
        """Root mean squared difference to the nearest reference, in all directions alike.

        Raises:
            ContractError: Latents of another size than it was made for.
        """
        flat = self.standard(latents) @ self.whitening
        return _nearest(flat.reshape(-1, flat.shape[-1]), self.places).reshape(flat.shape[:-1])

    def step(
        self, latents: Float[Tensor, "*batch N D"], following: Float[Tensor, "*batch N D"]
    ) -> Float[Tensor, "*batch"]:
        """The same for a step of one action block, over the features of both its ends."""
        ends = torch.cat([self.standard(latents), self.standard(following)], -1)
        known = torch.cat([self.before, self.after], 1)
        return _nearest(ends.reshape(-1, ends.shape[-1]), known).reshape(ends.shape[:-1])

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
def fit_familiarity(train: Float[Tensor, "M 2 N D"], held_out: Float[Tensor, "m 2 N D"]) -> Familiarity:
    """Keep training steps, from before to after an action block; the limits come of held-out ones.

    Raises:
        DataError: Too few of either.
    """
    if len(train) < 2 or len(held_out) < 2:
        raise DataError(
            "what is familiar cannot be told", got=f"{len(train)} training and {len(held_out)} held-out steps"
        )
    flat = train.flatten(2).float()
    found = Familiarity(flat.shape[2], len(flat)).to(flat.device)
    found.mean.copy_(flat.mean((0, 1)))
    spread = flat.flatten(0, 1).std(0)
    found.std.copy_(torch.where(spread > 1e-6, spread, torch.ones_like(spread)))
    found.before.copy_((flat[:, 0] - found.mean) / found.std)
    found.after.copy_((flat[:, 1] - found.mean) / found.std)
    variances, directions = torch.linalg.eigh(torch.cov(found.before.T).double())
    found.whitening.copy_(directions / (variances.clamp_min(0) + NEGLIGIBLE).sqrt())
    found.places.copy_(found.before @ found.whitening)
    found.limit.copy_(torch.quantile(found.distance(held_out[:, 0]), QUANTILE))
    found.step_limit.copy_(torch.quantile(found.step(held_out[:, 0], held_out[:, 1]), QUANTILE))
    return found


def _nearest(rows: Float[Tensor, "n F"], known: Float[Tensor, "M F"]) -> Float[Tensor, " n"]:
    nearest = torch.cat([torch.cdist(part, known).amin(1) for part in rows.split(ROWS_AT_ONCE)])
    return nearest / known.shape[1] ** 0.5
