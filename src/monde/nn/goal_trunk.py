"""The trunk of heads that look at where one is and where one wants to be."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.types.checks import describe


def trunk_layers(hidden: int, depth: int, outputs: int) -> nn.Sequential:
    """What follows a trunk's first layer: normalised hidden layers, and the last."""
    layers: list[nn.Module] = [nn.LayerNorm(hidden), nn.SiLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(hidden, hidden), nn.LayerNorm(hidden), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))


class GoalTrunk(nn.Module):
    """[z, g, z - g], standardised, through normalised hidden layers to `outputs` numbers.

    Args:
        features: N·D, numbers in the latent of one frame.
        hidden: Width of the hidden layers.
        depth: Hidden layers.
        outputs: Numbers that come out.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, features: int, hidden: int, depth: int, outputs: int) -> None:
        super().__init__()
        self.features = features
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        # The first layer is written as two, so that what depends on the goal alone is computed once for all samples.
        self.here = nn.Linear(features, hidden)
        self.there = nn.Linear(features, hidden, bias=False)
        self.layers = trunk_layers(hidden, depth, outputs)

    def standardise(self, latents: Float[Tensor, "M F"]) -> None:
        """Take mean and spread of the features from a set of latents."""
        self.mean.copy_(latents.mean(0))
        # A feature that never varies carries nothing; spread 1 leaves it near zero.
        std = latents.std(0)
        self.std.copy_(torch.where(std > 1e-6, std, torch.ones_like(std)))

    def forward(self, latents: Float[Tensor, "... N D"], goal: Float[Tensor, "... N D"]) -> Float[Tensor, "... o"]:
        """Outputs for latents and goals whose leading dimensions broadcast.

        Raises:
            ContractError: Latents of another size than it was made for.
        """
        return self.layers(self.here(self._features(latents)) + self.there(self._features(goal)))

    def _features(self, latents: Tensor) -> Tensor:
        flat = latents.flatten(-2)
        if flat.shape[-1] != self.features:
            raise ContractError(
                "a head does not fit these latents",
                got=describe(latents),
                expected=f"N·D = {self.features}",
                remedy="use the actor and the temporal distance that were fitted on this model",
            )
        return (flat.to(self.mean.dtype) - self.mean) / self.std
