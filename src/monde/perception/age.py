"""How old a sample is, as part of what is seen."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from monde.nn import MLP


class AgeReader(nn.Module):
    """Corrects a sensor's features by how old the sample is: an MLP on both, which at first changes nothing.

    Args:
        features: Width of the features.
        hidden: Width of the MLP.
        rate_hz: The sensor's nominal rate: ages are told in its periods.
    """

    def __init__(self, features: int, hidden: int, rate_hz: float) -> None:
        super().__init__()
        self.rate_hz = rate_hz
        self.mlp = MLP(features + 2, hidden, features)
        nn.init.zeros_(self.mlp.down.weight)
        nn.init.zeros_(self.mlp.down.bias)

    def forward(self, features: Float[Tensor, "M f"], age_seconds: Float64[Tensor, " M"]) -> Float[Tensor, "M f"]:
        """The features, corrected. A negative age lies ahead of its step."""
        periods = (age_seconds * self.rate_hz).to(features.dtype)
        order = periods.sign() * periods.abs().log1p()
        told = torch.cat([features, periods.clamp(-10, 10)[:, None], order[:, None]], dim=1)
        return features + self.mlp(told).float()
