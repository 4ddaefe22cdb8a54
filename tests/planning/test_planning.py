import math

import pytest
import torch
from torch import Generator, Tensor

from analytic import AnalyticModel, belief_at
from monde.costs import LatentDistance
from monde.errors import PlanningError
from monde.limits import MAX_HORIZON_BLOCKS, MAX_SAMPLES
from monde.planning import (
    CEMConfig,
    CEMPlanner,
    GradientConfig,
    GradientPlanner,
    ICEMConfig,
    ICEMPlanner,
    MPPIConfig,
    MPPIPlanner,
    RandomShootingConfig,
    RandomShootingPlanner,
    pose,
    search,
    shift_plan,
)
from monde.protocols import Planner
from monde.types import ActionSpec, LatentGoal, Plan, Problem, Rollout

QUICK = CEMConfig(horizon=3, samples=64, rounds=6, elites=8)
PLANNERS = [
    CEMPlanner(QUICK),
    RandomShootingPlanner(RandomShootingConfig(horizon=3, samples=256)),
    ICEMPlanner(ICEMConfig(horizon=3, samples=64, rounds=6, elites=8)),
    MPPIPlanner(MPPIConfig(horizon=3, samples=64, rounds=6, elites=16)),
    GradientPlanner(GradientConfig(horizon=3, samples=32, restarts=4, steps=12)),
]
SEARCHING = [planner for planner in PLANNERS if not isinstance(planner, RandomShootingPlanner)]


def _generator(seed: int = 0) -> Generator:
    return torch.Generator().manual_seed(seed)


def _problem(batch: int = 2) -> Problem:
    places = 10 + 44 * torch.rand(batch, 2, generator=_generator(7))
    goals = 10 + 44 * torch.rand(batch, 2, generator=_generator(8))
    model = AnalyticModel()
    return pose(model, belief_at(places.numpy()), LatentDistance(), LatentGoal(goals[:, None]))


def _toy(cost: object, actions: ActionSpec | None = None, batch: int = 2) -> Problem:
    """Latents are the actions themselves."""
    spec = actions or ActionSpec(low=(-1.0, 0.0), high=(1.0, 4.0), block=2, dt_seconds=0.1)
    return Problem(lambda a: Rollout(a[:, :, None, :, None]), cost, spec, batch)  # type: ignore[arg-type]


@pytest.mark.parametrize("planner", PLANNERS)
def test_plans_lead_towards_the_goal_within_bounds(planner: Planner) -> None:
    problem = _problem()
    plan = planner.plan(problem, _generator())
    problem.actions.check(plan.actions, tolerance=0.0)
    assert plan.actions.shape == (2, 3, 10)
    assert bool((plan.cost_after <= 0.5 * plan.cost_before).all())
    again = problem.cost(problem.imagine(plan.actions[:, None]), plan.actions[:, None])[:, 0]
    torch.testing.assert_close(again, plan.cost_after)
    torch.testing.assert_close(plan.rollout.latents, problem.imagine(plan.actions[:, None]).latents)
    assert not plan.deadline_hit
    assert plan.seconds > 0


@pytest.mark.parametrize("planner", SEARCHING)
def test_a_search_finds_what_random_shooting_does_not(planner: Planner) -> None:
    problem = _problem(8)
    found = planner.plan(problem, _generator())
    random = RandomShootingPlanner(RandomShootingConfig(horizon=3, samples=512)).plan(problem, _generator())
    assert found.samples <= random.samples == 513
    assert found.cost_after.mean() < 0.9 * random.cost_after.mean()


@pytest.mark.parametrize("planner", PLANNERS)
def test_the_same_seed_gives_the_same_plan_and_another_another(planner: Planner) -> None:
    first, second = (planner.plan(_problem(), _generator(3)) for _ in range(2))
    other = planner.plan(_problem(), _generator(4))
    assert torch.equal(first.actions, second.actions)
    assert not torch.equal(first.actions, other.actions)


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_row_does_not_depend_on_the_batch(planner: Planner) -> None:
    places = (10 + 44 * torch.rand(32, 2, generator=_generator(1))).numpy()
    goals = 10 + 44 * torch.rand(32, 1, 2, generator=_generator(2))
    model = AnalyticModel()
    together = planner.plan(pose(model, belief_at(places), LatentDistance(), LatentGoal(goals)), _generator())
    for row in (0, 17, 31):
        problem = pose(model, belief_at(places[row : row + 1]), LatentDistance(), LatentGoal(goals[row : row + 1]))
        alone = planner.plan(problem, _generator())
        torch.testing.assert_close(alone.actions[0], together.actions[row], atol=1e-5, rtol=0)


