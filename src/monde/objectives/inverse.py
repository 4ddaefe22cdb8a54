"""Inverse dynamics: which action led from here to there. Keeps what the agent controls in the latent."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.nn import MLP


class InverseDynamics(nn.Module):
    """Predicts the (normalised) action block between two latents; the loss is its squared error.

    SIGReg and prediction alone may drop controllable directions; this term mends that (PLDM, arXiv 2502.14819).
    """

    def __init__(self, latent: int, actions: int, hidden: int = 256) -> None:
        super().__init__()
        self.mlp = MLP(2 * latent, hidden, actions)

    def forward(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"]) -> Float[Tensor, ""]:
        """Mean squared error over the U = T - 1 transitions; tokens of a frame are averaged."""
        pooled = latents.mean(2)
        pairs = torch.cat([pooled[:, :-1], pooled[:, 1:]], dim=-1)
        return (self.mlp(pairs) - actions).square().mean()
