"""An ensemble of small MLPs evaluated as one batched product: the first source of several futures."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class EnsembleMLP(nn.Module):
    """E independent two-layer MLPs on one input (deep ensembles: Lakshminarayanan et al. 2017, arXiv 1612.01474).

    Args:
        members: E.
        inputs: Width of the input.
        hidden: Width in between, per member.
        outputs: Width of the output.
    """

    def __init__(self, members: int, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.members = members
        self.up = nn.Parameter(torch.empty(members, inputs, hidden))
        self.up_bias = nn.Parameter(torch.zeros(members, 1, hidden))
        self.down = nn.Parameter(torch.empty(members, hidden, outputs))
        self.down_bias = nn.Parameter(torch.zeros(members, 1, outputs))
        nn.init.uniform_(self.up, -1 / math.sqrt(inputs), 1 / math.sqrt(inputs))
        # A small last layer: members start as "nothing changes" and grow apart as they learn.
        nn.init.uniform_(self.down, -0.1 / math.sqrt(hidden), 0.1 / math.sqrt(hidden))

    def forward(self, x: Float[Tensor, "M i"]) -> Float[Tensor, "E M o"]:
        """Every member on every row of x [M, inputs]."""
        return self.each(x.expand(self.members, *x.shape))

    def each(self, x: Float[Tensor, "K M i"]) -> Float[Tensor, "K M o"]:
        """Member k on x[k], for the first K members."""
        K = x.shape[0]
        hidden = nn.functional.gelu(torch.baddbmm(self.up_bias[:K].to(x.dtype), x, self.up[:K].to(x.dtype)))
        return torch.baddbmm(self.down_bias[:K].to(x.dtype), hidden, self.down[:K].to(x.dtype))