@pytest.mark.parametrize("planner", PLANNERS)
def test_pieces_change_nothing(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = planner.plan(_problem(), _generator())
    monkeypatch.setattr(search, "SEQUENCES_AT_ONCE", 10)
    pieces = planner.plan(_problem(), _generator())
    torch.testing.assert_close(whole.actions, pieces.actions)
    assert whole.samples == pieces.samples


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_deadline_of_zero_returns_the_first_guess(planner: Planner) -> None:
    problem = _problem()
    guess = torch.rand(2, 3, 10, generator=_generator(5))
    plan = planner.plan(problem, _generator(), deadline_seconds=0.0, warm_start=guess)
    assert torch.equal(plan.actions, guess)
    assert torch.equal(plan.cost_before, plan.cost_after)
    assert plan.samples == 1
    assert plan.deadline_hit
    bare = planner.plan(problem, _generator(), deadline_seconds=0.0)
    problem.actions.check(bare.actions)


@pytest.mark.parametrize("deadline", [-1.0, float("nan")])
def test_a_deadline_is_a_duration(deadline: float) -> None:
    with pytest.raises(PlanningError, match="deadline"):
        CEMPlanner(QUICK).plan(_problem(), _generator(), deadline_seconds=deadline)


POOR = [
    CEMPlanner(CEMConfig(horizon=3, samples=4, rounds=1, elites=2)),
    ICEMPlanner(ICEMConfig(horizon=3, samples=4, rounds=2, elites=2)),
    MPPIPlanner(MPPIConfig(horizon=3, samples=4, rounds=1, elites=2)),
    GradientPlanner(GradientConfig(horizon=3, samples=4, restarts=2, steps=1, learning_rate=10.0)),
    RandomShootingPlanner(RandomShootingConfig(horizon=3, samples=1)),
]


@pytest.mark.parametrize("planner", POOR)
def test_a_good_warm_start_is_never_made_worse(planner: Planner) -> None:
    problem = _problem()
    long = CEMPlanner(CEMConfig(horizon=3, samples=300, rounds=20, elites=20)).plan(problem, _generator())
    warmed = planner.plan(problem, _generator(), warm_start=long.actions)
    assert bool((warmed.cost_after <= long.cost_after).all())


def test_shift_drops_what_was_done_and_leaves_the_rest_undecided() -> None:
    spec = ActionSpec(low=(-1.0, 0.0), high=(1.0, 4.0), dt_seconds=0.1)
    plan = torch.rand(2, 3, 2)
    shifted = shift_plan(spec, plan, 2)
    assert torch.equal(shifted[:, 0], plan[:, 2])
    assert torch.equal(shifted[:, 1:], torch.tensor([0.0, 2.0]).expand(2, 2, 2))
    assert shift_plan(spec, plan, 5).shape == plan.shape


@pytest.mark.parametrize("warm", [torch.zeros(2, 2, 10), torch.zeros(1, 3, 10), torch.full((2, 3, 10), float("nan"))])
def test_warm_starts_that_do_not_fit_are_refused(warm: Tensor) -> None:
    with pytest.raises(PlanningError, match="warm start"):
        CEMPlanner(QUICK).plan(_problem(), _generator(), warm_start=warm)


def test_a_warm_start_out_of_bounds_is_brought_inside() -> None:
    problem = _problem()
    plan = CEMPlanner(QUICK).plan(problem, _generator(), 0.0, torch.full((2, 3, 10), 7.0))
    assert torch.equal(plan.actions, torch.ones(2, 3, 10))


DISCRETE = ActionSpec(choices=4, block=2, dt_seconds=0.1)


def _second_choice(rollout: Rollout, actions: Tensor) -> Tensor:
    return -actions.reshape(*actions.shape[:3], 2, 4)[..., 1].sum((-2, -1))


@pytest.mark.parametrize("planner", PLANNERS)
def test_discrete_plans_are_one_hot_and_find_the_right_choice(planner: Planner) -> None:
    plan = planner.plan(_toy(_second_choice, DISCRETE), _generator())
    steps = plan.actions.reshape(2, 3, 2, 4)
    assert torch.equal(steps.sum(-1), torch.ones(2, 3, 2))
    assert set(steps.unique().tolist()) == {0.0, 1.0}
    if not isinstance(planner, RandomShootingPlanner):
        assert bool((steps.argmax(-1) == 1).all())
    assert bool((plan.cost_after < plan.cost_before).all())


def test_a_discrete_warm_start_is_kept_at_deadline_zero() -> None:
    warm = torch.zeros(2, 3, 2, 4)
    warm[..., 2] = 1
    plan = CEMPlanner(QUICK).plan(_toy(_second_choice, DISCRETE), _generator(), 0.0, warm.flatten(2))
    assert torch.equal(plan.actions, warm.flatten(2))
    with pytest.raises(PlanningError, match="choice"):
        CEMPlanner(QUICK).plan(_toy(_second_choice, DISCRETE), _generator(), 0.0, torch.zeros(2, 3, 8))


@pytest.mark.parametrize("bad", [math.nan, -math.inf])
@pytest.mark.parametrize("planner", PLANNERS)
def test_a_single_nan_is_an_error(planner: Planner, bad: float) -> None:
    def cost(rollout: Rollout, actions: Tensor) -> Tensor:
        energies = actions.square().sum((-2, -1))
        return torch.where(energies == energies.amax(), torch.tensor(bad), energies)

    with pytest.raises(PlanningError, match="not a number"):
        planner.plan(_toy(cost), _generator())


@pytest.mark.parametrize("planner", PLANNERS)
def test_rejected_samples_are_avoided(planner: Planner) -> None:
    """The first guess lies in the rejected half, most samples of the first round with it."""

    def cost(rollout: Rollout, actions: Tensor) -> Tensor:
        energies = actions.square().sum((-2, -1))
        return torch.where(actions[..., 0, 0] < 0.5, torch.inf, energies)

    plan = planner.plan(_toy(cost), _generator())
    assert bool((plan.actions[:, 0, 0] >= 0.5).all())
    assert bool(torch.isfinite(plan.cost_after).all())


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("deadline", [None, 0.0])
def test_a_row_without_any_accepted_sample_is_named(planner: Planner, deadline: float | None) -> None:
    def cost(rollout: Rollout, actions: Tensor) -> Tensor:
        energies = actions.square().sum((-2, -1))
        return torch.stack([energies[0], torch.full_like(energies[1], torch.inf)])

    with pytest.raises(PlanningError, match=r"rows \[1\]"):
        planner.plan(_toy(cost), _generator(), deadline)


def test_a_cost_of_the_wrong_shape_is_an_error() -> None:
    with pytest.raises(PlanningError, match="shape"):
        CEMPlanner(QUICK).plan(_toy(lambda rollout, actions: actions.sum((-3, -2, -1))), _generator())


@pytest.mark.parametrize("planner", PLANNERS)
def test_ties_give_a_bounded_plan(planner: Planner) -> None:
    problem = _toy(lambda rollout, actions: 0 * rollout.latents.sum((2, 3, 4, 5)))
    plan = planner.plan(problem, _generator())
    problem.actions.check(plan.actions)


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (1, 2, 1, 2), (2, 1, 3, 1)])
def test_the_smallest_searches_work(sizes: tuple[int, int, int, int]) -> None:
    horizon, samples, rounds, elites = sizes
    config = CEMConfig(horizon=horizon, samples=samples, rounds=rounds, elites=elites)
    plan: Plan = CEMPlanner(config).plan(_problem(), _generator())
    assert plan.actions.shape == (2, horizon, 10)
    assert bool(torch.isfinite(plan.actions).all())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("horizon", 0),
        ("horizon", MAX_HORIZON_BLOCKS + 1),
        ("samples", 0),
        ("samples", MAX_SAMPLES + 1),
        ("rounds", 0),
        ("elites", 0),
        ("elites", 301),
        ("initial_std", 0.0),
        ("initial_std", math.inf),
        ("initial_std", math.nan),
        ("minimum_std", -0.1),
        ("minimum_std", 2.0),
        ("momentum", 1.0),
        ("momentum", math.nan),
    ],
)
def test_settings_out_of_range_are_named(field: str, value: float) -> None:
    with pytest.raises(PlanningError, match=field):
        CEMConfig(**{field: value})  # type: ignore[arg-type]


def test_planning_does_not_write_into_the_warm_start() -> None:
    warm = torch.rand(2, 3, 10)
    before = warm.clone()
    CEMPlanner(QUICK).plan(_problem(), _generator(), warm_start=warm)
    assert torch.equal(warm, before)


def test_risk_over_hypotheses_reaches_the_plan() -> None:
    model = AnalyticModel()
    problem = pose(model, belief_at([[20.0, 20.0]]), LatentDistance(), LatentGoal(torch.full((1, 1, 2), 40.0)), 3)
    plan = CEMPlanner(QUICK).plan(problem, _generator())
    assert plan.rollout.latents.shape == (1, 1, 3, 3, 1, 2)
