from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from monde.errors import ContractError, DataError, StoreError
from monde.readouts import LinearReadout, fit_linear
from monde.store import save_artefact


def _data(n: int = 400, noise: float = 0.0) -> tuple[Tensor, Tensor]:
    generator = Generator().manual_seed(0)
    # Features of very different scales, and one that never varies.
    scales = torch.tensor([1e-3, 1.0, 100.0, 1.0, 1.0, 0.0])
    latents = torch.randn(n, 2, 3, generator=generator) * scales.reshape(2, 3) + 5
    weight = torch.randn(6, 2, generator=generator) / scales.clamp_min(1e-3)[:, None]
    values = (latents.flatten(1) - 5) @ weight + torch.tensor([32.0, -4.0])
    return latents, values + noise * torch.randn(n, 2, generator=generator)


def test_it_recovers_a_linear_map_in_physical_units() -> None:
    latents, values = _data()
    readout = fit_linear(latents[:300], values[:300], name="position", unit="px", names=("x", "y"))
    torch.testing.assert_close(readout(latents[300:]), values[300:], atol=1e-2, rtol=1e-3)
    assert (readout.unit, readout.names) == ("px", ("x", "y"))


def test_it_reads_latents_of_any_leading_shape() -> None:
    latents, values = _data()
    readout = fit_linear(latents, values, name="position", unit="px")
    stacked = latents[:24].reshape(2, 3, 4, 2, 3)
    torch.testing.assert_close(readout(stacked).reshape(24, 2), readout(latents[:24]))


def test_noise_calls_for_a_larger_penalty() -> None:
    generator = Generator().manual_seed(1)
    latents = torch.randn(60, 1, 40, generator=generator)
    clean = latents[:, 0, :1]
    noise = 3 * torch.randn(60, 1, generator=generator)
    exact = fit_linear(latents, clean, name="a", unit="1")
    noisy = fit_linear(latents, clean + noise, name="a", unit="1")
    assert noisy.penalty > exact.penalty


def test_it_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    latents, values = _data()
    readout = fit_linear(latents, values, name="position", unit="px", names=("x", "y"))
    readout.save(tmp_path / "position")
    loaded = LinearReadout.load(tmp_path / "position")
    assert torch.equal(loaded(latents), readout(latents))
    assert (loaded.name, loaded.unit, loaded.names, loaded.penalty) == ("position", "px", ("x", "y"), readout.penalty)


def test_another_artefact_is_refused(tmp_path: Path) -> None:
    save_artefact(tmp_path / "other", "readout", {"weight": torch.zeros(2)}, {"type": "decoder"})
    with pytest.raises(StoreError, match="linear"):
        LinearReadout.load(tmp_path / "other")


def test_latents_of_another_model_are_refused() -> None:
    latents, values = _data()
    readout = fit_linear(latents, values, name="position", unit="px")
    with pytest.raises(ContractError, match="N·D = 6"):
        readout(torch.zeros(4, 1, 7))


def test_data_that_cannot_be_fitted_is_refused() -> None:
    latents, values = _data()
    broken = values.clone()
    broken[3, 1] = torch.nan
    for x, y in ((latents[:5], values[:5]), (latents, values[:-1]), (latents, broken), (latents * torch.inf, values)):
        with pytest.raises(DataError):
            fit_linear(x, y, name="position", unit="px")
