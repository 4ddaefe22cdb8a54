"""SIGReg: keep the latents' distribution an isotropic Gaussian, so that they cannot collapse."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from monde.errors import ContractError
from monde.nn import ranks, sum_over_ranks


class SIGReg(nn.Module):
    """Sketched isotropic Gaussian regularisation (LeJEPA, arXiv 2511.08544, section 4; used by LeWM, 2603.19312).

    Random one-dimensional projections of the latents are compared with N(0, 1) by the Epps-Pulley statistic: the
    weighted squared distance between the empirical and the Gaussian characteristic function.

    Two departures keep its weight meaning the same thing whatever the batch and the number of processes:

    - The published statistic is n times the squared distance. Ours is `reference_samples` times it, so doubling the
      batch does not double the weight.
    - The squared modulus of an empirical characteristic function is biased by (1 - |φ|²)/n: over few samples the
      gradient of that bias *shrinks* the latents. Ours is the unbiased estimate; its expectation, and that of its
      gradient, do not depend on n. (It can be slightly negative.)
    - Sums run over all processes, with gradients.

    Args:
        projections: Random directions, fresh at every call.
        knots: Points of the integral over t in [0, t_max].
        t_max: Upper end of the integral.
        reference_samples: The n of the published statistic at which weights were tuned (LeWM: batches of 128).
    """

    t: Tensor
    phi: Tensor
    weights: Tensor

    def __init__(
        self, projections: int = 256, knots: int = 17, t_max: float = 3.0, reference_samples: int = 128
    ) -> None:
        super().__init__()
        self.projections, self.reference_samples = projections, reference_samples
        t = torch.linspace(0, t_max, knots)
        trapezoid = torch.full((knots,), 2 * t_max / (knots - 1))
        trapezoid[[0, -1]] /= 2
        phi = torch.exp(-t.square() / 2)
        self.register_buffer("t", t, persistent=False)
        self.register_buffer("phi", phi, persistent=False)
        self.register_buffer("weights", trapezoid * phi, persistent=False)

    def forward(self, latents: Float[Tensor, "M D"], generator: Generator) -> Float[Tensor, ""]:
        """The statistic over M latents of this process and those of all others.

        Raises:
            ContractError: Fewer than two latents in all.
        """
        M, D = latents.shape
        count = M * ranks()
        if count < 2:
            raise ContractError("SIGReg needs at least two latents", got=count, expected="a batch of 2 or more")
        # Drawn on the CPU so that one seed means the same directions on every device and every rank.
        directions = torch.randn(D, self.projections, generator=generator).to(latents.device)
        directions = directions / directions.norm(dim=0)
        projected = latents.float() @ directions
        # cos and sin of k·x for evenly spaced knots, by the addition theorem: one cos and sin instead of `knots`.
        step = projected * self.t[1]
        cos1, sin1 = step.cos(), step.sin()
        cos, sin = torch.ones_like(step), torch.zeros_like(step)
        sums = [torch.stack([cos.sum(0), sin.sum(0)])]
        for _ in range(len(self.t) - 1):
            cos, sin = cos * cos1 - sin * sin1, sin * cos1 + cos * sin1
            sums.append(torch.stack([cos.sum(0), sin.sum(0)]))
        real, imaginary = sum_over_ranks(torch.stack(sums, dim=-1)).unbind(0)  # [projections, knots] each
        real, imaginary = real / count, imaginary / count
        modulus = (count * (real.square() + imaginary.square()) - 1) / (count - 1)
        distance = modulus - 2 * self.phi * real + self.phi.square()
        return self.reference_samples * (distance @ self.weights).mean()
