"""Variety within clips."""

import math

import pytest
import torch

from monde.errors import ContractError
from monde.objectives import ObjectiveConfig
from monde.objectives.within import variety_within


def test_what_never_changes_lacks_all_variety_and_independent_motion_lacks_none() -> None:
    generator = torch.Generator().manual_seed(0)
    still = torch.randn(64, 1, 1, 8, generator=generator).expand(-1, 16, -1, -1)
    moving = torch.randn(64, 16, 1, 8, generator=generator)
    alike = moving[..., :1].expand(-1, -1, -1, 8)
    assert float(variety_within(still)) == pytest.approx(0.7, abs=0.01)
    assert float(variety_within(moving)) < 0.01
    assert float(variety_within(alike)) == pytest.approx(0.1 * 7, rel=0.05)


def test_its_gradient_sets_things_in_motion() -> None:
    generator = torch.Generator().manual_seed(0)
    latents = (0.1 * torch.randn(8, 4, 1, 6, generator=generator)).requires_grad_()
    variety_within(latents).backward()
    assert latents.grad is not None
    moved = (latents - latents.grad).detach()
    assert float(moved.var(1).mean()) > float(latents.detach().var(1).mean())


@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_what_is_no_weight_is_refused(weight: float) -> None:
    with pytest.raises(ContractError, match="within_weight is no weight"):
        ObjectiveConfig(within_weight=weight)
