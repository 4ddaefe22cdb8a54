from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from monde.errors import ContractError, DataError, StoreError
from monde.readouts import MLPReadoutConfig, TokenReadout, TokenReadoutConfig, fit_mlp, fit_tokens

FEW = TokenReadoutConfig(hidden=16, epochs=2)
COLOURS = torch.eye(3)
GROUPS = (0, 0, 1, 1, 2)
"""The place of what is red, the place of what is green, and how large is what is blue."""


def scenes(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Three things, each of another colour, and two files that hold nothing, in any order; and what is true of them."""
    generator = torch.Generator().manual_seed(seed)
    own = 2 * torch.rand(count, 3, 3, generator=generator) - 1  # x, y, size
    tokens = torch.cat([own, COLOURS.expand(count, 3, 3)], dim=-1)
    tokens = torch.cat([tokens, torch.zeros(count, 2, 6)], dim=1)
    values = torch.cat([32 * (own[:, 0, :2] + 1), 32 * (own[:, 1, :2] + 1), own[:, 2, 2:].exp()], dim=1)
    return shuffled(tokens, seed), values


def shuffled(tokens: Tensor, seed: int) -> Tensor:
    order = torch.rand(tokens.shape[:2], generator=torch.Generator().manual_seed(seed)).argsort(dim=1)
    return tokens.gather(1, order[..., None].expand_as(tokens))


@pytest.fixture(scope="module")
def readout() -> TokenReadout:
    tokens, values = scenes(1500)
    return fit_tokens(tokens, values, GROUPS, TokenReadoutConfig(hidden=16, epochs=40, batch=64))


def test_places_are_read_to_a_tenth_of_a_pixel_whatever_the_order(readout: TokenReadout) -> None:
    tokens, values = scenes(300, seed=1)
    off = (readout(tokens) - values).abs()
    assert off[:, :4].mean() < 0.1
    assert off[:, 4].mean() < 0.02
    assert torch.allclose(readout(shuffled(tokens, 7)), readout(tokens), atol=1e-3)
    assert torch.equal(readout(tokens[None, :, None])[0, :, 0], readout(tokens))


def test_more_files_that_hold_nothing_change_nothing(readout: TokenReadout) -> None:
    tokens, _ = scenes(50, seed=2)
    wider = torch.cat([tokens, torch.zeros(50, 4, 6)], dim=1)
    assert torch.allclose(readout(wider), readout(tokens), atol=1e-3)
    assert torch.isfinite(readout(torch.zeros(2, 5, 6))).all()


def test_whether_there_is_such_a_thing_is_read_too() -> None:
    tokens, values = scenes(600)
    gone = tokens[..., 3] * (torch.arange(600) % 2 == 0)[:, None] == 1  # what is red, of every other scene
    tokens = tokens.masked_fill(gone[..., None], 0.0)
    there = 1.0 - gone.any(dim=1, keepdim=True).float()
    known = torch.cat([(there > 0).expand(-1, 2), torch.ones(600, 4, dtype=torch.bool)], dim=1)
    config = TokenReadoutConfig(hidden=16, epochs=30, batch=64)
    readout = fit_tokens(tokens, torch.cat([values, there], dim=1), (*GROUPS, 0), config, known)
    assert ((readout(tokens)[:, 5] > 0.5) == (there[:, 0] > 0)).all()


def test_what_is_not_known_does_not_count() -> None:
    tokens, values = scenes(400)
    known = torch.ones_like(values, dtype=torch.bool)
    known[::2, :2] = False
    spoilt = torch.where(known, values, torch.full_like(values, 1e4))
    plain, told = (fit_tokens(tokens, given, GROUPS, FEW, known) for given in (values, spoilt))
    assert torch.equal(plain(tokens), told(tokens))


def test_it_is_made_again_from_its_state(readout: TokenReadout) -> None:
    tokens, _ = scenes(20, seed=4)
    assert TokenReadout.is_of(readout.state())
    again = TokenReadout.from_state(readout.state())
    assert torch.equal(again(tokens), readout(tokens))
    for left_out in ("network.groups", "mean", "network.last.bias"):
        with pytest.raises(StoreError, match="not the tensors"):
            TokenReadout.from_state({name: value for name, value in readout.state().items() if name != left_out})


def test_the_callers_random_state_is_left_alone() -> None:
    tokens, values = scenes(20)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    fit_tokens(tokens, values, GROUPS, FEW)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("groups", [(0, 0, 1, 1), (0, 0, 1, 1, 3), (0, 0, -1, 1, 2)])
def test_a_value_without_a_group_is_refused(groups: Sequence[int]) -> None:
    tokens, values = scenes(20)
    with pytest.raises(ContractError, match="belongs to a group"):
        fit_tokens(tokens, values, groups, FEW)


def test_what_cannot_be_fitted_is_refused(readout: TokenReadout) -> None:
    tokens, values = scenes(20)
    with pytest.raises(DataError, match="at least 10"):
        fit_tokens(tokens[:4], values[:4], GROUPS, FEW)
    with pytest.raises(DataError, match="at least 10"):
        fit_tokens(tokens, values[:15], GROUPS, FEW)
    for spoilt in (tokens * torch.nan, torch.zeros_like(tokens)):
        with pytest.raises(DataError, match="not finite"):
            fit_tokens(spoilt, values, GROUPS, FEW)
    with pytest.raises(ContractError, match="does not fit"):
        readout(tokens[..., :4])
    with pytest.raises(ContractError, match="out of limits"):
        TokenReadoutConfig(batch=0)


def test_the_state_of_another_readout_is_not_taken_for_it() -> None:
    flat, values = torch.randn(40, 4), torch.randn(40, 2)
    assert not TokenReadout.is_of(fit_mlp(flat, values, MLPReadoutConfig(hidden=8, epochs=1)).state())
