"""Planners that are given a proposal."""

import pytest
import torch
from torch import Generator, Tensor

from monde.errors import PlanningError
from monde.planning import (
    CEMConfig,
    CEMPlanner,
    GradientConfig,
    GradientPlanner,
    HybridConfig,
    HybridPlanner,
    ICEMConfig,
    ICEMPlanner,
    MPPIConfig,
    MPPIPlanner,
    ProposalConfig,
    ProposalPlanner,
    RandomShootingConfig,
    RandomShootingPlanner,
)
from monde.protocols import Planner
from monde.types import ActionSpec, Problem, Rollout
from monde.types.plans import Propose

BOX = ActionSpec(low=(-1.0, 0.0), high=(1.0, 4.0), block=2, dt_seconds=0.1)
CHOICES = ActionSpec(choices=4, block=2, dt_seconds=0.1)
HYBRID = HybridPlanner(HybridConfig(horizon=3, samples=32, rounds=3))
SEEDED = [
    HYBRID,
    CEMPlanner(CEMConfig(horizon=3, samples=8, rounds=2, elites=2)),
    ICEMPlanner(ICEMConfig(horizon=3, samples=8, rounds=2, elites=2)),
    MPPIPlanner(MPPIConfig(horizon=3, samples=8, rounds=2, elites=2)),
    GradientPlanner(GradientConfig(horizon=3, samples=8, restarts=2, steps=2)),
    RandomShootingPlanner(RandomShootingConfig(horizon=3, samples=8)),
]
BEST = torch.tensor([0.7, 1.0, -0.3, 3.0])


def _generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def _near(batch: int, mode: Tensor = BEST, spread: float = 0.0) -> Propose:
    """Proposals around `mode`, which lies 0.1 × row beside the best."""

    def propose(samples: int, horizon: int, generator: Generator) -> Tensor:
        noise = torch.randn(samples, horizon, 4, generator=generator)
        noise[0] = 0
        rows = 0.1 * torch.arange(batch)[:, None, None, None]
        return (mode + rows + spread * noise).clamp(*BOX.bounds())

    return propose


def _problem(propose: Propose | None, batch: int = 2) -> Problem:
    """Energy is the squared distance of every block to BEST."""

    def cost(rollout: Rollout, actions: Tensor) -> Tensor:
        return (rollout.latents[:, :, 0, :, 0] - BEST).square().sum((-2, -1))

    return Problem(lambda actions: Rollout(actions[:, :, None, :, None]), cost, BOX, batch, propose)


@pytest.mark.parametrize("planner", SEEDED)
def test_the_proposal_is_the_first_guess_and_no_plan_is_worse(planner: Planner) -> None:
    problem = _problem(_near(2, BEST + 0.05, 0.05))
    plan = planner.plan(problem, _generator())
    mode = _near(2, BEST + 0.05)(1, 3, _generator())
    torch.testing.assert_close(plan.cost_before, problem.cost(problem.imagine(mode), mode)[:, 0])
    assert bool((plan.cost_after <= plan.cost_before).all())
    BOX.check(plan.actions, tolerance=0.0)


def test_the_hybrid_improves_on_what_is_proposed() -> None:
    plan = HYBRID.plan(_problem(_near(2, BEST + 0.2, 0.2)), _generator())
    assert bool((plan.cost_after < 0.5 * plan.cost_before).all())
    # The mode is one of the 32 proposals; two more rounds follow.
    assert plan.samples == 32 + 2 * 32


@pytest.mark.parametrize("planner", SEEDED)
def test_an_exact_proposal_is_kept(planner: Planner) -> None:
    plan = planner.plan(_problem(_near(1), 1), _generator())
    torch.testing.assert_close(plan.cost_after, torch.zeros(1), atol=1e-6, rtol=0)


@pytest.mark.parametrize("planner", SEEDED)
def test_a_warm_start_that_is_better_than_the_proposal_is_kept(planner: Planner) -> None:
    plan = planner.plan(_problem(_near(2, -BEST, 0.01)), _generator(), warm_start=BEST.expand(2, 3, 4))
    torch.testing.assert_close(plan.cost_after, torch.zeros(2), atol=1e-6, rtol=0)
    assert bool((plan.cost_before > 1).all())


@pytest.mark.parametrize("planner", SEEDED)
def test_rows_do_not_depend_on_the_batch_and_seeds_decide(planner: Planner) -> None:
    together = planner.plan(_problem(_near(32, BEST, 0.2), 32), _generator())
    alone = planner.plan(_problem(_near(1, BEST, 0.2), 1), _generator())
    again = planner.plan(_problem(_near(32, BEST, 0.2), 32), _generator())
    torch.testing.assert_close(alone.actions[0], together.actions[0], atol=1e-5, rtol=0)
    assert torch.equal(again.actions, together.actions)


def test_the_actor_alone_is_the_mode() -> None:
    plan = ProposalPlanner(ProposalConfig(horizon=3)).plan(_problem(_near(2, spread=0.3)), _generator())
    assert torch.equal(plan.actions, _near(2)(1, 3, _generator())[:, 0])
    assert plan.samples == 1


