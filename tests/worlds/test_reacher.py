import gymnasium
import numpy as np
import pytest

from monde.errors import ContractError
from monde.worlds import check_env
from monde.worlds.drawing import Look
from monde.worlds.reacher import Reacher, ReacherConfig, tips
from monde.worlds.scenes3d.engine import load, rendering


def test_moves_as_gymnasiums_reacher_does() -> None:
    world = Reacher(ReacherConfig(strength=0.3), batch=2)
    state = world.reset([3, 4]).values["state"].astype(np.float64)
    env = gymnasium.make("Reacher-v5").unwrapped
    env.reset(seed=0)
    start = np.array([np.arctan2(state[1, 1], state[1, 0]), np.arctan2(state[1, 3], state[1, 2])])
    env.set_state(np.concatenate([start, env.data.qpos[2:]]), np.zeros(4))
    controls = np.random.default_rng(0).uniform(-1, 1, size=(20, 2))
    for control in controls:
        seen = world.step(np.stack([np.zeros(2), control])).observation
        env.step(0.3 * control)
    assert seen.values["state"][1, 4:6] == pytest.approx(env.data.qvel[:2], abs=1e-4)
    assert seen.values["state"][1, 6:] == pytest.approx(env.get_body_com("fingertip")[:2], abs=1e-5)
    assert np.abs(env.data.qvel[:2]).max() > 0.5
    env.close()
    world.close()


def _middle(mask: np.ndarray) -> np.ndarray:
    assert mask.sum() > 100
    lines, columns = np.nonzero(mask)
    return np.array([columns.mean() + 0.5, lines.mean() + 0.5])


def test_is_drawn_where_mujoco_renders_it() -> None:
    mujoco = load()
    # Thin and in MuJoCo's own measures, so that what is compared is where things are.
    world = Reacher(ReacherConfig(radius_metres=0.01, side_pixels=128, look=Look(agent=(0, 204, 153))), batch=1)
    model = world._model
    model.vis.quality.offsamples = 0
    for hidden in ("target", "root"):
        model.geom_rgba[model.geom(hidden).id, 3] = 0
    camera = mujoco.MjvCamera()
    camera.lookat[:], camera.distance, camera.azimuth, camera.elevation = [0, 0, 0.02], 4.0, 90, -90
    model.vis.global_.fovy = 2 * np.degrees(np.arctan(0.25 / 4))  # half the view at that distance: 0.25 m
    with rendering():
        renderer = mujoco.Renderer(model, 128, 128)
    try:
        for seed in range(4):
            seen = world.reset([seed]).values["top"][0].transpose(1, 2, 0).astype(int)
            data = world._data[0]
            mujoco.mj_forward(model, data)
            renderer.update_scene(data, camera)
            real = renderer.render().astype(int)
            # All of the arm, and nothing else, has little red.
            assert np.abs(_middle(seen[..., 0] < 118) - _middle(real[..., 0] < 84)).max() < 1
    finally:
        renderer.close()


def test_tips_are_where_the_arm_reaches() -> None:
    elbow, tip = tips(np.array([[0.0, 0.0], [np.pi / 2, -np.pi / 2]]))
    assert elbow == pytest.approx(np.array([[0.1, 0], [0, 0.1]]), abs=1e-9)
    assert tip == pytest.approx(np.array([[0.21, 0], [0.11, 0.1]]), abs=1e-9)


def test_never_starts_at_its_goal_and_tells_the_distance() -> None:
    world = Reacher(batch=64)
    seen = world.reset(list(range(64)))
    goal = world.goal()
    assert not world.success().any()
    gap = np.linalg.norm(seen.values["state"][:, 6:] - goal.values["state"][:, 6:], axis=1)
    assert world.goal_distance() == pytest.approx(gap, abs=1e-6)
    assert gap.min() > 0.05
    assert (seen.values["top"] != goal.values["top"]).any(axis=(1, 2, 3)).all()


def test_scripted_policy_reaches_its_poses() -> None:
    """It may be told the goal's pose: then it gets there, as any goal can be reached."""
    world = Reacher(batch=16)
    observation = world.reset(list(range(16)))
    goal = world.goal().values["state"]
    policy, generator = world.scripted(), np.random.default_rng(0)
    policy(observation, world.actions, generator)
    reached = world.success()
    wanted = np.stack([np.arctan2(goal[:, 1], goal[:, 0]), np.arctan2(goal[:, 3], goal[:, 2])], axis=1)
    for _ in range(100):
        steering = {"_target": wanted.astype(np.float64), "_share": np.zeros(16), "_spent": np.zeros(16)}
        vars(policy).update(steering)
        observation = world.step(policy(observation, world.actions, generator)).observation
        reached |= world.success()
    assert reached.all()


def test_scripted_policy_also_swings_the_arm_fast() -> None:
    world = Reacher(batch=64)
    observation, policy, generator = world.reset(list(range(64))), world.scripted(), np.random.default_rng(0)
    speeds = []
    for _ in range(100):
        observation = world.step(policy(observation, world.actions, generator)).observation
        speeds.append(np.abs(observation.values["state"][:, 4]))
    assert np.quantile(speeds, 0.5) < 3
    assert np.quantile(speeds, 0.98) > 6


def test_looks_change_the_picture_and_nothing_else() -> None:
    look = Look(floor=(90, 120, 60), zoom=0.95, gain=0.7)
    plain, shifted = Reacher(batch=2), Reacher(ReacherConfig(look=look), batch=2)
    one, other = plain.reset([5, 6]), shifted.reset([5, 6])
    assert (one.values["state"] == other.values["state"]).all()
    assert (one.values["top"] != other.values["top"]).any()
    assert other.values["top"][0, :, 2, 2].tolist() == [63, 84, 42]


def test_before_shows_the_picture_of_five_steps_ago() -> None:
    world = Reacher(batch=3)
    seen = [world.reset([1, 2, 3])]
    controls = np.random.default_rng(0).uniform(-1, 1, size=(8, 3, 2))
    seen += [world.step(control).observation for control in controls]
    for step, observation in enumerate(seen):
        assert np.array_equal(observation.values["before"], seen[max(step - 5, 0)].values["top"])
    assert not np.array_equal(seen[-1].values["before"], seen[-1].values["top"])
    goal = world.goal().values
    assert np.array_equal(goal["before"], goal["top"])
    again = world.reset([1, 2, 3]).values
    assert np.array_equal(again["before"], again["top"])


def test_contract_with_one_row_and_other_sizes() -> None:
    assert check_env(Reacher(ReacherConfig(side_pixels=32), batch=1), steps=4) == []
    with pytest.raises(ContractError, match="out of range"):
        ReacherConfig(strength=2.0)
