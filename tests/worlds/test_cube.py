from collections.abc import Iterator

import numpy as np
import pytest

from monde.errors import ContractError
from monde.worlds.cube import Cube, CubeConfig
from monde.worlds.cube.arm import CUBE, Arm
from monde.worlds.cube.config import LOOK
from monde.worlds.drawing import Look


@pytest.fixture(scope="module")
def world() -> Iterator[Cube]:
    made = Cube(batch=2)  # its contract is tested with that of all worlds
    yield made
    made.close()


def test_moves_as_ogbenchs_environment_does() -> None:
    arm, other = Arm(), Arm()
    arm.begin(np.random.default_rng(5))
    other.begin(np.random.default_rng(5))
    env = other._env
    for action in np.random.default_rng(0).uniform(-1, 1, size=(12, 5)):
        arm.step(action)
        env.step(action)  # type: ignore[attr-defined]
    assert (arm.state() == other.state()).all()
    # Put back into a state, it goes on from there: to rounding, as what follows from a state is computed anew.
    full, goes_on = arm.full(), np.full(5, 0.5)
    arm.step(goes_on)
    there = arm.state()
    other.begin(np.random.default_rng(9))
    other.put(full)
    other.step(goes_on)
    assert other.state() == pytest.approx(there, abs=2e-3)


def test_goals_displace_the_cube_by_the_oracles_own_hand(world: Cube) -> None:
    for first in (0, 2):
        world.reset([first, first + 1])
        assert not world.success().any()
        assert (world.goal_distance() >= world.config.moved_metres).all()
    state, goal = world._state.copy(), world._goal
    state[:, CUBE] = goal[:, CUBE] + [0.0, 0.039, 0.0]
    assert world._reached(state, goal).all()
    state[:, CUBE] = goal[:, CUBE] + [0.0, 0.041, 0.0]
    assert not world._reached(state, goal).any()


def test_the_oracle_moves_the_cube(world: Cube) -> None:
    observation = world.reset([3, 4])
    policy, generator = world.scripted(), np.random.default_rng(0)
    places = [observation.values["state"][:, CUBE]]
    for _ in range(90):
        observation = world.step(policy(observation, world.actions, generator)).observation
        places.append(observation.values["state"][:, CUBE])
    track = np.stack(places)
    assert (np.ptp(track[:, :, 2], axis=0) > 0.05).all()  # it was lifted
    assert (np.linalg.norm(np.ptp(track[:, :, :2], axis=0), axis=-1) > 0.08).all()  # and carried


def test_the_cube_is_seen_where_it_is(world: Cube) -> None:
    """Its picture moves with it: right in the picture is +y, and farther from the robot (+x) is lower."""
    world.reset([0, 1])
    state = world._state.copy()
    state[:, CUBE.start - 7 : CUBE.start] = state[:, :7]
    columns, lines = [], []
    joints = world._arm.model.jnt_qposadr[world._arm.model.joint("object_joint_0").id] + 12
    for x, y in ((0.4, -0.2), (0.4, 0.2), (0.55, 0.2)):
        state[:, joints : joints + 3] = x, y, 0.02
        frame = world._paint(state)[0].astype(int)
        line, column = np.nonzero((frame[0] > 1.8 * frame[1]) & (frame[0] > 1.8 * frame[2]))
        assert len(line) >= 6
        columns.append(column.mean())
        lines.append(line.mean())
    assert columns[1] - columns[0] > 15
    assert lines[2] - lines[1] > 5


def test_looks_change_the_picture_and_nothing_else(world: Cube) -> None:
    shifted = Cube(CubeConfig(look=Look(floor=(90, 120, 60), agent=LOOK.agent, zoom=0.8, gain=0.7)), batch=1)
    one, other = world.reset([5, 6]), shifted.reset([5])
    shifted.close()
    assert (one.values["state"][:1] == other.values["state"]).all()
    assert (one.values["top"][:1] != other.values["top"]).mean() > 0.5


def test_goals_that_need_nothing_done_are_refused() -> None:
    with pytest.raises(ContractError, match="doing nothing"):
        CubeConfig(moved_metres=0.03)
