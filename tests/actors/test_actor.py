from pathlib import Path

import pytest
import torch

from monde.actors import Actor, ActorConfig, proposal
from monde.costs import TimeToGoal
from monde.errors import ContractError, PlanningError, StoreError
from monde.models import JEPA, model_config
from monde.readouts import TemporalDistance, TemporalDistanceConfig
from monde.types import ActionSpec, LatentGoal, Latents, Rollout, Sensor

BOX = ActionSpec(low=(-1.0, 0.0), high=(1.0, 4.0), block=2, dt_seconds=0.1)
CAMERA = (Sensor(name="top", kind="rgb", shape=(3, 16, 16), rate_hz=10.0),)
KEYS = ActionSpec(choices=3, block=2, dt_seconds=0.1)


def actor_for(actions: ActionSpec, features: int = 64) -> Actor:
    torch.manual_seed(0)
    return Actor(ActorConfig(features=features, actions=actions, hidden=16, depth=2)).eval()


@pytest.mark.parametrize("actions", [BOX, KEYS], ids=["box", "discrete"])
def test_what_an_actor_proposes_is_within_bounds_and_starts_with_its_mode(actions: ActionSpec) -> None:
    torch.manual_seed(0)
    model = JEPA(
        model_config("nano", (Sensor(name="top", kind="rgb", shape=(3, 16, 16), rate_hz=10.0),), actions)
    ).eval()
    actor = actor_for(actions)
    latents = torch.randn(3, 1, 1, 64)
    belief = model.recall(Latents(latents, torch.zeros(3, 1, dtype=torch.float64)), torch.zeros(3, 0, actions.width))
    goal = LatentGoal(torch.randn(3, 1, 64))
    propose = proposal(model, actor, belief, goal)
    with torch.no_grad():
        blocks = propose(5, 3, torch.Generator().manual_seed(1))
        mode = actor.mode(belief.newest, goal.latents)
    assert blocks.shape == (3, 5, 3, actions.width)
    for row in blocks.flatten(0, 2):
        actions.check(row[None])
    torch.testing.assert_close(blocks[:, 0, 0], mode)
    assert bool((blocks[:, 1:, 0] != mode[:, None]).any()), "the samples are all the mode"
    with torch.no_grad():
        again = propose(5, 3, torch.Generator().manual_seed(1))
        one = proposal(model, actor, belief.rows(slice(1, 2)), LatentGoal(goal.latents[1:2]))
        alone = one(5, 3, torch.Generator().manual_seed(1))
    assert torch.equal(blocks, again)
    torch.testing.assert_close(alone[0], blocks[1], rtol=0, atol=1e-5)


def test_likelihood_prefers_what_was_predicted() -> None:
    actor = actor_for(BOX)
    here, goal = torch.randn(4, 1, 64), torch.randn(4, 1, 64)
    with torch.no_grad():
        mean, std = actor.spread(here, goal)
        at_mode = actor.log_likelihood(mean, std, actor.mode(here, goal))
        beside = actor.log_likelihood(mean, std, actor.around(mean, std, torch.ones_like(mean)))
    assert bool((at_mode > beside).all())


def test_heads_come_back_as_they_were_and_only_to_their_own_model(tmp_path: Path) -> None:
    actor = actor_for(BOX)
    distance = TemporalDistance(TemporalDistanceConfig(features=64, hidden=16, depth=2)).eval()
    actor.save(tmp_path / "actor", "a" * 64)
    distance.save(tmp_path / "distance", "a" * 64)
    here, goal = torch.randn(4, 1, 64), torch.randn(4, 1, 64)
    assert torch.equal(Actor.load(tmp_path / "actor", "a" * 64).mode(here, goal), actor.mode(here, goal))
    back = TemporalDistance.load(tmp_path / "distance", "a" * 64)
    assert torch.equal(back.distance(here, goal), distance.distance(here, goal))
    with pytest.raises(StoreError, match="another model"):
        Actor.load(tmp_path / "actor", "b" * 64)
    with pytest.raises(StoreError, match="another model"):
        TemporalDistance.load(tmp_path / "distance", "b" * 64)
    with pytest.raises(StoreError):
        Actor.load(tmp_path / "distance")
    with pytest.raises(ContractError, match="does not fit"):
        actor.mode(torch.randn(4, 1, 32), torch.randn(4, 1, 32))


def test_an_actor_of_another_world_is_refused() -> None:
    torch.manual_seed(0)
    model = JEPA(model_config("nano", CAMERA, BOX)).eval()
    belief = model.recall(
        Latents(torch.randn(1, 1, 1, 64), torch.zeros(1, 1, dtype=torch.float64)), torch.zeros(1, 0, 4)
    )
    with pytest.raises(PlanningError, match="other actions"):
        proposal(model, actor_for(KEYS), belief, LatentGoal(torch.randn(1, 1, 64)))


def test_time_to_goal_counts_blocks_taken_and_left() -> None:
    head = TemporalDistance(TemporalDistanceConfig(features=8, hidden=16, depth=2)).eval()
    rollout = Rollout(torch.randn(2, 3, 1, 4, 1, 8))
    goal = LatentGoal(torch.randn(2, 1, 8))
    actions = torch.zeros(2, 3, 4, 2)
    with torch.no_grad():
        left = head.distance(rollout.latents, goal.latents[:, None, None, None])[:, :, 0]
        soonest = TimeToGoal(head=head)(rollout, actions, goal)
        last = TimeToGoal(head=head, reduce="last")(rollout, actions, goal)
        summed = TimeToGoal(head=head, reduce="sum")(rollout, actions, goal)
    torch.testing.assert_close(soonest, (left + torch.arange(1, 5)).amin(-1))
    torch.testing.assert_close(last, left[..., -1] + 4)
    torch.testing.assert_close(summed, left.sum(-1))
