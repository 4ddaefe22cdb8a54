"""Muon: as the library's own but for its rounding; orthogonal indeed; and only for matrices."""

import pytest
import torch
from torch import nn

from monde.errors import ContractError
from monde.training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(64, 51), (32, 48), (128, 147), (5, 5)])
def test_singular_values_are_about_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.max() < 1.25
    assert values.min() > 0.1 if shape[0] == shape[1] else values.min() > 0.6
    assert torch.equal(orthogonal(torch.zeros(shape)), torch.zeros(shape))


def test_it_steps_as_the_library_does_but_for_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own orthogonal matrices are of bfloat16; without that, step for step the same."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    generator = torch.Generator().manual_seed(0)
    shapes = ((40, 12), (6, 40))
    ours = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
    theirs = [nn.Parameter(weight.detach().clone()) for weight in ours]
    optimisers = (
        Muon(ours, lr=0.01, weight_decay=0.1),
        torch.optim.Muon(theirs, lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
    )
    for _ in range(10):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn(a.shape, generator=generator)
            b.grad = a.grad.clone()
        for optimiser in optimisers:
            optimiser.step()
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-5)


def test_a_closure_is_asked_for_the_gradients() -> None:
    weight = nn.Parameter(torch.ones(2, 3))
    optimiser = Muon([weight], lr=0.1, weight_decay=0.0)

    def closure() -> float:
        optimiser.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss.item()

    assert optimiser.step(closure) == 6
    assert (weight < 1).all()


def test_vectors_are_refused() -> None:
    with pytest.raises(ContractError, match=r"\(3,\)"):
        Muon([nn.Parameter(torch.zeros(3))], lr=0.1, weight_decay=0.0)
