import math

import numpy as np
import pytest
from gym_pusht.envs.pusht import PushTEnv

from monde.errors import ContractError
from monde.worlds import check_env
from monde.worlds.drawing import Look
from monde.worlds.pusht import PushT, PushTConfig
from monde.worlds.pusht.table import Table
from monde.worlds.pusht.world import on_table

START = np.array([180.0, 200.0, 230.0, 250.0, 0.7, 0.0, 0.0])


def test_moves_as_gym_pusht_does_to_the_last_bit() -> None:
    table, env = Table(), PushTEnv(obs_type="state")
    table.place(START)
    env.reset(seed=0)
    env._setup()
    env.agent.position = 180.0, 200.0
    env.block.angle = 0.7
    env.block.position = 230.0, 250.0
    generator = np.random.default_rng(0)
    for _ in range(60):
        target = generator.uniform(150, 350, size=2)
        table.drive(*target.tolist())
        env.step(target)
    there = [*env.agent.position, *env.block.position, env.block.angle, *env.agent.velocity]
    assert table.state().tolist() == there
    assert np.abs(table.state()[2:5] - START[2:5]).max() > 5


def test_a_state_is_where_it_was_told_to_be() -> None:
    table = Table()
    table.place(START)
    assert table.state() == pytest.approx(START, abs=1e-9)
    x, y = table._env.block.local_to_world((0, 120))  # type: ignore[attr-defined]
    assert (x, y) == pytest.approx((230 - 120 * math.sin(0.7), 250 + 120 * math.cos(0.7)))


def test_is_drawn_where_gym_pusht_renders_it() -> None:
    # White but for the block, which takes all red away, and the agent, which takes all blue.
    white = (255, 255, 255)
    config = PushTConfig(block=(0, 255, 255), look=Look(floor=white, wall=white, agent=(255, 255, 0)))
    world, env = PushT(config, batch=8), PushTEnv(obs_type="state")
    frames = world.reset(list(range(8))).values["top"]
    for state, frame in zip(world._state, frames, strict=True):
        env.reset(seed=0)
        env.goal_pose = np.array([-900.0, -900.0, 0.0])
        env.agent.position, env.block.angle = state[:2].tolist(), float(state[4])
        env.block.position = state[2:4].tolist()
        env.space.reindex_shapes_for_body(env.agent)
        env.space.reindex_shapes_for_body(env.block)
        # At full size, then as the share of each of 64 × 64 squares.
        theirs = env._get_img(env._draw(), 512, 512).astype(int)
        for channel, outline, filled in (
            (0, (119, 136, 153), (143, 163, 184)),
            (2, (65, 105, 225), (78, 126, 255)),
        ):
            is_body = (np.abs(theirs - outline).sum(-1) < 9) | (np.abs(theirs - filled).sum(-1) < 9)
            covered = is_body.reshape(64, 8, 64, 8).mean(axis=(1, 3))
            assert _middle(1 - frame[channel] / 255) == pytest.approx(_middle(covered), abs=0.3)


def _middle(shares: np.ndarray) -> np.ndarray:
    inner = np.where(shares > 0.15, shares, 0)[2:-2, 2:-2]
    at = np.arange(2, len(shares) - 2) + 0.5
    return np.array([(inner.sum(0) * at).sum(), (inner.sum(1) * at).sum()]) / inner.sum()


def test_goals_displace_the_block_and_are_not_reached_at_the_start() -> None:
    world = PushT(batch=24)
    world.reset(list(range(24)))
    start, goal, c = world._state, world._goal, world.config
    assert not world.success().any()
    moved = np.linalg.norm(goal[:, 2:4] - start[:, 2:4], axis=1)
    turned = np.abs(np.mod(goal[:, 4] - start[:, 4] + np.pi, 2 * np.pi) - np.pi)
    assert ((moved >= c.moved_pixels) | (turned >= c.moved_radians)).all()
    assert on_table(goal).all()
    # An agent that does not touch the block cannot reach it, wherever it goes.
    aside = start.copy()
    aside[:, :2] = goal[:, :2]
    assert not world._reached(aside, goal).any()


def test_the_goal_can_be_reached_by_what_the_policy_did() -> None:
    """Start and goal are of one trajectory: its actions, acted from the start, lead there."""
    world = PushT(batch=1)
    for seed in range(6):
        world.reset([seed])
        table, generator = Table(), np.random.default_rng(seed)
        states = world._trajectory(table, generator, 100)
        hits = np.flatnonzero((states == world._state[0]).all(axis=1))
        if not len(hits):
            continue  # the first trajectory gave no goal
        first = int(hits[0])
        assert (states[first + 25] == world._goal[0]).all()
        for step in range(25):
            # The agent's target is not kept; what is known is where the policy brought it.
            here = states[first + step + 1]
            assert np.abs(here[:2] - states[first + step][:2]).max() < 25
        return
    pytest.fail("no seed's first trajectory gave its goal")


def test_success_is_dino_wms() -> None:
    world = PushT(batch=1)
    goal = START[None]
    for shift, turn, reached in (((11, 9, 9, 9), 0.3, True), ((12, 12, 12, 0), 0, False), ((0, 0, 0, 0), 0.36, False)):
        state = goal.copy()
        state[0, :4] += shift
        state[0, 4] += turn + 2 * np.pi
        assert bool(world._reached(state, goal)[0]) is reached


def test_scripted_policy_seeks_contact_where_a_random_one_does_not() -> None:
    world = PushT(batch=12)

    def displaced(act: object) -> float:
        observation = world.reset(list(range(12)))
        generator, before, moved = np.random.default_rng(0), world._state.copy(), []
        for step in range(75):
            if act == "scripted":
                control = policy(observation, world.actions, generator)
            else:
                control = generator.uniform(-1, 1, size=(12, 2)).astype(np.float32)
            observation = world.step(control).observation
            if step % 25 == 24:
                moved.append(world._displaced(before, world._state).mean())
                before = world._state.copy()
        return float(np.mean(moved))

    policy = world.scripted()
    assert displaced("scripted") > max(0.6, 2 * displaced("uniform"))


def test_looks_change_the_picture_and_nothing_else() -> None:
    look = Look(floor=(90, 120, 60), zoom=0.8, gain=0.7)
    plain, shifted = PushT(batch=2), PushT(PushTConfig(look=look, block=(200, 60, 20)), batch=2)
    one, other = plain.reset([5, 6]), shifted.reset([5, 6])
    assert (one.values["state"] == other.values["state"]).all()
    assert (one.values["top"] != other.values["top"]).any()


def test_contract_with_one_row_and_other_distances() -> None:
    world = PushT(PushTConfig(goal_steps=50, side_pixels=32), batch=1)
    assert check_env(world, steps=4) == []
    with pytest.raises(ContractError, match="goal_steps"):
        PushTConfig(goal_steps=0)
