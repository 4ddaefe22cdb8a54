import numpy as np
import pytest

from monde.errors import UsageError, WorldError
from monde.worlds import RowError, make
from monde.worlds.gymnasium_world import GymnasiumWorld

FAULTY = "gym:worlds.faulty:"


def _make(name: str, batch: int = 2) -> GymnasiumWorld:
    world = make(f"{FAULTY}{name}-v0", batch, imports=True)
    assert isinstance(world, GymnasiumWorld)
    return world


def test_pixels_state_and_clock() -> None:
    world = _make("Counter")
    seen = world.reset([1, 2])
    level = [float(np.random.default_rng(seed).uniform(0, 100)) for seed in (1, 2)]
    assert seen.values["camera"].shape == (2, 3, 64, 64)
    assert (seen.values["camera"] == np.array(level).astype(np.uint8)[:, None, None, None]).all()
    assert np.allclose(seen.values["state"], np.stack([level, [0, 0]], 1))
    seen = world.step(np.zeros((2, 2), np.float32)).observation
    assert np.allclose(seen.times_seconds, 1 / 20)
    assert (seen.values["state"][:, 1] == 1).all()


def test_an_ended_row_repeats_its_last_observation() -> None:
    world = _make("CounterShort")
    world.reset([1, 2])
    transitions = [world.step(np.zeros((2, 2), np.float32)) for _ in range(10)]
    assert [bool(t.ended.all()) for t in transitions] == [False] * 6 + [True] * 4
    last, after = transitions[6].observation, transitions[9].observation
    assert np.array_equal(last.values["camera"], after.values["camera"])
    assert np.array_equal(last.values["state"], after.values["state"])
    assert np.allclose(after.times_seconds, 7 / 20)
    assert world.success().all()
    world.reset([1, 2])
    assert not world.success().any()


def test_discrete_actions_are_one_hot_and_start_where_the_space_does() -> None:
    world = _make("CounterFromTwo", 3)
    assert world.actions.choices == 3
    world.reset([1, 2, 4])
    world.step(np.eye(3, dtype=np.float32)[[2, 0, 1]])
    assert [env.unwrapped.last_action for env in world._envs] == [4, 2, 3]
    for wrong in (np.full((3, 3), 1 / 3, np.float32), np.ones((3, 3), np.float32), np.zeros((3, 3), np.float32)):
        with pytest.raises(WorldError, match="one-hot"):
            world.step(wrong)


def test_goal_environment_gives_its_distance_but_no_picture() -> None:
    world = _make("CounterGoal")
    world.reset([1, 2])
    assert world.goal() is None
    assert np.allclose(world.goal_distance(), 5.0)
    assert [sensor.name for sensor in world.sensors] == ["camera", "state"]


@pytest.mark.parametrize(
    ("name", "error"), [("CounterRaises", "RuntimeError: the gearbox is gone"), ("CounterNaN", "nan")]
)
def test_a_failing_environment_names_row_seed_and_step(name: str, error: str) -> None:
    world = _make(name, 3)
    world.reset([1, 2, 11])  # seeds that are 3 modulo 8 fail at step 5
    for _ in range(4):
        world.step(np.zeros((3, 2), np.float32))
    with pytest.raises(RowError, match=r"row 2 \(seed 11\) at step 5") as caught:
        world.step(np.zeros((3, 2), np.float32))
    assert error in str(caught.value)
    assert (caught.value.row, caught.value.step) == (2, 5)
    if name == "CounterRaises":
        assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize(
    ("name", "message"),
    [("CounterUnbounded", "unbounded actions"), ("CounterTuple", "unsupported kind"), ("Pictureless", "no pixels")],
)
def test_unusable_environments_are_refused(name: str, message: str) -> None:
    with pytest.raises(WorldError, match=message):
        _make(name)


def test_unknown_ids_carry_gymnasiums_own_suggestion() -> None:
    with pytest.raises(UsageError, match=r"Did you mean: `CartPole`"):
        make("gym:CartPol-v1", 1)
    with pytest.raises(UsageError, match="No module named 'no_such_module'"):
        make("gym:no_such_module:X-v0", 1, imports=True)


def test_a_name_that_may_come_from_a_file_imports_nothing() -> None:
    with pytest.raises(UsageError, match="names a module to import"):
        make("gym:antigravity:X-v0", 1)
    import sys

    assert "antigravity" not in sys.modules
