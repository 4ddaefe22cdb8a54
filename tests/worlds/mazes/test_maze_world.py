"""Seeds, goals and bad input of mazes."""

import numpy as np
import pytest

from monde.errors import ContractError, UsageError, WorldError
from monde.worlds import MAZES, Look, MazeConfig, MazeWorld, far_names, make, split_distance


def test_rows_do_not_depend_on_the_batch() -> None:
    many, one = make("pointmaze_medium@50", 9), make("pointmaze_medium@50", 1)
    controls = np.random.default_rng(0).uniform(-1, 1, (15, 9, 2)).astype(np.float32)
    wide = [many.reset(range(9))] + [many.step(c).observation for c in controls]
    for row in (0, 4, 8):
        narrow = [one.reset([row])] + [one.step(c[row : row + 1]).observation for c in controls]
        for a, b in zip(wide, narrow, strict=True):
            assert np.array_equal(a.values["top"][row], b.values["top"][0])
            assert np.array_equal(a.values["state"][row], b.values["state"][0])
        goals = many.goal(), one.goal()
        assert goals[0] is not None
        assert goals[1] is not None
        assert np.array_equal(goals[0].values["top"][row], goals[1].values["top"][0])


@pytest.mark.parametrize(("name", "steps"), [("umaze", 25), ("medium", 25), ("medium", 100), ("large", 50)])
def test_goals_lie_as_far_away_as_declared(name: str, steps: int) -> None:
    world = MazeWorld(MazeConfig(maze=f"pointmaze_{name}", distance_steps=steps), batch=40)
    world.reset(range(40))
    distance = world.steps_to_goal()
    assert (np.abs(distance - steps) <= 0.2 * steps).all()
    assert distance.std() > 0
    assert not world.success().any()
    assert np.allclose(world.goal_distance(), distance * world.kind.reach)


def test_a_walker_that_knows_the_way_takes_as_long_as_declared() -> None:
    """The distance is not only a number: the body itself needs that many steps, and no fewer."""
    world = MazeWorld(MazeConfig(maze="pointmaze_medium", distance_steps=50), batch=12)
    world.reset(range(12))
    goals = world.goal().values["state"].astype(np.float64)
    corridors = world.ways
    fields = np.stack([corridors.field(goal) for goal in goals])
    moves = np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]) * 0.4
    took = np.full(12, -1)
    for step in range(1, 90):
        here = world.places()
        options = np.stack([corridors.steps(here + move, goals, fields) for move in moves])
        open_ = np.stack([world.layout.clearance(here + move) >= 0.69 for move in moves])
        best = moves[np.where(open_, options, np.inf).argmin(axis=0)]
        near = np.abs(goals - here).max(axis=1, keepdims=True) < 0.4
        way = np.where(near, goals - here, best)
        world.step(np.clip(way / 0.2, -1, 1).astype(np.float32))
        took = np.where((took < 0) & (np.abs(world.places() - goals).max(axis=1) < 0.25), step, took)
    assert (took > 0).all()
    assert (took >= 38).all()  # 50 less the slack of 20% less the last step
    assert np.median(took) <= 62


def test_goals_anywhere_are_never_reached_at_the_start() -> None:
    for name in MAZES:
        world = make(name, 100)
        world.reset(range(100))
        assert not world.success().any()
        distance = world.goal_distance()
        assert distance is not None
        assert distance.max() > 3 * distance.min()


def test_a_random_walk_rarely_succeeds() -> None:
    world = MazeWorld(MazeConfig(maze="pointmaze_medium", distance_steps=50), batch=60)
    world.reset(range(60))
    generator = np.random.default_rng(0)
    reached = world.success()
    for _ in range(100):
        world.step(generator.uniform(-1, 1, (60, 2)).astype(np.float32))
        reached |= world.success()
    assert reached.mean() < 0.1


def test_success_is_at_the_goal() -> None:
    world = MazeWorld(MazeConfig(maze="pointmaze_medium", distance_steps=10), batch=20)
    world.reset(range(20))
    goals = world.goal().values["state"]
    for _ in range(25):  # in a straight line: most of these are in sight
        world.step(np.clip((goals - world.places()) / 0.2, -1, 1).astype(np.float32))
    gap = np.sqrt(((world.places() - goals) ** 2).sum(axis=1))
    assert np.array_equal(world.success(), gap <= 1.0)
    assert world.success().mean() > 0.5
    assert (world.steps_to_goal()[world.success()] < 8).all()


def test_the_tasks_are_those_of_ogbench() -> None:
    world = make("pointmaze_giant_tasks", 40)
    assert isinstance(world, MazeWorld)
    start = world.reset(range(40)).values["state"]
    goal = world.goal().values["state"]
    # ogbench/locomaze/maze.py: (row, column) of start and goal, a cell is 4 wide, cell (1, 1) at (0, 0), noise of 1.
    tasks = np.array([[(1, 1), (10, 14)], [(1, 14), (10, 1)], [(8, 14), (1, 1)], [(8, 3), (5, 12)], [(5, 9), (3, 8)]])
    pairs = tasks[:, :, ::-1] * 4.0 - 4.0
    gaps = np.abs(np.stack([start, goal], axis=1)[:, None] - pairs[None]).max(axis=(2, 3))
    assert (gaps.min(axis=1) <= 1.0).all()
    assert len(set(gaps.argmin(axis=1).tolist())) == 5


def test_names_tell_distances() -> None:
    assert split_distance("pointmaze_giant@100") == ("pointmaze_giant", 100)
    assert split_distance("tworoom") == ("tworoom", None)
    assert set(MAZES) <= set(far_names())
    assert make("pointmaze_large@100", 1).name == "pointmaze_large@100"


@pytest.mark.parametrize(
    "name", ["pointmaze_medium@", "pointmaze_medium@0", "pointmaze_medium@far", "pointmaze_medium@-5"]
)
def test_a_distance_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="how far away"):
        make(name, 1)


def test_bad_names_and_numbers_are_told() -> None:
    with pytest.raises(UsageError, match="did you mean 'pointmaze_giant'"):
        make("pointmaze_gaint@100", 1)
    with pytest.raises(UsageError, match="cannot be put a given distance away"):
        make("pointmass@50", 1)
    with pytest.raises(ContractError, match=r"unknown maze .* one of pointmaze_umaze"):
        MazeConfig(maze="pointmaze_tiny")
    with pytest.raises(ContractError, match=r"Got: 5000\. Expected: 8 to 1"):
        make("pointmaze_medium@5000", 1)
    with pytest.raises(ContractError, match="at least one row"):
        make("pointmaze_medium", 0)
    with pytest.raises(ContractError, match="not both"):
        MazeConfig(maze="pointmaze_medium", tasks=True, distance_steps=50)
    with pytest.raises(ContractError, match="no evaluation tasks"):
        MazeWorld(MazeConfig(maze="pointmaze_umaze", tasks=True), batch=1)
    with pytest.raises(WorldError, match="no episode yet"):
        make("pointmaze_medium", 1).success()
    with pytest.raises(ContractError, match="colour"):
        Look(floor=(0, 0, 256))
