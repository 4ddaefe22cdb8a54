import numpy as np
import pytest

from monde.errors import ContractError, WorldError
from monde.worlds import TwoRoom, TwoRoomConfig, make
from monde.worlds.two_room import slide


def _controls(steps: int, batch: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (steps, batch, 2)).astype(np.float32)


def test_rows_do_not_depend_on_the_batch() -> None:
    many, one = make("tworoom_doorless", 33), make("tworoom_doorless", 1)
    controls = _controls(12, 33)
    wide = [many.reset(range(33))] + [many.step(c).observation for c in controls]
    for row in (0, 5, 32):
        narrow = [one.reset([row])] + [one.step(c[row : row + 1]).observation for c in controls]
        for a, b in zip(wide, narrow, strict=True):
            assert np.array_equal(a.values["top"][row], b.values["top"][0])
            assert np.array_equal(a.values["state"][row], b.values["state"][0])
        assert np.array_equal(many.goal().values["top"][row], one.goal().values["top"][0])


def test_free_motion_is_two_pixels_by_action() -> None:
    world = make("tworoom", 200)
    before = world.reset(range(200)).values["state"]
    free = (np.abs(before[:, 0] - 32) > 8) & (before > 9).all(1) & (before < 55).all(1)
    assert free.sum() > 50
    controls = _controls(1, 200)[0]
    after = world.step(controls).observation
    assert np.allclose(after.values["state"][free], (before + 2 * controls)[free], atol=1e-4)
    assert np.allclose(after.times_seconds, 0.1)


@pytest.mark.parametrize("step_pixels", [2.0, 7.0, 40.0])
@pytest.mark.parametrize("door", ["random", "none"])
def test_walls_are_never_crossed_but_through_the_door(step_pixels: float, door: str) -> None:
    config = TwoRoomConfig(door=door, step_pixels=step_pixels)
    world = TwoRoom(config, batch=128)
    left = world.reset(range(128)).values["state"][:, 0] < 32
    # Steps with much of their length at the bounds: into walls, along them, into corners.
    controls = np.clip(2 * _controls(80, 128), -1, 1)
    crossed = 0
    for c in controls:
        state = world.step(c).observation.values["state"].astype(np.float64)
        now = state[:, 0] < 32
        inside = np.abs(state[:, 0] - 32) < 2 + 2.5 - 1e-4
        if door == "none":
            assert not inside.any()
            assert np.array_equal(now, left)
        else:
            assert (np.abs(state[inside, 1] - world.door[inside]) <= 6 - 2.5 + 1e-4).all()
            crossed += int((now != left).sum())
        left = now
        assert (state > 5.5 - 1e-4).all()
        assert (state < 58.5 + 1e-4).all()
    assert door == "none" or crossed > 3


def test_slide_is_cut_at_the_face_and_goes_on_along_it() -> None:
    block = np.array([[[10.0, -100.0, 20.0, 100.0]]])
    end = slide(np.array([[5.0, 50.0]]), np.array([[40.0, 8.0]]), block, (0.0, 64.0), pieces=80)
    assert end[0, 0] == 10.0  # exactly on the face
    assert end[0, 1] == pytest.approx(58.0)
    start = np.array([[5.0, 50.0]])
    slide(start, np.array([[1.0, 1.0]]), block, (0.0, 64.0), pieces=4)
    assert np.array_equal(start, [[5.0, 50.0]])  # arguments are left alone


def test_position_is_readable_from_pixels_far_below_a_pixel() -> None:
    world = make("tworoom", 256)
    picture = world.reset(range(256)).values["top"].astype(np.float64)
    # The centre of redness over the floor, which is all that a probe has.
    red = np.clip(picture[:, 0] - picture[:, 1] - 10, 0, None)
    places = np.arange(64) + 0.5
    x = (red.sum(1) * places).sum(1) / red.sum((1, 2))
    y = (red.sum(2) * places).sum(1) / red.sum((1, 2))
    error = np.stack([x, y], 1) - world.step(np.zeros((256, 2), np.float32)).observation.values["state"]
    assert np.abs(error).max() < 0.1


def test_start_and_goal_are_uniform_over_free_space() -> None:
    world = make("tworoom", 2000)
    start = world.reset(range(2000)).values["state"]
    goal = world.goal().values["state"]
    for place in (start, goal):
        assert np.abs((place[:, 0] < 32).mean() - 0.5) < 0.04
        in_room = place[place[:, 0] < 27.5]
        assert np.abs(in_room.mean(0) - [16.5, 32]).max() < 1.0
        assert np.abs(in_room.std(0) - np.array([22, 53]) / np.sqrt(12)).max() < 0.8
    assert np.abs(np.corrcoef(start[:, 1], goal[:, 1])[0, 1]) < 0.08