def test_a_plan_of_the_actor_alone_may_take_part_in_gradients() -> None:
    """It is made in inference mode, whose tensors may not."""
    plan = ProposalPlanner(ProposalConfig(horizon=2)).plan(_problem(_near(2)), _generator())
    weight = torch.ones(4, requires_grad=True)
    (plan.actions * weight + plan.rollout.latents[:, 0, 0, :, 0] * weight).sum().backward()
    assert weight.grad is not None
    assert not any(t.is_inference() for t in (plan.actions, plan.rollout.latents, plan.cost_before, plan.cost_after))


@pytest.mark.parametrize("planner", [HYBRID, ProposalPlanner(ProposalConfig())])
def test_without_a_proposal_they_say_what_is_missing(planner: Planner) -> None:
    with pytest.raises(PlanningError, match="propos"):
        planner.plan(_problem(None), _generator())


@pytest.mark.parametrize("planner", SEEDED)
@pytest.mark.parametrize("deadline", [None, 5.0])
def test_proposals_out_of_bounds_are_clipped(planner: Planner, deadline: float | None) -> None:
    def propose(samples: int, horizon: int, generator: Generator) -> Tensor:
        return torch.full((2, samples, horizon, 4), 9.0)

    plan = planner.plan(_problem(propose), _generator(), deadline)
    BOX.check(plan.actions, tolerance=0.0)


@pytest.mark.parametrize("planner", SEEDED)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_proposals_that_are_not_finite_never_become_a_plan(planner: Planner, bad: float) -> None:
    def propose(samples: int, horizon: int, generator: Generator) -> Tensor:
        return torch.full((2, samples, horizon, 4), bad)

    if bad == float("inf"):
        BOX.check(planner.plan(_problem(propose), _generator()).actions)
        return
    with pytest.raises(PlanningError, match="actions"):
        planner.plan(_problem(propose), _generator())


def test_a_proposal_of_nan_is_refused_even_where_the_cost_does_not_see_it() -> None:
    def blind(rollout: Rollout, actions: Tensor) -> Tensor:
        return torch.zeros(actions.shape[:2])

    def propose(samples: int, horizon: int, generator: Generator) -> Tensor:
        return torch.full((2, samples, horizon, 4), torch.nan)

    problem = Problem(lambda a: Rollout(torch.zeros(*a.shape[:2], 1, a.shape[2], 1, 1)), blind, BOX, 2, propose)
    with pytest.raises(PlanningError, match="not finite"):
        ProposalPlanner(ProposalConfig()).plan(problem, _generator())


@pytest.mark.parametrize("planner", SEEDED)
def test_a_proposal_of_the_wrong_shape_is_refused(planner: Planner) -> None:
    with pytest.raises(PlanningError, match="proposal does not fit"):
        planner.plan(_problem(_near(3)), _generator())


@pytest.mark.parametrize("planner", SEEDED)
def test_discrete_proposals_are_refined_to_the_right_choice(planner: Planner) -> None:
    def propose(samples: int, horizon: int, generator: Generator) -> Tensor:
        scores = torch.rand(samples, horizon, 2, 4, generator=generator)
        scores[0] = torch.tensor([1.0, 0.0, 0.0, 0.0])
        return (scores == scores.amax(-1, keepdim=True)).float().flatten(2).expand(2, -1, -1, -1)

    def cost(rollout: Rollout, actions: Tensor) -> Tensor:
        return -rollout.latents[:, :, 0, :, 0].unflatten(-1, (2, 4))[..., 2].sum((-2, -1))

    problem = Problem(lambda actions: Rollout(actions[:, :, None, :, None]), cost, CHOICES, 2, propose)
    plan = planner.plan(problem, _generator())
    steps = plan.actions.unflatten(-1, (2, 4))
    assert torch.equal(steps.sum(-1), torch.ones(2, 3, 2))
    assert bool((plan.cost_after < plan.cost_before).all())


def test_what_is_drawn_wide_finds_the_way_where_all_that_is_proposed_is_forbidden() -> None:
    """An actor knows nothing of a constraint: samples around its proposal alone never left the forbidden region."""

    def cost(rollout: Rollout, actions: Tensor) -> Tensor:
        first = actions[..., 0, 0]  # near the proposal, and only there, there is a penalty
        return (first - 0.7).square() + 1e6 * (first > -0.2)

    problem = Problem(lambda actions: Rollout(actions[:, :, None, :, None]), cost, BOX, 2, _near(2, spread=0.02))
    narrow, wide = (
        HybridPlanner(HybridConfig(horizon=2, samples=32, rounds=3, wide=wide)).plan(problem, _generator())
        for wide in (0, 32)
    )
    assert bool((narrow.cost_after > 1e5).all())
    assert bool((wide.cost_after < 10).all())
    assert bool((wide.actions[:, 0, 0] <= -0.2).all())


@pytest.mark.parametrize("samples", [1, 2])
def test_the_smallest_hybrid_works(samples: int) -> None:
    planner = HybridPlanner(HybridConfig(horizon=1, samples=samples, rounds=2, elites=1))
    plan = planner.plan(_problem(_near(2)), _generator())
    assert plan.actions.shape == (2, 1, 4)


@pytest.mark.parametrize(("field", "value"), [("horizon", 0), ("samples", 0), ("elites", 33), ("minimum_std", -1.0)])
def test_settings_out_of_range_are_named(field: str, value: float) -> None:
    with pytest.raises(PlanningError, match=field):
        HybridConfig(**{field: value})  # type: ignore[arg-type]
