"""The robot: it stops at walls, its odometry drifts, and nothing but the seed decides."""

from dataclasses import replace

import numpy as np
import pytest

from monde.errors import ContractError, UsageError
from monde.worlds import check_env
from monde.worlds.laser import ROOMS, YARD, LaserConfig, LaserWorld, Odometry


def _driven(world: LaserWorld, seeds: range, steps: int) -> list[np.ndarray]:
    observation, policy, generator = world.reset(seeds), world.scripted(), np.random.default_rng(0)
    seen = []
    for _ in range(steps):
        observation = world.step(policy(observation, world.actions, generator)).observation
        seen.append(np.concatenate([observation.values["state"], observation.values["odometry"]], axis=1))
    return seen


@pytest.mark.parametrize("config", [ROOMS, YARD])
def test_it_keeps_the_contract(config: LaserConfig) -> None:
    assert check_env(LaserWorld(config, batch=2, name="laser")) == []


def test_it_never_enters_anything_and_is_told_when_it_runs_into_it() -> None:
    world = LaserWorld(batch=8)
    states = np.stack(_driven(world, range(8), 40))
    assert (states[..., 3] > -1e-6).all()
    world.reset(range(8))
    straight = np.tile([1.0, 0.0], (8, 1))
    before = world.poses
    for _ in range(80):
        last = world.step(straight).observation
    assert (last.values["state"][:, 4] == 1).all(), "everything ends at a wall"
    assert (last.values["state"][:, 3] < 0.03).all()
    still = world.poses
    turned = world.step(np.tile([1.0, 1.0], (8, 1)))
    assert (np.abs(world.poses[:, 2] - still[:, 2]) > 0.1).all(), "a disc that is stopped may turn"
    assert np.hypot(*(still - before)[:, :2].T).max() < 20
    assert turned.observation.values["scan"].min() > 0.15


def test_the_nearest_beam_is_about_as_near_as_the_nearest_thing() -> None:
    world = LaserWorld(batch=16)
    observation = world.reset(range(16))
    nearest = observation.values["scan"].min(1)
    clear = observation.values["state"][:, 3] + world.config.radius_m
    assert np.abs(nearest - clear).max() < 0.1


def test_odometry_is_exact_without_errors_and_drifts_with_them() -> None:
    exact = LaserWorld(replace(ROOMS, odometry=Odometry(way_scale=0, turn_scale=0, way_noise=0, turn_noise=0)), batch=6)
    last = _driven(exact, range(6), 30)[-1]
    np.testing.assert_allclose(last[:, 5:8], last[:, :3], atol=1e-4)
    drifting = np.stack(_driven(LaserWorld(batch=32), range(32), 40))
    away = np.hypot(*(drifting[..., 5:7] - drifting[..., :2]).transpose(2, 0, 1)).mean(1)
    assert away[-1] > 2 * away[4] > 0
    assert away[-1] < 0.5


def test_late_odometry_errs_without_adding_up() -> None:
    late = Odometry(way_scale=0, turn_scale=0, way_noise=0, turn_noise=0, late_seconds=0.1)
    seen = np.stack(_driven(LaserWorld(replace(ROOMS, odometry=late), batch=16), range(16), 40))
    away = np.hypot(*(seen[..., 5:7] - seen[..., :2]).transpose(2, 0, 1))
    assert away.mean() > 0.01
    assert away[30:].mean() < 2 * away[:10].mean() + 0.02


def test_goals_are_as_far_as_asked_for_and_are_told_from_the_start() -> None:
    world = LaserWorld(batch=16)
    world.reset(range(40, 56))
    distance = world.goal_distance()
    assert ((distance > 1.0) & (distance < 6.5)).all()
    goal = world.goal().values["odometry"]
    starts = np.stack([task.start for task in world.tasks])
    goals = np.stack([task.goal for task in world.tasks])
    np.testing.assert_allclose(np.hypot(*goal[:, :2].T), np.hypot(*(goals - starts)[:, :2].T), atol=1e-4)
    assert not world.success().any()
    assert (world.goal().values["state"][:, 3] > 0).all()


def test_wrong_configurations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ContractError, match="goal_m"):
        LaserConfig(goal_m=(3.0, 1.0))
    with pytest.raises(ContractError, match="error"):
        Odometry(way_noise=-1.0)
    with pytest.raises(ContractError, match="row"):
        LaserWorld(batch=0)
    monkeypatch.delenv("MONDE_SHARED_DATA", raising=False)
    with pytest.raises(UsageError, match="MONDE_SHARED_DATA"):
        LaserWorld(LaserConfig(place="campus"), batch=1)
