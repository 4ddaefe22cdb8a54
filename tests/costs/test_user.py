import math

import pytest
import torch
from torch import Tensor

from monde.costs import LatentDistance, UserCost
from monde.errors import PlanningError
from monde.planning import CEMConfig, CEMPlanner
from monde.types import ActionSpec, Goal, LatentGoal, Problem, ReadoutGoal, Rollout

ACTIONS = torch.zeros(2, 3, 4, 2)
ROLLOUT = Rollout(torch.zeros(2, 3, 1, 4, 1, 5))
GOAL = LatentGoal(torch.zeros(2, 1, 5))


def _speed(rollout: Rollout, actions: Tensor, goal: Goal) -> Tensor:
    return actions.new_full(actions.shape[:2], 2.0)


def test_a_users_cost_adds_and_prints_by_its_name() -> None:
    both = LatentDistance() + 3.0 * UserCost(_speed)
    assert torch.equal(both(ROLLOUT, ACTIONS, GOAL), torch.full((2, 3), 6.0))
    assert "UserCost(_speed)" in repr(both)
    assert repr(UserCost(lambda rollout, actions, goal: actions, "slow")) == "UserCost(slow)"


def test_rejection_is_allowed() -> None:
    cost = UserCost(lambda rollout, actions, goal: torch.full(actions.shape[:2], math.inf))
    assert bool(torch.isposinf(cost(ROLLOUT, ACTIONS, GOAL)).all())


def test_what_it_raises_is_told_with_its_cause() -> None:
    def broken(rollout: Rollout, actions: Tensor, goal: Goal) -> Tensor:
        raise KeyError("position")

    with pytest.raises(PlanningError, match=r"'broken' failed.*KeyError.*position") as caught:
        UserCost(broken)(ROLLOUT, ACTIONS, GOAL)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_planning_error_of_its_own_goes_through() -> None:
    def picky(rollout: Rollout, actions: Tensor, goal: Goal) -> Tensor:
        return LatentDistance()(rollout, actions, goal)

    with pytest.raises(PlanningError, match="latent space"):
        UserCost(picky)(ROLLOUT, ACTIONS, ReadoutGoal("position", torch.zeros(2, 2), 1.0))


@pytest.mark.parametrize(
    "returned",
    [
        torch.zeros(2),
        torch.zeros(3, 2),
        torch.zeros(2, 3, 1),
        torch.zeros(()),
        torch.zeros(2, 3, dtype=torch.long),
        3.0,
        None,
    ],
)
def test_what_is_not_one_energy_for_each_sequence_is_refused(returned: object) -> None:
    with pytest.raises(PlanningError, match="something else than energies"):
        UserCost(lambda rollout, actions, goal: returned)(ROLLOUT, ACTIONS, GOAL)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("bad", [math.nan, -math.inf])
def test_what_is_not_a_number_is_refused(bad: float) -> None:
    def cost(rollout: Rollout, actions: Tensor, goal: Goal) -> Tensor:
        energies = torch.zeros(2, 3)
        energies[1, 2] = bad
        return energies

    with pytest.raises(PlanningError, match="'cost' is not a number"):
        UserCost(cost)(ROLLOUT, ACTIONS, GOAL)


def test_it_plans() -> None:
    spec = ActionSpec(low=(-1.0,), high=(1.0,), dt_seconds=0.1)
    cost = UserCost(lambda rollout, actions, goal: (actions - 0.5).square().sum((2, 3)))
    goal = LatentGoal(torch.zeros(1, 1, 1))
    problem = Problem(
        lambda actions: Rollout(actions[:, :, None, :, None]),
        lambda rollout, actions: cost(rollout, actions, goal),
        spec,
        1,
    )
    plan = CEMPlanner(CEMConfig(horizon=2, samples=64, elites=8)).plan(problem, torch.Generator().manual_seed(0))
    torch.testing.assert_close(plan.actions, torch.full((1, 2, 1), 0.5), atol=0.1, rtol=0)
