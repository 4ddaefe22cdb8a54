import numpy as np
import pytest
import torch
from torch import Tensor

from analytic import AnalyticModel
from monde.agents import PlanningAgent, Strategy, random_agent, run_episodes, stay_agent
from monde.agents.closed_loop import resting
from monde.costs import LatentDistance
from monde.errors import ContractError, PlanningError
from monde.planning import CEMConfig, CEMPlanner
from monde.types import ActionSpec, Belief, Clip, LatentGoal
from monde.worlds import PointMass, TwoRoom, TwoRoomConfig, make

PLANNER = CEMPlanner(CEMConfig(horizon=4, samples=64, rounds=4, elites=8))
SEEDS = list(range(100, 112))


def _agent(model: AnalyticModel | None = None, **settings: int) -> PlanningAgent:
    return PlanningAgent(model or AnalyticModel(), Strategy(PLANNER, LatentDistance()), seed=0, **settings)


def test_a_planner_with_a_true_model_reaches_goals_that_floors_do_not() -> None:
    def share(agent: object) -> float:
        results = run_episodes(make("tworoom", len(SEEDS)), agent, SEEDS, 60)  # type: ignore[arg-type]
        return float(results.success.mean())

    spec = AnalyticModel().actions
    planned, random, stay = share(_agent()), share(random_agent(spec, 0)), share(stay_agent(spec))
    # Straight lines through the wall are all it knows: goals in the other room stay out of reach.
    assert planned >= 0.5
    assert planned > random + 0.25
    assert planned > stay + 0.25


def test_counting_stops_at_success_even_inside_a_block() -> None:
    results = run_episodes(make("tworoom", len(SEEDS)), _agent(), SEEDS, 60, record_frames=True)
    reached = results.success
    assert reached.any()
    assert not reached.all()
    assert bool((results.steps_to_success[~reached] == -1).all())
    assert bool((results.steps[~reached] == 60).all())
    assert bool((results.steps_to_success[reached] == results.steps[reached]).all())
    assert any(steps % 5 for steps in results.steps_to_success[reached])
    assert results.final_distance is not None
    # The distance at that very step, not after the block or the episode.
    assert bool((results.final_distance[reached] <= 4).all())
    assert bool((results.final_distance[~reached] > 4).all())
    assert results.frames is not None
    assert results.goal_frames is not None
    assert results.frames.shape == (12, 61, 3, 64, 64)
    assert results.goal_frames.shape == (12, 3, 64, 64)
    assert results.seeds == tuple(SEEDS)


def test_only_rows_that_are_not_finished_are_planned_for() -> None:
    model = AnalyticModel()
    results = run_episodes(make("tworoom", len(SEEDS)), _agent(model), SEEDS, 60)
    assert results.plan_rows[0] == 12
    assert results.plan_rows[-1] == int((~results.success).sum())
    assert list(results.plan_rows) == sorted(results.plan_rows, reverse=True)
    assert model.imagined_rows == sum(results.plan_rows) * (1 + 4 * 64)


def test_a_finished_row_does_not_change_the_others() -> None:
    together = run_episodes(make("tworoom", 4), _agent(), SEEDS[:4], 40)
    for row in range(4):
        alone = run_episodes(make("tworoom", 1), _agent(), SEEDS[row : row + 1], 40)
        assert alone.steps[0] == together.steps[row]
        assert alone.success[0] == together.success[row]


def test_the_belief_is_told_the_actions_that_were_taken() -> None:
    taken: list[Tensor] = []

    class Told(AnalyticModel):
        def update(self, belief: Belief, clip: Clip, action: Tensor) -> Belief:
            predicted = self.imagine(belief, action[:, None, None]).latents[:, 0, 0, 0]
            taken.append((predicted - self.encode(clip).values[:, 0]).abs().max())
            return super().update(belief, clip, action)

    world = TwoRoom(TwoRoomConfig(door_pixels=58.0, wall_pixels=0.5), batch=3)
    run_episodes(world, _agent(Told(), replan_every=2), SEEDS[:3], 23)
    assert len(taken) == 4
    # With the wall all but gone the model is the world: what it imagined of its own action is what it then saw.
    assert max(float(error) for error in taken) < 1e-3


def test_replanning_less_often_plans_less_often() -> None:
    often = run_episodes(make("tworoom", 2), _agent(), SEEDS[:2], 40)
    seldom = run_episodes(make("tworoom", 2), _agent(replan_every=3), SEEDS[:2], 40)
    assert len(seldom.plan_seconds) < len(often.plan_seconds)
    with pytest.raises(PlanningError, match="renewed"):
        run_episodes(make("tworoom", 2), _agent(replan_every=5), SEEDS[:2], 40)
    with pytest.raises(PlanningError, match="replan_every"):
        _agent(replan_every=0)


def test_a_goal_of_ones_own_replaces_the_worlds() -> None:
    world = make("tworoom", 2)
    start = world.reset(SEEDS[:2]).values["state"]
    goal = LatentGoal(torch.from_numpy(start + np.float32(3))[:, None])
    results = run_episodes(world, _agent(), SEEDS[:2], 15, record_frames=True, goal=goal)
    assert results.frames is not None
    assert np.abs(world.step(np.zeros((2, 2), dtype=np.float32)).observation.values["state"] - start - 3).max() < 4


def test_what_cannot_be_run_is_refused() -> None:
    with pytest.raises(ContractError, match="seeds"):
        run_episodes(make("tworoom", 2), _agent(), [1], 10)
    with pytest.raises(ContractError, match="budget"):
        run_episodes(make("tworoom", 1), _agent(), [1], 0)
    with pytest.raises(PlanningError, match="begin"):
        _agent().act(make("tworoom", 1).reset([0]), np.ones(1, dtype=np.bool_))
    with pytest.raises(ContractError, match="another shape"):
        run_episodes(PointMass(batch=1), _agent(), [1], 10)
    with pytest.raises(PlanningError, match="nothing to plan for"):
        _agent().begin(make("tworoom", 1).reset([0]), None)


def test_floors_act_within_bounds() -> None:
    box = ActionSpec(low=(1.0, -2.0), high=(3.0, -1.0), block=4, dt_seconds=0.1)
    assert resting(box, 2, 4).tolist() == np.broadcast_to([1.0, -1.0], (2, 4, 2)).tolist()
    shown = make("tworoom", 2).reset([0, 1])
    controls = random_agent(box, 0).act(shown, np.ones(2, dtype=np.bool_)).controls
    assert controls.shape == (2, 4, 2)
    assert bool((controls >= np.array([1, -2])).all())
    assert bool((controls <= np.array([3, -1])).all())
    choices = ActionSpec(choices=3, block=2, dt_seconds=0.1)
    drawn = random_agent(choices, 0).act(shown, np.ones(2, dtype=np.bool_)).controls
    assert drawn.sum(-1).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert resting(choices, 1, 1).tolist() == [[[1.0, 0.0, 0.0]]]
