from pathlib import Path

import numpy as np
import pytest

from monde.agents.policies import RandomPolicy, make_policy
from monde.errors import UsageError, WorldError
from monde.protocols import Observation
from monde.types import ActionSpec
from monde.worlds import make

BOX = ActionSpec(low=(-1.0, 0.0), high=(1.0, 5.0), dt_seconds=0.1)
CHOICES = ActionSpec(choices=3, dt_seconds=0.1)


def _drive(policy, actions: ActionSpec, steps: int, batch: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    seen = [Observation({"state": np.zeros((batch, 1))}, np.full(batch, step / 10)) for step in range(steps)]
    return np.stack([policy(moment, actions, generator) for moment in seen])


def test_random_is_uniform_over_the_box_and_held() -> None:
    drawn = _drive(make_policy("random"), BOX, 200, 400)
    assert drawn.dtype == np.float32
    flat = drawn.reshape(-1, 2)
    assert (np.abs(flat.mean(0) - [0, 2.5]) < [0.05, 0.1]).all()
    assert (np.abs(flat.std(0) - np.array([2, 5]) / np.sqrt(12)) < 0.05).all()
    changes = (drawn[1:] != drawn[:-1]).any(2)
    # Holds of 1 to 8 steps, mean 4.5, and each row at its own times.
    assert abs(changes.mean() - 1 / 4.5) < 0.01
    last = np.zeros(400, dtype=int)
    for step, changed in enumerate(changes, start=1):
        assert (step - last[changed] <= 8).all()
        last[changed] = step
    assert len(np.unique(changes[:20], axis=1).T) > 100


def test_uniform_is_fresh_each_step() -> None:
    drawn = _drive(make_policy("uniform"), BOX, 50, 8)
    assert (drawn[1:] != drawn[:-1]).any(2).all()


def test_discrete_draws_are_one_hot_and_equally_likely() -> None:
    drawn = _drive(make_policy("random"), CHOICES, 200, 200)
    assert (drawn.sum(2) == 1).all()
    assert np.abs(drawn.mean((0, 1)) - 1 / 3).max() < 0.02


def test_the_generator_is_the_only_randomness() -> None:
    one, same, other = (_drive(make_policy("random"), BOX, 30, 4, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_new_episode_starts_with_a_new_draw() -> None:
    policy, generator = RandomPolicy(hold=1000), np.random.default_rng(0)

    def act(*times: float) -> np.ndarray:
        return policy(Observation({"state": np.zeros((2, 1))}, np.array(times, dtype=np.float64)), BOX, generator)

    first, held, half = act(0, 0), act(0.1, 0.1), act(0.2, 0)
    assert np.array_equal(first, held)
    assert np.array_equal(half[0], first[0])
    assert not np.array_equal(half[1], first[1])


def test_holding_brings_more_episodes_through_the_door() -> None:
    def crossed(name: str) -> float:
        world, policy, generator = make("tworoom", 200), make_policy(name), np.random.default_rng(0)
        seen = world.reset(range(200))
        left = [seen.values["state"][:, 0] < 32]
        for _ in range(100):
            seen = world.step(policy(seen, world.actions, generator)).observation
            left.append(seen.values["state"][:, 0] < 32)
        return float((np.stack(left).any(0) & ~np.stack(left).all(0)).mean())

    assert crossed("random") > 2 * crossed("uniform")


def test_scripted_belongs_to_the_world() -> None:
    world = make("pointmass", 2)
    policy = make_policy("scripted", world)
    assert policy(world.reset([1, 2]), world.actions, np.random.default_rng(0)).shape == (2, 2)
    with pytest.raises(UsageError, match="gym:CartPole-v1 has no scripted policy"):
        make_policy("scripted", make("gym:CartPole-v1", 1))


@pytest.fixture
def user_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "users_own_policy.py").write_text(
        "import numpy as np\n"
        "limit = 3\n"
        "def right(observation, actions, generator):\n"
        "    return np.tile(np.array([1.0, 0.0]), (observation.batch, 1))\n"
        "def narrow(observation, actions, generator):\n"
        "    return np.zeros((observation.batch, 1))\n"
        "def listed(observation, actions, generator):\n"
        "    return [[0.0, 0.0]] * observation.batch\n"
        "def wild(observation, actions, generator):\n"
        "    return np.full((observation.batch, 2), 7.0)\n"
        "def broken(observation, actions, generator):\n"
        "    return 1 / 0\n"
    )
    (tmp_path / "users_bad_import.py").write_text("import a_library_that_is_missing\n")
    monkeypatch.chdir(tmp_path)
    return "users_own_policy"


def test_a_users_policy_from_the_current_folder(user_module: str) -> None:
    world = make("tworoom", 3)
    seen = world.reset([1, 2, 3])
    policy = make_policy(f"{user_module}:right")
    moved = world.step(policy(seen, world.actions, np.random.default_rng(0))).observation
    assert (moved.values["state"][:, 0] >= seen.values["state"][:, 0]).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("randm", "did you mean 'random'"),
        ("no_such_users_module:f", "there is no module 'no_such_users_module'"),
        ("users_own_policy:lft", "one of broken, listed, narrow, right, wild"),
        ("users_own_policy:limit", "no function 'limit'"),
        ("users_bad_import:f", "install a_library_that_is_missing"),
        ("users_own_policy:", "no function ''"),
        (":right", "cannot be imported"),
    ],
)
def test_policies_that_do_not_exist(user_module: str, name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_policy(name)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("function", "message", "error"),
    [
        ("narrow", "wrong shape. Got: [2, 1]", UsageError),
        ("listed", "does not return actions. Got: list", UsageError),
        ("broken", "ZeroDivisionError", UsageError),
        ("wild", "out of bounds", WorldError),
    ],
)
def test_policies_that_misbehave(user_module: str, function: str, message: str, error: type[Exception]) -> None:
    world = make("tworoom", 2)
    seen = world.reset([1, 2])
    policy = make_policy(f"{user_module}:{function}")
    with pytest.raises(error) as caught:
        world.step(policy(seen, world.actions, np.random.default_rng(0)))
    assert message in str(caught.value)
