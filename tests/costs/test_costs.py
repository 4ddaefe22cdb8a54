import pytest
import torch

from monde.costs import MEAN, WORST, BaseCost, ControlEffort, LatentDistance, Risk, Sum
from monde.errors import PlanningError
from monde.types import ActionSpec, LatentGoal, ReadoutGoal, Rollout

BOX = ActionSpec(low=(-1.0, 0.0), high=(1.0, 4.0), block=2, dt_seconds=0.1)


def _rollout(B: int = 2, S: int = 3, K: int = 4, H: int = 5, N: int = 2, D: int = 6) -> Rollout:
    return Rollout(torch.randn(B, S, K, H, N, D, generator=torch.Generator().manual_seed(0)))


def _goal(B: int = 2, N: int = 2, D: int = 6) -> LatentGoal:
    return LatentGoal(torch.randn(B, N, D, generator=torch.Generator().manual_seed(1)))


ACTIONS = torch.zeros(2, 3, 5, 4)


def test_latent_distance_is_the_sum_over_states_of_the_mean_over_tokens() -> None:
    rollout, goal = _rollout(), _goal()
    square = (rollout.latents - goal.latents[:, None, None, None]).square().sum(-1).mean(-1)
    torch.testing.assert_close(LatentDistance()(rollout, ACTIONS, goal), square.sum(-1).mean(-1))
    torch.testing.assert_close(LatentDistance(reduce="last")(rollout, ACTIONS, goal), square[..., -1].mean(-1))
    worst = LatentDistance(risk=WORST)(rollout, ACTIONS, goal)
    torch.testing.assert_close(worst, square.sum(-1).amax(-1))


def test_summed_cost_prefers_to_arrive_early_and_last_does_not() -> None:
    early = torch.tensor([1.0, 0.0, 0.0])
    late = torch.tensor([9.0, 9.0, 0.0])
    rollout = Rollout(torch.stack([early, late]).reshape(1, 2, 1, 3, 1, 1))
    goal = LatentGoal(torch.zeros(1, 1, 1))
    summed = LatentDistance()(rollout, torch.zeros(1, 2, 3, 4), goal)[0]
    last = LatentDistance(reduce="last")(rollout, torch.zeros(1, 2, 3, 4), goal)[0]
    assert summed[0] < summed[1]
    assert last[0] == last[1]


def test_latent_distance_has_a_finite_gradient_at_the_goal() -> None:
    latents = torch.zeros(1, 1, 1, 2, 1, 3, requires_grad=True)
    cost = LatentDistance()(Rollout(latents), torch.zeros(1, 1, 2, 4), LatentGoal(torch.zeros(1, 1, 3)))
    (gradient,) = torch.autograd.grad(cost.sum(), latents)
    assert torch.equal(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize(
    "goal",
    [
        ReadoutGoal("position", torch.zeros(2, 2), 1.0),
        LatentGoal(torch.zeros(2, 2, 5)),
        LatentGoal(torch.zeros(1, 2, 6)),
        LatentGoal(torch.zeros(2, 1, 6)),
    ],
)
def test_goals_that_do_not_fit_are_refused(goal: LatentGoal | ReadoutGoal) -> None:
    with pytest.raises(PlanningError, match="Expected"):
        LatentDistance()(_rollout(), ACTIONS, goal)


def test_cvar_runs_from_the_worst_to_the_mean() -> None:
    energies = torch.tensor([[[1.0, 4.0, 2.0, 3.0]]])
    assert Risk(kind="cvar", alpha=1.0).reduce(energies).item() == pytest.approx(2.5)
    assert Risk(kind="cvar", alpha=0.5).reduce(energies).item() == pytest.approx(3.5)
    assert Risk(kind="cvar", alpha=0.25).reduce(energies).item() == pytest.approx(4.0)
    assert Risk(kind="cvar", alpha=0.01).reduce(energies).item() == pytest.approx(4.0)
    # 1.5 hypotheses: all of the worst, half of the next.
    assert Risk(kind="cvar", alpha=0.375).reduce(energies).item() == pytest.approx((4 + 0.5 * 3) / 1.5)


def test_one_hypothesis_needs_no_risk() -> None:
    energies = torch.randn(2, 3, 1)
    for risk in (MEAN, WORST, Risk(kind="cvar", alpha=0.3)):
        assert torch.equal(risk.reduce(energies), energies[..., 0])


@pytest.mark.parametrize("alpha", [0.0, -1.0, 1.5, float("nan")])
def test_alpha_must_be_a_fraction(alpha: float) -> None:
    with pytest.raises(PlanningError, match="alpha"):
        Risk(kind="cvar", alpha=alpha)


def test_costs_add_and_scale() -> None:
    rollout, goal = _rollout(), _goal()
    actions = torch.rand(2, 3, 5, 4)
    distance, effort = LatentDistance(), ControlEffort(actions=BOX)
    both = distance + 2.0 * effort + effort * 3.0
    expected = distance(rollout, actions, goal) + 5.0 * effort(rollout, actions, goal)
    torch.testing.assert_close(both(rollout, actions, goal), expected)
    assert len(both.terms) == 3
    assert isinstance(2.0 * (distance + effort), Sum)


def test_a_users_function_adds_from_both_sides() -> None:
    def own(rollout: Rollout, actions: torch.Tensor, goal: LatentGoal) -> torch.Tensor:
        return actions.new_ones(actions.shape[:2])

    rollout, goal = _rollout(), _goal()
    base = LatentDistance()(rollout, ACTIONS, goal)
    for summed in (LatentDistance() + own, own + LatentDistance()):
        assert isinstance(summed, BaseCost)
        torch.testing.assert_close(summed(rollout, ACTIONS, goal), base + 1)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_weights_that_reward_harm_are_refused(weight: float) -> None:
    with pytest.raises(PlanningError, match="weight"):
        weight * LatentDistance()


def test_effort_is_zero_at_rest_and_one_at_the_bounds_of_a_symmetric_box() -> None:
    box = ActionSpec(low=(-3.0,), high=(3.0,), block=2, dt_seconds=0.1)
    effort = ControlEffort(actions=box)
    rollout, goal = _rollout(1, 2, 1, 5), _goal(1)
    actions = torch.stack([torch.zeros(5, 2), torch.full((5, 2), -3.0)])[None]
    torch.testing.assert_close(effort(rollout, actions, goal), torch.tensor([[0.0, 1.0]]))


def test_effort_rests_at_the_bound_nearest_to_zero_or_where_it_is_told() -> None:
    box = ActionSpec(low=(2.0,), high=(6.0,), dt_seconds=0.1)
    rollout, goal = _rollout(1, 1, 1, 5), _goal(1)
    assert ControlEffort(actions=box)(rollout, torch.full((1, 1, 5, 1), 2.0), goal).item() == 0
    told = ControlEffort(actions=box, rest=(4.0,))
    assert told(rollout, torch.full((1, 1, 5, 1), 6.0), goal).item() == pytest.approx(1.0)


def test_effort_refuses_what_it_cannot_judge() -> None:
    with pytest.raises(PlanningError, match="discrete"):
        ControlEffort(actions=ActionSpec(choices=3, dt_seconds=0.1))
    with pytest.raises(PlanningError, match="rest"):
        ControlEffort(actions=BOX, rest=(1.0,))
    with pytest.raises(PlanningError, match="width"):
        ControlEffort(actions=BOX)(_rollout(), torch.zeros(2, 3, 5, 2), _goal())
