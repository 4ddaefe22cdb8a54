"""Muon: momentum of each matrix, made orthogonal (Jordan et al. 2024; "Muon is Scalable", arXiv 2502.16982).

As `torch.optim.Muon` with its updates scaled like AdamW's, but orthogonalised in the matrices' own precision. That one
goes through bfloat16, which a processor without units for it takes fourteen times as long for: 50 instead of 3.5 ms for
the eleven thin matrices of an interaction network, of a training step of 311 ms.
"""

import math
from collections.abc import Callable, Iterable
from typing import overload

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError

_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Of Newton and Schulz's iteration: the steepest at zero, at the price of singular values from 0.7 to 1.2."""
_ITERATIONS = 5
"""Of it, as Jordan et al. have it."""
_MOMENTUM = 0.95
"""Share of the running mean of gradients that a step keeps."""
_LIKE_ADAMW = 0.2
"""Root mean square of AdamW's updates (arXiv 2502.16982, section 2.2)."""


class Muon(torch.optim.Optimizer):
    """Nesterov's momentum, orthogonalised, with decoupled weight decay.

    Args:
        matrices: Parameters of two dimensions.
        lr: In units of AdamW's.
        weight_decay: Share of the weights, times `lr`, that each step takes away.

    Raises:
        ContractError: A parameter that is no matrix.
    """

    def __init__(self, matrices: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.ndim != 2:
                    raise ContractError("Muon is for matrices", got=tuple(weight.shape), expected="two dimensions")

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step along the gradients that are there, or that `closure` makes; returns the loss that it tells."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            rate: float = group["lr"]
            decay: float = group["weight_decay"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum: Tensor = state["momentum"]
                momentum.lerp_(weight.grad, 1 - _MOMENTUM)
                update = orthogonal(weight.grad.lerp(momentum, _MOMENTUM))
                weight.mul_(1 - rate * decay)
                weight.add_(update, alpha=-rate * _LIKE_ADAMW * math.sqrt(max(weight.shape)))
        return loss


def orthogonal(matrix: Float[Tensor, "m n"]) -> Float[Tensor, "m n"]:
    """The matrix with singular values of about 1 (0.7 to 1.2) in place of its own, directions kept; those below some
    hundredth of the greatest come out smaller, and zeros stay zeros."""
    a, b, c = _QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if tall else matrix
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(_ITERATIONS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide.T if tall else wide
