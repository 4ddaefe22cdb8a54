from collections.abc import Callable

import numpy as np
import pytest

from monde.data import EpisodeData
from monde.errors import ContractError
from monde.types import ActionSpec, Sensor

STATE = (Sensor(name="state", kind="state", shape=(2,), rate_hz=10.0),)
BOX = ActionSpec(low=(-1.0,), high=(1.0,), dt_seconds=0.1)


def make(**changes: object) -> EpisodeData:
    parts: dict[str, object] = {
        "values": {"state": np.zeros((4, 2), np.float32)},
        "times_seconds": np.arange(4.0),
        "actions": np.zeros((3, 1), np.float32),
    }
    return EpisodeData(**(parts | changes))  # type: ignore[arg-type]


def test_accepts_what_fits() -> None:
    data = make()
    data.check(STATE, BOX)
    assert data.steps == 4
    assert "float32[4×2]" in repr(data)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"times_seconds": np.array([0.0, 1.0, 1.0, 2.0])}, "does not go forward"),
        ({"times_seconds": np.arange(4, dtype=np.float32)}, "times_seconds is unusable"),
        ({"values": {}}, "no sensor"),
        ({"values": {"state": np.zeros((3, 2), np.float32)}}, "does not line up"),
        ({"values": {"state": np.zeros((4, 2), np.int64)}}, "wrong dtype"),
        ({"values": {"state": np.array([[0, 0], [0, np.nan], [0, 0], [0, 0]], np.float32)}}, "first at step 1"),
        ({"values": {"state": np.full((4, 2), 1e300)}}, "not finite"),
        ({"actions": np.zeros((4, 1), np.float32)}, "actions does not line up"),
        ({"actions": np.full((3, 1), np.inf, np.float32)}, "actions is not finite"),
        ({"task": "x" * 201}, "task is too long"),
    ],
)
def test_refuses_itself(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ContractError, match=complaint):
        make(**changes)


@pytest.mark.parametrize(
    ("changes", "sensors", "actions", "complaint"),
    [
        ({"values": {"other": np.zeros((4, 2), np.float32)}}, STATE, BOX, "other sensors"),
        ({"values": {"state": np.zeros((4, 3), np.float32)}}, STATE, BOX, "wrong shape"),
        ({"values": {"state": np.zeros((4, 2), np.uint8)}}, STATE, BOX, "wrong dtype"),
        ({"actions": None}, STATE, BOX, "whether there are actions"),
        ({}, STATE, None, "whether there are actions"),
        ({"actions": np.zeros((3, 2), np.float32)}, STATE, BOX, "wrong width"),
        ({"actions": np.full((3, 1), 1.5, np.float32)}, STATE, BOX, "out of bounds"),
        ({"actions": np.full((3, 2), 0.5)}, STATE, ActionSpec(choices=2, dt_seconds=0.1), "not one-hot"),
    ],
)
def test_refuses_another_recordings_sensors(
    changes: dict[str, object], sensors: tuple[Sensor, ...], actions: ActionSpec | None, complaint: str
) -> None:
    with pytest.raises(ContractError, match=complaint):
        make(**changes).check(sensors, actions)


def test_does_not_hold_a_mapping_that_can_change(make_episode: Callable[..., EpisodeData]) -> None:
    with pytest.raises(TypeError):
        make_episode(3).values["top"] = np.zeros(1)  # type: ignore[index]
