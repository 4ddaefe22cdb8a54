"""Batch normalisation whose statistics run over all processes, on any backend (torch's own needs a GPU for that)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.nn.ranks import ranks, sum_over_ranks


class BatchNorm(nn.Module):
    """Batch normalisation (arXiv 1502.03167) over dimension 1 of [M, C] or [M, C, h, w].

    A recording is mostly what never changes: the room, the table, the camera's view. Subtracting the batch's mean takes
    that away, so what moves is seen from the first step on. (Per-sample norms keep it and train slower: docs/log.md.)

    Args:
        features: C.
        affine: Whether a gain and a bias per channel are learned.
        momentum: Share of a new batch in the running statistics that evaluation uses.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, features: int, affine: bool = True, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, 1e-5
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))
        self.weight = nn.Parameter(torch.ones(features)) if affine else None
        self.bias = nn.Parameter(torch.zeros(features)) if affine else None

    def forward(self, x: Float[Tensor, "M C *space"]) -> Float[Tensor, "M C *space"]:
        """Normalised by this batch's statistics when training, by the running ones otherwise."""
        if self.training and ranks() > 1:
            return self._synchronised(x)
        return nn.functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum, self.eps
        )

    def _synchronised(self, x: Tensor) -> Tensor:
        dims = [0, *range(2, x.ndim)]
        count = x.numel() // x.shape[1] * ranks()
        wide = x.float()
        mean = sum_over_ranks(wide.sum(dims)) / count
        shape = [1, -1] + [1] * (x.ndim - 2)
        centred = wide - mean.reshape(shape)
        variance = sum_over_ranks(centred.square().sum(dims)) / count
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / max(count - 1, 1), self.momentum)
        normal = centred * (variance + self.eps).rsqrt().reshape(shape)
        if self.weight is not None and self.bias is not None:
            normal = normal * self.weight.reshape(shape) + self.bias.reshape(shape)
        return normal.to(x.dtype)
