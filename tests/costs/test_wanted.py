import pytest
import torch
from torch import Tensor

from analytic import AnalyticModel, belief_at
from monde.agents import PlanningAgent, Strategy, run_episodes
from monde.costs import PredicateMiss, ReadoutDistance
from monde.errors import PlanningError
from monde.planning import CEMConfig, CEMPlanner
from monde.types import LatentGoal, PredicateGoal, ReadoutGoal, Rollout
from monde.worlds import TwoRoom, TwoRoomConfig

OPEN = TwoRoomConfig(door_pixels=58.0, wall_pixels=0.5)
SEARCH = CEMPlanner(CEMConfig(horizon=4, samples=64, rounds=4, elites=8))


def place(latents: Tensor) -> Tensor:
    return latents[..., 0, :]


def right(value: Tensor) -> Tensor:
    return value[..., 0] > 40


READOUTS = {"place": place}


def _rollout() -> tuple[Rollout, Tensor]:
    actions = torch.zeros(2, 1, 3, 10)
    actions[0, 0, :, ::2] = 1.0  # 10 px a block to the right
    return AnalyticModel().imagine(belief_at([[20.0, 30.0], [50.0, 30.0]]), actions), actions


def test_energies_by_hand() -> None:
    rollout, actions = _rollout()
    goal = ReadoutGoal("place", torch.tensor([[40.0, 30.0], [50.0, 40.0]]), 3.0)
    energies = ReadoutDistance(readouts=READOUTS)(rollout, actions, goal)
    # Row 0 is 10, 0 and 10 px away; row 1 stays 10 px away. Of each, 3 px are allowed.
    torch.testing.assert_close(energies, torch.tensor([[14.0], [21.0]]))
    predicate = PredicateGoal("right", ("place",), right)
    torch.testing.assert_close(
        PredicateMiss(readouts=READOUTS)(rollout, actions, predicate), torch.tensor([[2 / 3], [0.0]])
    )


@pytest.mark.parametrize("kind", ["target", "predicate"])
def test_a_search_without_an_actor_reaches_what_readouts_tell(kind: str) -> None:
    seeds = [3, 4, 5, 6]
    cost = ReadoutDistance(readouts=READOUTS) if kind == "target" else PredicateMiss(readouts=READOUTS)
    goal = (
        ReadoutGoal("place", torch.tensor([[40.0, 20.0]]).expand(4, 2), 3.0)
        if kind == "target"
        else PredicateGoal("right", ("place",), right)
    )
    world = TwoRoom(OPEN, batch=4)
    agent = PlanningAgent(AnalyticModel(), Strategy(SEARCH, cost), seed=0)

    def judge(observation: object) -> object:
        state = torch.as_tensor(observation.values["state"])  # type: ignore[attr-defined]
        if kind == "target":
            return (torch.linalg.vector_norm(state - torch.tensor([40.0, 20.0]), dim=1) < 4).numpy()
        return right(state).numpy()

    results = run_episodes(world, agent, seeds, 60, goal=goal, judge=judge)  # type: ignore[arg-type]
    assert results.success.mean() >= 0.75
    idle = run_episodes(TwoRoom(OPEN, batch=4), agent, seeds, 5, goal=goal)
    assert not idle.success.any()  # the world cannot judge it: without a judge nothing counts


def test_other_goals_and_unknown_readouts_are_refused() -> None:
    rollout, actions = _rollout()
    target = ReadoutGoal("place", torch.zeros(2, 2), 1.0)
    with pytest.raises(PlanningError, match="another kind of goal"):
        ReadoutDistance(readouts=READOUTS)(rollout, actions, LatentGoal(torch.zeros(2, 1, 2)))
    with pytest.raises(PlanningError, match="another kind of goal"):
        PredicateMiss(readouts=READOUTS)(rollout, actions, target)
    with pytest.raises(PlanningError, match="unknown readout"):
        ReadoutDistance(readouts={})(rollout, actions, target)
    with pytest.raises(PlanningError, match="does not fit"):
        ReadoutDistance(readouts=READOUTS)(rollout, actions, ReadoutGoal("place", torch.zeros(2, 3), 1.0))
    with pytest.raises(PlanningError, match="no truth"):
        PredicateMiss(readouts=READOUTS)(rollout, actions, PredicateGoal("all", ("place",), lambda value: value > 40))
