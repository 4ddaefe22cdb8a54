import pytest
import torch

from monde.errors import ContractError, DataError
from monde.readouts import fit_linear
from monde.readouts.mlp import MLPReadoutConfig, fit_mlp


def test_it_reads_what_is_not_linear_in_its_features() -> None:
    x = torch.randn(1500, 6, generator=torch.Generator().manual_seed(0))
    y = 30 + 8 * torch.stack([x[:, 0] * x[:, 1], x[:, 2].abs()], dim=1)
    config = MLPReadoutConfig(hidden=64, dropout=0.0, epochs=30)
    readout = fit_mlp(x[:1200], y[:1200], config)
    straight = fit_linear(x[:1200, None], y[:1200], name="y", unit="px")
    error = (readout(x[1200:]) - y[1200:]).square().mean()
    assert error < 0.3 * (straight(x[1200:, None]) - y[1200:]).square().mean()
    assert torch.equal(fit_mlp(x[:1200], y[:1200], config)(x[1200:]), readout(x[1200:]))


def test_the_callers_random_state_is_left_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    fit_mlp(torch.zeros(20, 3), torch.zeros(20, 1), MLPReadoutConfig(epochs=1))
    assert torch.equal(torch.get_rng_state(), before)


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(DataError, match="at least 10"):
        fit_mlp(torch.zeros(4, 3), torch.zeros(4, 1))
    with pytest.raises(DataError, match="not finite"):
        fit_mlp(torch.full((20, 3), torch.nan), torch.zeros(20, 1))
    with pytest.raises(ContractError, match="does not fit"):
        fit_mlp(torch.zeros(20, 3), torch.zeros(20, 1), MLPReadoutConfig(epochs=1))(torch.zeros(2, 4))
    with pytest.raises(ContractError, match="out of limits"):
        MLPReadoutConfig(hidden=0)
