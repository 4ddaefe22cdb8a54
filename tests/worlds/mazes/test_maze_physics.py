"""The rows of a maze move as the real environments do."""

import importlib

import numpy as np
import pytest

from monde.worlds import MAZES, MazeConfig, MazeWorld

_POINTS = [name for name, kind in MAZES.items() if kind.body == "point"]


def _controls(steps: int, batch: int, seed: int = 0) -> np.ndarray:
    """Actions held for a while: into walls and along them."""
    drawn = np.random.default_rng(seed).uniform(-1, 1, (steps // 10 + 1, batch, 2))
    return np.repeat(drawn, 10, axis=0)[:steps].astype(np.float32)


@pytest.mark.parametrize("name", _POINTS)
def test_points_move_as_in_an_environment_of_their_own(name: str) -> None:
    ogbench = importlib.import_module("ogbench.locomaze.maze")
    world = MazeWorld(MazeConfig(maze=name), batch=3)
    start = world.reset([1, 2, 3]).values["state"]
    controls = _controls(120, 3)
    rows = np.stack([start, *(world.step(c).observation.values["state"] for c in controls)])
    places = np.stack([world.places()])[0]
    for row in range(3):
        env = ogbench.make_maze_env("point", "maze", maze_type=MAZES[name].maze)
        env.reset(seed=5)
        world.reset([1, 2, 3])
        env.set_xy(world.places()[row])
        alone = [env.get_ob()]
        alone += [env.step(c.astype(np.float64))[0] for c in controls[:, row]]
        assert np.abs(rows[:, row] - np.array(alone)).max() < 1e-5
        assert np.abs(places[row] - alone[-1]).max() < 1e-6


def test_the_ball_moves_as_in_an_environment_of_its_own() -> None:
    module = importlib.import_module("gymnasium_robotics.envs.maze.point_maze")
    world = MazeWorld(MazeConfig(maze="pointmaze_umaze"), batch=2)
    world.reset([4, 9])
    controls = _controls(200, 2)
    starts = world.places()
    rows = np.stack([world.step(c).observation.values["state"] for c in controls])
    assert np.abs(rows[..., 2:]).max() > 2  # it does get up speed
    for row in range(2):
        env = module.PointMazeEnv(maze_map=module.U_MAZE)
        env.reset(seed=0)
        env.point_env.set_state(starts[row], np.zeros(2))
        alone = np.array([env.step(c.astype(np.float64))[0]["observation"] for c in controls[:, row]])
        assert np.abs(rows[:, row] - alone).max() < 1e-5


@pytest.mark.parametrize("name", [*_POINTS, "pointmaze_umaze"])
def test_walls_hold(name: str) -> None:
    world = MazeWorld(MazeConfig(maze=name), batch=24)
    world.reset(range(24))
    kind = world.kind
    cells = world.layout.cell_of(world.places())
    hit = 0
    for c in np.clip(3 * _controls(60, 24), -1, 1):
        before, after = world.places(), (world.step(c), world.places())[1]
        # A push sinks in a little before the contact pushes back; it never reaches the wall's other side.
        assert (world.layout.clearance(after) > 0).all()
        hit += int((world.layout.clearance(after) < 1.05 * kind.radius).sum())
        moved = world.layout.cell_of(after)
        assert (np.abs(moved - cells).max(axis=1) <= 1).all()
        assert (np.abs(after - before).max(axis=1) < 3 * kind.reach).all()
        cells = moved
    assert hit > 20


def test_two_pictures_tell_the_velocity_of_the_ball() -> None:
    world = MazeWorld(MazeConfig(maze="pointmaze_umaze"), batch=3)
    seen = [world.reset([1, 2, 3])]
    seen += [world.step(c).observation for c in _controls(12, 3)]
    tops = [observation.values["top"] for observation in seen]
    for step, observation in enumerate(seen):
        assert np.array_equal(observation.values["before"], tops[max(step - 5, 0)])
    assert not np.array_equal(seen[-1].values["before"], tops[-1])
    goal = world.goal().values
    assert np.array_equal(goal["before"], goal["top"])  # at rest
