import os
from collections.abc import Sequence

import numpy as np
import pytest

from monde.errors import UsageError
from monde.protocols import Observation, Transition, World
from monde.worlds import ScriptedWorld, TwoRoom, check_env, make, names


@pytest.mark.parametrize("name", [*names(), "gym:CartPole-v1", "gym:Pendulum-v1"])
def test_every_world_keeps_the_contract(name: str) -> None:
    if "campus" in name and "MONDE_SHARED_DATA" not in os.environ:
        pytest.skip("the campus grid is not here: MONDE_SHARED_DATA is not set")
    world = make(name, 3)
    assert isinstance(world, World)
    assert world.name == name
    assert world.batch == 3
    assert check_env(world) == []
    assert isinstance(world, ScriptedWorld) == (not name.startswith("gym:"))
    world.close()


def test_unknown_world_lists_those_that_exist() -> None:
    with pytest.raises(UsageError, match="did you mean 'tworoom'") as caught:
        make("tworom", 1)
    assert "pointmass" in str(caught.value)
    assert "gym:ID" in str(caught.value)


class _Broken:
    """A world with one fault, for the checker to find."""

    def __init__(self, fault: str) -> None:
        self._world, self._fault, self._noise = TwoRoom(batch=2), fault, np.random.default_rng(0)
        self.name, self.batch, self.actions = "broken", 2, self._world.actions
        self.sensors = self._world.sensors

    def reset(self, seeds: Sequence[int]) -> Observation:
        if self._fault == "unseeded":
            seeds = self._noise.integers(1000, size=2).tolist()
        if self._fault == "leaky":
            seeds = [seeds[0], seeds[0] + seeds[1]]
        return self._spoil(self._world.reset(seeds))

    def step(self, controls: np.ndarray) -> Transition:
        if self._fault == "lax":
            controls = np.clip(np.nan_to_num(controls[:, :2]), -1, 1)
        transition = self._world.step(controls)
        return Transition(self._spoil(transition.observation), transition.ended)

    def _spoil(self, seen: Observation) -> Observation:
        values, times = dict(seen.values), seen.times_seconds
        if self._fault == "dtype":
            values["state"] = values["state"].astype(np.float64)
        if self._fault == "shape":
            values["top"] = values["top"].transpose(0, 2, 3, 1)
        if self._fault == "sensors":
            del values["state"]
        if self._fault == "clock":
            times = times + 1
        return Observation(values, times)

    def goal(self) -> Observation | None:
        return None

    def success(self) -> np.ndarray:
        return self._world.success() if self._fault != "success" else self._world.success().astype(np.float64)

    def goal_distance(self) -> np.ndarray | None:
        return None

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("none", None),
        ("unseeded", "does not fully reseed"),
        ("leaky", "rows depend"),
        ("lax", "accepts actions with NaN"),
        ("dtype", "'state' is float64"),
        ("shape", "'top' has shape"),
        ("sensors", "shows sensors"),
        ("clock", "times_seconds"),
    ],
)
def test_checker_finds_faults(fault: str, message: str | None) -> None:
    problems = check_env(_Broken(fault))
    if message is None:
        assert problems == []
    else:
        assert any(message in problem for problem in problems), problems
