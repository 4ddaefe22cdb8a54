import numpy as np
import pytest

from monde.errors import ContractError, UsageError, WorldError
from monde.worlds import (
    SHIFTS,
    ActionShift,
    Look,
    PixelShift,
    ScriptedWorld,
    Shift,
    TwoRoom,
    check_env,
    make,
    make_shifted,
)
from monde.worlds.pixels import commonest, shift_pixels


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("name", ["tworoom", "pointmass", "gym:Pendulum-v1"])
def test_every_declared_shift_keeps_the_contract(name: str, shift: str) -> None:
    if name.startswith("gym:") and shift == "size":
        pytest.skip("pixels cannot show another size")
    world = make(f"{name}+{shift}", 3)
    assert world.name == f"{name}+{shift}"
    assert check_env(world) == []
    assert isinstance(world, ScriptedWorld) == isinstance(make(name, 1), ScriptedWorld)
    world.close()


@pytest.mark.parametrize("shift", [shift for shift in SHIFTS if shift != "dynamics"])
def test_a_visual_shift_changes_the_pictures_and_nothing_else(shift: str) -> None:
    plain, changed = make("tworoom", 4), make(f"tworoom+{shift}", 4)
    plain.reset([1, 2, 3, 4])
    changed.reset([1, 2, 3, 4])
    controls = np.full((4, 2), 0.7, dtype=np.float32)
    one, other = plain.step(controls).observation, changed.step(controls).observation
    np.testing.assert_array_equal(one.values["state"], other.values["state"])
    assert (one.values["top"] != other.values["top"]).any()
    goals = plain.goal(), changed.goal()
    assert goals[0] is not None
    assert goals[1] is not None
    assert (goals[0].values["top"] != goals[1].values["top"]).any()
    np.testing.assert_array_equal(plain.success(), changed.success())


def test_changed_dynamics_act_late_and_less() -> None:
    shift = Shift(actions=ActionShift(delay_steps=2, gain=0.5))
    plain, changed = TwoRoom(batch=2), make_shifted("tworoom", 2, shift)
    start = plain.reset([1, 2]).values["state"]
    changed.reset([1, 2])
    up = np.array([[0.0, -1.0], [0.0, 1.0]], dtype=np.float32)
    ways = [changed.step(up).observation.values["state"] - start for _ in range(4)]
    assert not ways[0].any()
    assert not ways[1].any()
    np.testing.assert_allclose(ways[2], 0.5 * 2.0 * up, atol=1e-4)
    np.testing.assert_allclose(ways[3], 2 * ways[2], atol=1e-4)


def test_noise_on_actions_is_the_episodes_own() -> None:
    world = make_shifted("tworoom", 2, Shift(actions=ActionShift(noise=0.3)))
    rest = np.zeros((2, 2), dtype=np.float32)
    world.reset([1, 2])
    first = world.step(rest).observation.values["state"]
    again = world.reset([1, 2]).values["state"]
    assert (first != again).all()
    np.testing.assert_array_equal(world.step(rest).observation.values["state"], first)


def test_shifts_add_up() -> None:
    world = make("tworoom+background+camera+size", 1)
    assert world.name == "tworoom+background+camera+size"
    camera = make("tworoom+camera", 1)
    seen, before = world.reset([1]).values["top"], camera.reset([1]).values["top"]
    floor = SHIFTS["background"].look
    assert floor is not None
    assert tuple(commonest(seen)[0]) == floor.floor
    assert (before[0, :, 0, 0] == seen[0, :, 0, 0]).all()  # the wall is where the camera put it


def test_a_background_is_found_by_its_pixels() -> None:
    frames = np.full((2, 3, 8, 8), 200, dtype=np.uint8)
    frames[1] = 90
    frames[:, :, 2:4, 2:4] = 10
    changed = shift_pixels(frames, PixelShift(background=(0, 0, 255)), commonest(frames))
    np.testing.assert_array_equal(changed[:, :, 0, 0], [[0, 0, 255], [0, 0, 255]])
    np.testing.assert_array_equal(changed[:, :, 2:4, 2:4], frames[:, :, 2:4, 2:4])


def test_light_and_hue() -> None:
    frames = np.zeros((1, 3, 4, 4), dtype=np.uint8)
    frames[:, 0] = 200
    third = shift_pixels(frames, PixelShift(hue_degrees=120))
    np.testing.assert_array_equal(third[0, :, 0, 0], [0, 200, 0])
    lit = shift_pixels(frames, PixelShift(gain=0.5, gradient=1.0))[0, 0, 0].astype(int)
    assert (np.diff(lit) > 0).all()
    assert abs(lit.mean() - 100) < 1
    dark = shift_pixels(frames, PixelShift(gamma=2.0))[0, 0, 0, 0]
    assert dark == round(255 * (200 / 255) ** 2)


def test_a_camera_moves_the_picture() -> None:
    frames = np.zeros((1, 3, 10, 10), dtype=np.uint8)
    frames[..., 4, 4] = 250
    moved = shift_pixels(frames, PixelShift(offset=(0.2, -0.1)))
    assert moved[0, 0].argmax() == 3 * 10 + 6
    near = shift_pixels(frames, PixelShift(zoom=2.0))
    assert near.astype(int).sum() > 3 * frames.astype(int).sum()


def test_what_cannot_be_shifted_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'colour'"):
        make("tworoom+colr", 1)
    with pytest.raises(UsageError, match="whose drawing monde does not control"):
        make("gym:Pendulum-v1+size", 1)
    with pytest.raises(UsageError, match="discrete"):
        make("gym:CartPole-v1+dynamics", 1)
    with pytest.raises(WorldError, match="no episode yet"):
        make("tworoom+dynamics", 1).step(np.zeros((1, 2), dtype=np.float32))
    with pytest.raises(ContractError, match="a colour that is none"):
        Look(floor=(0, 0, 300))
    with pytest.raises(ContractError, match="out of range"):
        PixelShift(zoom=0.0)
    with pytest.raises(ContractError, match="out of range"):
        ActionShift(gain=-1.0)