def test_doors() -> None:
    fixed, drawn, mixed = (make(name, 400) for name in ("tworoom", "tworoom_doors", "tworoom_doorless"))
    for world in (fixed, drawn, mixed):
        world.reset(range(400))
    assert (fixed.door == 32).all()
    assert drawn.door.min() < 14 < 50 < drawn.door.max()
    assert 0.13 < np.isnan(mixed.door).mean() < 0.27
    both = ~np.isnan(mixed.door)
    assert np.array_equal(mixed.door[both], drawn.door[both])
    assert drawn.reachable().all()
    assert not mixed.reachable()[~both].all()
    assert mixed.reachable()[both].all()


def test_goal_in_the_other_room() -> None:
    world = TwoRoom(TwoRoomConfig(goal_room="other"), batch=100)
    start = world.reset(range(100)).values["state"]
    assert ((start[:, 0] < 32) != (world.goal().values["state"][:, 0] < 32)).all()


def test_success_is_within_four_pixels() -> None:
    world = make("tworoom", 500)
    world.reset(range(500))
    reached = []
    for control in _controls(30, 500):
        state = world.step(control).observation.values["state"]
        gap = np.linalg.norm(state - world.goal().values["state"], axis=1)
        assert np.allclose(world.goal_distance(), gap, atol=1e-4)
        assert np.array_equal(world.success(), world.goal_distance() <= 4.0)
        reached.append(world.success())
    assert 0 < np.stack(reached).mean() < 0.2


def test_goal_picture_is_the_same_layout() -> None:
    world = make("tworoom_doors", 8)
    seen, goal = world.reset(range(8)).values["top"], world.goal().values["top"]
    differ = (seen != goal).any(1)
    assert (differ.sum((1, 2)) <= 2 * 36).all()  # two discs, nothing else
    assert differ.any((1, 2)).all()


def test_scripted_policy_goes_through_doors() -> None:
    world = make("tworoom_doorless", 64)
    seen = world.reset(range(64))
    policy, generator = world.scripted(), np.random.default_rng(0)
    rooms = [seen.values["state"][:, 0] < 32]
    for _ in range(120):
        seen = world.step(policy(seen, world.actions, generator)).observation
        rooms.append(seen.values["state"][:, 0] < 32)
    visited = np.stack(rooms).any(0) & ~np.stack(rooms).all(0)
    has_door = ~np.isnan(world.door)
    assert visited[has_door].mean() > 0.95
    assert not visited[~has_door].any()


def test_observations_do_not_change_afterwards() -> None:
    world = make("tworoom", 2)
    first = world.reset([1, 2])
    kept = {name: array.copy() for name, array in first.values.items()}
    world.step(np.ones((2, 2), np.float32))
    assert all(np.array_equal(first.values[name], kept[name]) for name in kept)


def test_refusals() -> None:
    world = make("tworoom", 2)
    with pytest.raises(WorldError, match="no episode yet"):
        world.step(np.zeros((2, 2), np.float32))
    with pytest.raises(WorldError, match="one seed per row"):
        world.reset([1])
    with pytest.raises(WorldError, match="negative"):
        world.reset([1, -1])
    world.reset([1, 2])
    for controls, message in (
        (np.zeros((2, 3), np.float32), "wrong width"),
        (np.zeros((3, 2), np.float32), "wrong width"),
        (np.full((2, 2), np.nan, np.float32), "not finite"),
        (np.array([[0, 0], [0, 1.01]], np.float32), r"row 1: \[0, 1\.01\]"),
    ):
        with pytest.raises(WorldError, match=message):
            world.step(controls)
    world.step(np.full((2, 2), 1 + 5e-5, np.float32))  # float rounding is no offence


@pytest.mark.parametrize(
    "wrong",
    [{"doorless": 1.5}, {"door_pixels": 4.0}, {"radius_pixels": 20.0}, {"step_pixels": 0.0}],
)
def test_config_refusals(wrong: dict) -> None:
    with pytest.raises(ContractError):
        TwoRoomConfig(**wrong)


def test_scripted_policy_walks_into_walls_too() -> None:
    world = TwoRoom(TwoRoomConfig(door="random"), batch=64)
    observation = world.reset(list(range(64)))
    policy, generator = world.scripted(), np.random.default_rng(0)
    blocked = 0
    for _ in range(60):
        place = observation.values["state"]
        action = policy(observation, world.actions, generator)
        observation = world.step(action).observation
        short = np.abs(observation.values["state"][:, 0] - place[:, 0]) < np.abs(action[:, 0])
        blocked += int((short & (np.abs(place[:, 0] - 32) < 6)).sum())
    assert blocked > 0.1 * 64 * 60
