import pytest
import torch
from torch import Tensor

from monde.errors import ContractError, DataError
from monde.readouts import fit_familiarity


def _steps(n: int, seed: int) -> Tensor:
    """[n, 2, 1, 2]: short steps on either side of a wall at x = 0, never across it."""
    generator = torch.Generator().manual_seed(seed)
    side = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    place = torch.rand(n, 2, generator=generator)
    place[:, 0] = (0.1 + place[:, 0]) * side
    after = place + 0.1 * torch.randn(n, 2, generator=generator)
    after[:, 0] = after[:, 0].abs().clamp_min(0.1) * side
    return torch.stack([place, after], 1)[:, :, None]


def test_both_sides_of_a_wall_are_familiar_and_the_way_through_it_is_not() -> None:
    known = fit_familiarity(_steps(4000, 0), _steps(4000, 1))
    new = _steps(500, 2)
    assert float((known.distance(new[:, 0]) > known.limit).float().mean()) < 0.02
    assert float((known.step(new[:, 0], new[:, 1]) > known.step_limit).float().mean()) < 0.02
    left, right = torch.tensor([[[-0.2, 0.5]]]), torch.tensor([[[0.2, 0.5]]])
    assert float(known.distance(left)) < float(known.limit)
    assert float(known.distance(right)) < float(known.limit)
    assert float(known.step(left, right)) > float(known.step_limit)
    assert float(known.distance(torch.tensor([[[5.0, 5.0]]]))) > float(known.limit)


def test_a_gap_is_measured_in_spreads() -> None:
    known = fit_familiarity(_steps(1000, 0), _steps(1000, 1))
    one, other = torch.zeros(3, 1, 2), torch.zeros(1, 1, 2)
    torch.testing.assert_close(known.gap(one, other), torch.zeros(3))
    torch.testing.assert_close(known.gap(one + known.std[None, None], other), torch.ones(3))


def test_what_does_not_fit_is_refused() -> None:
    known = fit_familiarity(_steps(100, 0), _steps(100, 1))
    with pytest.raises(ContractError, match="monde trust"):
        known.distance(torch.zeros(1, 1, 3))
    with pytest.raises(DataError, match="familiar"):
        fit_familiarity(_steps(1, 0), _steps(100, 1))


def test_what_is_strange_in_a_direction_that_hardly_varies_is_strange() -> None:
    """Another scene may lie in the midst of what is known but for features that were as good as constant."""
    random = torch.Generator().manual_seed(3)
    hidden = torch.randn(2400, 2, 1, 6, generator=random)
    mixed = torch.cat([hidden, hidden[..., :2] + 0.01 * torch.randn(2400, 2, 1, 2, generator=random)], -1)
    found = fit_familiarity(mixed[:2000], mixed[2000:])
    usual, other = mixed[2000:, 0], mixed[2000:, 0].clone()
    other[..., 6:] += 0.3  # a third of these features' spread, and thirty times what the first ones leave open
    assert (found.distance(usual) <= found.limit).float().mean() > 0.99
    assert bool((found.distance(other) > found.limit).all())
