import pytest
import torch
from torch import Tensor

from monde.errors import ContractError, DataError
from monde.readouts import SuccessProbabilityConfig, fit_success_probability

CONFIG = SuccessProbabilityConfig(names=("a", "b", "c"), epochs=60)


def _episodes(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Success depends on two heavy-tailed features; the third is noise."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(n, 3, generator=generator).exp()
    truth = torch.sigmoid(2 * features[:, 0].log() - 1.5 * features[:, 1].log() + 0.5)
    return features, torch.rand(n, generator=generator) < truth, truth


def test_it_learns_the_probability_and_not_only_the_answer() -> None:
    features, reached, _ = _episodes(1500, 0)
    head = fit_success_probability(features, reached, CONFIG)
    new, came, truth = _episodes(2000, 1)
    with torch.no_grad():
        said = head(new)
    error, base = (said - truth).square().mean(), (came.float().mean() - truth).square().mean()
    assert error < 0.1 * base
    again = fit_success_probability(features, reached, CONFIG)
    with torch.no_grad():
        torch.testing.assert_close(again(new), said)


def test_labels_of_chance_give_the_base_rate() -> None:
    features, _, _ = _episodes(600, 0)
    reached = torch.rand(600, generator=torch.Generator().manual_seed(2)) < 0.3
    head = fit_success_probability(features, reached, CONFIG)
    with torch.no_grad():
        said = head(_episodes(500, 3)[0])
    assert float((said - 0.3).abs().mean()) < 0.08


def test_what_cannot_be_learned_from_is_refused() -> None:
    features, reached, _ = _episodes(50, 0)
    with pytest.raises(DataError, match="success cannot be told from failure"):
        fit_success_probability(features, torch.ones(50, dtype=torch.bool), CONFIG)
    with pytest.raises(DataError, match="not finite"):
        fit_success_probability(features.log() * torch.inf, reached, CONFIG)
    with pytest.raises(ContractError, match="features are missing"):
        fit_success_probability(features, reached, CONFIG)(features[:, :2])
    with pytest.raises(ContractError, match="out of limits"):
        SuccessProbabilityConfig(names=())
