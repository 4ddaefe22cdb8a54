"""Muon: as the library's own, whose orthogonal matrices are rougher; orthogonal indeed; and only for matrices."""

import copy
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from monde.errors import ContractError
from monde.training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(64, 51), (32, 48), (128, 147), (5, 5)])
def test_singular_values_are_about_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.max() < 1.25
    assert values.min() > 0.1 if shape[0] == shape[1] else values.min() > 0.6
    assert torch.equal(orthogonal(torch.zeros(shape)), torch.zeros(shape))


def test_it_steps_as_the_library_does() -> None:
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Linear(12, 40, bias=False), nn.Tanh(), nn.Linear(40, 6, bias=False))
    theirs = copy.deepcopy(ours)
    before = copy.deepcopy(ours)
    optimisers = (
        Muon(ours.parameters(), lr=0.01, weight_decay=0.1),
        torch.optim.Muon(theirs.parameters(), lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
    )
    x, y = torch.randn(64, 12), torch.randn(64, 6)
    for _ in range(10):
        for module, optimiser in zip((ours, theirs), optimisers, strict=True):
            optimiser.zero_grad()
            cast(Tensor, (module(x) - y).square().mean()).backward()
            optimiser.step()
    for a, b, was in zip(ours.parameters(), theirs.parameters(), before.parameters(), strict=True):
        assert (a - b).norm() < 0.05 * (b - was).norm()


def test_vectors_are_refused() -> None:
    with pytest.raises(ContractError, match=r"\(3,\)"):
        Muon([nn.Parameter(torch.zeros(3))], lr=0.1, weight_decay=0.0)
