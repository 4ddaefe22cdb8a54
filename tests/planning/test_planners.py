"""What is particular to iCEM, MPPI and gradient planning."""

import math

import pytest
import torch
from torch import Generator, Tensor

from monde.errors import ContractError, PlanningError
from monde.planning import GradientConfig, GradientPlanner, ICEMConfig, ICEMPlanner, MPPIConfig
from monde.planning.mppi import path_weights
from monde.planning.noise import coloured
from monde.types import ActionSpec, Problem, Rollout

BOX = ActionSpec(low=(-1.0, 0.0), high=(1.0, 4.0), block=2, dt_seconds=0.1)
GRADIENT = GradientPlanner(GradientConfig(horizon=3, samples=8, restarts=4, steps=30))


def _generator() -> Generator:
    return Generator().manual_seed(0)


def _bowl(rollout: Rollout, actions: Tensor) -> Tensor:
    return (rollout.latents - 0.3).square().sum((2, 3, 4, 5))


def _identity(actions: Tensor) -> Rollout:
    return Rollout(actions[:, :, None, :, None])


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0, 3.0])
def test_noise_has_unit_variance_and_the_spectrum_asked_for(beta: float) -> None:
    spec = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=4, dt_seconds=0.1)
    white = torch.randn(4000, 16, 8, generator=_generator())
    steps = coloured(white, spec, beta).reshape(4000, 64, 2)
    assert steps.std().item() == pytest.approx(1.0, abs=0.03)
    power = torch.fft.rfft(steps, dim=1).abs().square().mean((0, 2))[1:-1]
    frequency = torch.arange(1, len(power) + 1)
    slope = torch.linalg.lstsq(
        torch.stack([frequency.log(), torch.ones_like(power)], 1), power.log()[:, None]
    ).solution[0]
    assert slope.item() == pytest.approx(-beta, abs=0.1)


def test_noise_of_one_control_step_stays_as_it_is() -> None:
    spec = ActionSpec(low=(-1.0,), high=(1.0,), dt_seconds=0.1)
    white = torch.randn(5, 1, 1, generator=_generator())
    torch.testing.assert_close(coloured(white, spec, 2.0), white)


def test_icem_draws_fewer_in_each_round() -> None:
    config = ICEMConfig(horizon=2, samples=100, rounds=4, elites=10, decay=2.0)
    assert [config.population(index) for index in range(4)] == [100, 50, 25, 20]
    plan = ICEMPlanner(config).plan(Problem(_identity, _bowl, BOX, 1), _generator())
    assert plan.samples == 1 + 100 + 50 + 25 + 20


def test_path_weights_ignore_scale_and_offset_and_what_is_rejected() -> None:
    energies = torch.tensor([[1.0, 2.0, 4.0, math.inf]])
    weights = path_weights(energies, 0.5)
    # The mean above the least is 4/3.
    expected = torch.exp(-torch.tensor([0.0, 1.0, 3.0]) / (0.5 * 4 / 3))
    torch.testing.assert_close(weights[0, :3], expected / expected.sum())
    assert weights[0, 3] == 0
    torch.testing.assert_close(path_weights(1000 * energies - 7, 0.5), weights)
    torch.testing.assert_close(path_weights(torch.ones(1, 4), 0.5), torch.full((1, 4), 0.25))
    assert torch.equal(path_weights(torch.full((1, 4), math.inf), 0.5), torch.zeros(1, 4))


def test_gradient_descends_to_the_bottom() -> None:
    plan = GRADIENT.plan(Problem(_identity, _bowl, BOX, 2), _generator())
    torch.testing.assert_close(plan.actions, torch.full_like(plan.actions, 0.3), atol=0.05, rtol=0)
    BOX.check(plan.actions, tolerance=0.0)
    assert not plan.actions.requires_grad
    assert not plan.cost_after.requires_grad
    assert not plan.rollout.latents.requires_grad


def test_gradient_works_where_the_caller_wants_none() -> None:
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            plan = GRADIENT.plan(Problem(_identity, _bowl, BOX, 2), _generator())
        assert bool((plan.cost_after < 0.1 * plan.cost_before).all())


def _without(actions: Tensor) -> Rollout:
    with torch.no_grad():
        return Rollout(actions[:, :, None, :, None].clone())


def _numpy(actions: Tensor) -> Rollout:
    return Rollout(torch.from_numpy(actions.numpy())[:, :, None, :, None])


def _weighted(actions: Tensor) -> Rollout:
    weight = torch.ones(1, requires_grad=True)
    return Rollout(weight * actions.detach()[:, :, None, :, None])


def _effort(rollout: Rollout, actions: Tensor) -> Tensor:
    return actions.square().sum((2, 3))


def _detached(rollout: Rollout, actions: Tensor) -> Tensor:
    return _bowl(rollout, actions).detach()


@pytest.mark.parametrize(
    ("imagine", "cost"),
    [(_without, _bowl), (_without, _effort), (_numpy, _bowl), (_weighted, _bowl), (_identity, _detached)],
)
def test_what_cannot_be_differentiated_is_said_to_be_so(imagine: object, cost: object) -> None:
    with pytest.raises(PlanningError, match="cannot be differentiated"):
        GRADIENT.plan(Problem(imagine, cost, BOX, 2), _generator())  # type: ignore[arg-type]


def test_a_gradient_that_is_not_a_number_is_an_error() -> None:
    def root(rollout: Rollout, actions: Tensor) -> Tensor:
        return (0 * rollout.latents).sum((2, 3, 4, 5)).sqrt()

    with pytest.raises(PlanningError, match="gradient of the cost is not finite"):
        GRADIENT.plan(Problem(_identity, root, BOX, 2), _generator())


@pytest.mark.parametrize(
    ("config", "field", "value"),
    [
        (ICEMConfig, "beta", -1.0),
        (ICEMConfig, "beta", math.nan),
        (ICEMConfig, "decay", 0.5),
        (ICEMConfig, "kept", 1.5),
        (ICEMConfig, "elites", 0),
        (ICEMConfig, "horizon", 0),
        (MPPIConfig, "temperature", 0.0),
        (MPPIConfig, "temperature", math.inf),
        (MPPIConfig, "horizon", 0),
        (MPPIConfig, "proposals", -1),
        (GradientConfig, "restarts", 0),
        (GradientConfig, "restarts", 33),
        (GradientConfig, "learning_rate", 0.0),
        (GradientConfig, "steps", 0),
        (GradientConfig, "horizon", 0),
    ],
)
def test_settings_out_of_range_are_named(config: type, field: str, value: float) -> None:
    with pytest.raises(PlanningError, match="steps|rounds" if field == "steps" else field):
        config(**{field: value})


@pytest.mark.parametrize(("low", "high"), [(1.0, -1.0), (-math.inf, math.inf), (math.nan, 1.0)])
def test_bounds_that_are_reversed_or_infinite_never_reach_a_planner(low: float, high: float) -> None:
    with pytest.raises(ContractError, match="bounds"):
        ActionSpec(low=(low,), high=(high,), dt_seconds=0.1)


def test_nothing_to_choose_is_nothing_to_plan() -> None:
    with pytest.raises(ContractError, match="nothing to plan"):
        Problem(_identity, _bowl, ActionSpec(unactuated=True, dt_seconds=0.1), 1)
