"""Loss parts, meters, and the alternative regulariser."""

import pytest
import torch

from monde.errors import ContractError
from monde.objectives import (
    Imagined,
    Objective,
    ObjectiveConfig,
    Predictions,
    effective_rank,
    measure_collapse,
    variance_covariance,
)


def squared(predicted: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
    return (predicted - observed).square().mean(-1)


def test_total_is_the_weighted_sum_of_the_parts() -> None:
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(8, 4, 1, 6, generator=generator)
    actions = torch.randn(8, 3, 2, generator=generator)
    one_step, rollout = torch.randn(3, 8, 3, 1, 6, generator=generator), torch.randn(8, 2, 1, 6, generator=generator)
    for regulariser, names in (
        ("sigreg", {"sigreg": 0.3}),
        ("variance_covariance", {"variance": 0.3, "covariance": 0.012}),
    ):
        config = ObjectiveConfig(
            regulariser=regulariser,  # type: ignore[arg-type]
            regulariser_weight=0.3,
            rollout_weight=0.5,
            inverse_weight=2.0,
            context=2,
        )
        losses = Objective(config, 6, 2, squared)(
            latents, actions, Predictions(one_step, (Imagined(2, rollout),)), torch.Generator()
        )
        weights = {"prediction": 1.0, "rollout": 0.5, "inverse": 2.0} | names
        expected = sum(weights[name] * value for name, value in losses.parts.items() if name != "copy_last")
        torch.testing.assert_close(losses.total, expected)


def test_perfect_prediction_costs_nothing() -> None:
    latents = torch.randn(4, 4, 1, 6)
    predictions = Predictions(latents[None, :, 1:].expand(2, -1, -1, -1, -1), (Imagined(1, latents[:, 1:]),))
    losses = Objective(ObjectiveConfig(regulariser_weight=0), 6, 2, squared)(
        latents, torch.zeros(4, 3, 2), predictions, torch.Generator()
    )
    assert float(losses.total) == 0
    assert float(losses.parts["copy_last"]) > 0


def test_what_counts_more_is_learned_more() -> None:
    latents, actions = torch.randn(2, 4, 1, 3), torch.zeros(2, 3, 2)
    predictions = Predictions(latents[None, :, 1:] + 1, (Imagined(2, latents[:, 2:] + 2),))

    def parts(counted: torch.Tensor | None) -> list[float]:
        counts = None if counted is None else lambda latents: counted.expand(2, 4, 1)
        objective = Objective(ObjectiveConfig(regulariser_weight=0), 3, 2, squared, counts)
        losses = objective(latents, actions, predictions, torch.Generator())
        return [float(losses.parts[name]) for name in ("prediction", "rollout")]

    assert parts(None) == pytest.approx([1, 4])
    assert parts(torch.tensor([9.0, 1.0, 1.0, 4.0])[None, :, None]) == pytest.approx([2, 10])


def test_outliers_count_in_proportion_to_their_size() -> None:
    latents = torch.zeros(1, 2, 1, 4)

    def error(size: float, outliers: float | None) -> float:
        config = ObjectiveConfig(regulariser_weight=0.0, outliers=outliers)
        predictions = Predictions(torch.full((1, 1, 1, 1, 4), size))
        objective = Objective(config, 4, 2, squared)
        return float(objective(latents, torch.zeros(1, 1, 2), predictions, torch.Generator()).parts["prediction"])

    assert error(0.01, 0.1) == pytest.approx(error(0.01, None), rel=1e-2)  # small ones by their squares
    assert error(20.0, 0.1) / error(10.0, 0.1) == pytest.approx(2, rel=0.05)
    assert error(20.0, None) / error(10.0, None) == pytest.approx(4)
    with pytest.raises(ContractError, match="threshold"):
        ObjectiveConfig(outliers=0.0)


def test_variance_covariance_against_torch() -> None:
    x = torch.randn(100, 5) @ torch.randn(5, 5)
    variance, covariance = variance_covariance(x)
    matrix = torch.cov(x.T)
    torch.testing.assert_close(covariance, (matrix.square().sum() - matrix.diagonal().square().sum()) / 5)
    torch.testing.assert_close(variance, torch.relu(1 - (matrix.diagonal() + 1e-4).sqrt()).mean())


def test_effective_rank_counts_directions() -> None:
    x = torch.randn(4000, 16, generator=torch.Generator().manual_seed(0))
    assert 15.5 < effective_rank(x) <= 16
    assert 2.9 < effective_rank(x[:, :3] @ torch.eye(16)[:3]) <= 3.01
    assert effective_rank(torch.zeros(10, 4)) == 1


def test_meters_catch_each_way_to_collapse() -> None:
    generator = torch.Generator().manual_seed(0)
    healthy = torch.randn(64, 4, 1, 16, generator=generator)
    point = 1e-3 * healthy
    line = healthy[..., :1] * torch.ones(16)
    # What a static occluder did in the feasibility study: rich between clips, constant within them.
    static = torch.randn(64, 1, 1, 16, generator=generator).expand(-1, 4, -1, -1) + 1e-3 * healthy
    assert measure_collapse(healthy).alarms(16) == []
    assert "point" in measure_collapse(point).alarms(16)[0]
    assert "directions" in measure_collapse(line).alarms(64)[0]
    assert "never changes" in measure_collapse(static).alarms(16)[0]
