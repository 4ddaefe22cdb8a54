"""SIGReg's weight means the same whatever the batch, and it pushes towards an isotropic Gaussian."""

import math

import pytest
import torch

from monde.errors import ContractError
from monde.objectives import SIGReg


def plain(latents: torch.Tensor, directions: torch.Tensor, knots: int = 17, t_max: float = 3.0) -> torch.Tensor:
    """The Epps-Pulley distance written straight from the definition, and unbiased by leaving out i = j."""
    x = latents @ (directions / directions.norm(dim=0))
    M = len(x)
    t = torch.linspace(0, t_max, knots, dtype=x.dtype)
    phi = torch.exp(-t.square() / 2)
    pairs = (t[:, None, None, None] * (x[:, None] - x[None])).cos()  # [knots, M, M, P]
    modulus = (pairs.sum((1, 2)) - M) / (M * (M - 1))
    real = (t[:, None, None] * x).cos().mean(1)
    distance = modulus - 2 * phi[:, None] * real + phi[:, None].square()
    return 2 * torch.trapezoid(distance * phi[:, None], t, dim=0).mean()


def test_equals_the_definition() -> None:
    latents = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    sigreg = SIGReg(projections=32, reference_samples=1)
    directions = torch.randn(6, 32, generator=torch.Generator().manual_seed(5))
    expected = plain(latents, directions)
    torch.testing.assert_close(sigreg(latents, torch.Generator().manual_seed(5)), expected, atol=1e-5, rtol=1e-4)


def test_gradient_does_not_depend_on_the_batch() -> None:
    """The same population, seen 16 or 1024 at a time, pulls with the same force; the published form does not."""
    population = 0.4 * torch.randn(65_536, 4, generator=torch.Generator().manual_seed(1))
    sigreg = SIGReg(projections=64)

    def force(size: int) -> float:
        # d/ds of the statistic of s·x at s = 1: how strongly it wants the spread to grow (negative) or shrink.
        scale = torch.ones((), requires_grad=True)
        generator = torch.Generator().manual_seed(2)
        batches = population[:16_384].split(size)
        total = sum((sigreg(scale * batch, generator) for batch in batches), torch.zeros(()))
        (gradient,) = torch.autograd.grad(total / len(batches), scale)
        return float(gradient)

    small, large = force(16), force(1024)
    assert large < 0
    assert small == pytest.approx(large, rel=0.1)


def test_lowest_for_a_standard_gaussian() -> None:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(4096, 8, generator=generator)
    sigreg = SIGReg()
    candidates = {
        "gaussian": x,
        "narrow": 0.5 * x,
        "wide": 2 * x,
        "shifted": x + 0.5,
        "flat": torch.cat([x[:, :4], torch.zeros(4096, 4)], 1),
        "copied": torch.cat([x[:, :4], x[:, :4]], 1),
        "uniform": (torch.rand(4096, 8, generator=generator) - 0.5) * math.sqrt(12),
    }
    values = {name: float(sigreg(z, torch.Generator().manual_seed(4))) for name, z in candidates.items()}
    assert min(values, key=values.__getitem__) == "gaussian", values
    assert abs(values["gaussian"]) < 0.1


def test_needs_two_latents() -> None:
    with pytest.raises(ContractError, match="at least two"):
        SIGReg()(torch.zeros(1, 4), torch.Generator())
