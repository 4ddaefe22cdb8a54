"""OGBench's ant in its maze."""

import importlib

import numpy as np

from monde.worlds import MazeConfig, MazeWorld, make
from monde.worlds.mazes import Walker


def test_the_ant_moves_as_in_an_environment_of_its_own() -> None:
    ogbench = importlib.import_module("ogbench.locomaze.maze")
    world = MazeWorld(MazeConfig(maze="antmaze_medium"), batch=2)
    start = world.reset([3, 8])
    controls = np.random.default_rng(0).uniform(-1, 1, (25, 2, 8)).astype(np.float32)
    exact = world._states.copy()
    rows = np.stack([world.step(c).observation.values["state"] for c in controls])
    assert start.values["state"].shape == (2, 29)
    for row in range(2):
        env = ogbench.make_maze_env("ant", "maze", maze_type="medium")
        env.reset(seed=0)
        env.reset_model()
        env.set_state(exact[row, 1:16], exact[row, 16:30])
        env.data.qacc_warmstart[:] = 0
        alone = np.array([env.step(c.astype(np.float64))[0] for c in controls[:, row]])
        assert np.abs(rows[:, row] - alone).max() < 1e-4


def test_the_ant_walks_every_way() -> None:
    world = MazeWorld(MazeConfig(maze="antmaze_medium"), batch=8)
    seen = world.reset([1] * 8)
    before = world.places()
    turns = np.arange(8) * np.pi / 4
    walker = world.scripted()
    assert isinstance(walker, Walker)
    way = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    for _ in range(40):
        state = seen.values["state"].astype(np.float64)
        torques = np.clip(walker._push(way, state, seen.times_seconds), -1, 1).astype(np.float32)
        seen = world.step(torques).observation
    moved = ((world.places() - before) * way).sum(axis=1)
    assert (moved > 0.5).sum() >= 6  # a wall may be in the way of some
    assert seen.values["state"][:, 2].min() > 0.2  # none lies on its back


def test_the_pose_of_the_ant_is_seen() -> None:
    """Two poses at one place give two pictures, one pose at two places a shifted one."""
    world = make("antmaze_medium", 2)
    assert isinstance(world, MazeWorld)
    world.reset([5, 5])
    states = world._states.copy()
    states[1, 8:16] = -0.3 * np.sign(states[1, 8:16]) + states[1, 8:16]
    top = world._sensed(states)["top"].astype(int)
    changed = (np.abs(top[0] - top[1]).max(axis=0) > 10).sum()
    assert 6 <= changed <= 150
