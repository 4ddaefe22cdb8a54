import numpy as np
import pytest

from monde.errors import ContractError
from monde.worlds.scenes.bodies import Body, Camera
from monde.worlds.scenes.scenery import ground, room
from monde.worlds.scenes.simulate import simulate, simulate_around

RED = (200, 40, 40)


def test_free_flight_is_the_parabola_of_its_gravity() -> None:
    body = Body(shape="square", radius=4, colour=RED, position=(10, 50), velocity=(12, -45), spin=2.0)
    motion = simulate([body], (), gravity=40.0, frames=41, rate_hz=20)
    t = np.arange(41) / 20
    wanted = np.stack([10 + 12 * t, 50 - 45 * t + 20 * t**2], axis=1)
    assert np.allclose(motion.position[:, 0], wanted, atol=1e-6)
    assert np.allclose(motion.velocity[:, 0, 1], -45 + 40 * t, atol=1e-6)
    assert np.allclose(motion.angle[:, 0], 2 * t, atol=1e-6)
    assert not motion.contacts.any()


def test_elastic_collisions_keep_momentum_and_energy() -> None:
    masses, before, after = [], [], []
    for radius, offset in ((3.0, 0.0), (4.2, 1.5), (5.0, -3.0)):
        bodies = [
            Body(shape="disc", radius=radius, colour=RED, position=(15, 32), velocity=(26, 0)),
            Body(shape="disc", radius=4.0, colour=RED, position=(40, 32 + offset), velocity=(-9, 3)),
        ]
        motion = simulate(bodies, (), gravity=0.0, frames=30, rate_hz=20)
        assert motion.contacts[:, 0, 1].any()
        assert np.array_equal(motion.contacts[:, 0, 1], motion.contacts[:, 1, 0])
        masses.append([body.mass for body in bodies])
        before.append(motion.velocity[0])
        after.append(motion.velocity[-1])
    m, v, w = np.array(masses)[:, :, None], np.array(before), np.array(after)
    assert np.abs(v - w).max() > 5
    assert np.allclose((m * v).sum(1), (m * w).sum(1), rtol=1e-6, atol=1e-6)
    assert np.allclose((m * v**2).sum((1, 2)), (m * w**2).sum((1, 2)), rtol=1e-3)


def test_energy_is_never_won_and_rest_is_on_the_ground() -> None:
    body = Body(shape="disc", radius=4, colour=RED, position=(30, 20), restitution=0.6, friction=0.3)
    motion = simulate([body], (ground(56.0, 64),), gravity=60.0, frames=160, rate_hz=20)
    energy = 0.5 * (motion.velocity[:, 0] ** 2).sum(1) + 60.0 * (52 - motion.position[:, 0, 1])
    assert (np.diff(energy) < 2.0).all()
    assert motion.position[-1, 0] == pytest.approx([30, 52], abs=0.1)
    assert motion.contacts[-1, 0, 1]
    assert not motion.contacts[5, 0].any()


def test_equal_launches_give_equal_bits_and_nothing_leaves_a_room() -> None:
    bodies = [
        Body(shape="triangle", radius=4, colour=RED, position=(20, 20), velocity=(34, 20), spin=3),
        Body(shape="square", radius=5, colour=RED, position=(44, 40), velocity=(-30, -30), friction=0.5),
        Body(shape="disc", radius=3, colour=RED, position=(32, 12), velocity=(0, 33), plane=1),
    ]
    first, second = (simulate(bodies, room(64), gravity=50.0, frames=80, rate_hz=20) for _ in range(2))
    assert np.array_equal(first.position, second.position)
    assert np.array_equal(first.contacts, second.contacts)
    assert ((first.position > 3) & (first.position < 61)).all()
    assert not first.contacts[:, 2, :2].any()  # of another plane


def test_a_film_meets_its_state_from_both_sides_of_time() -> None:
    bodies = [
        Body(shape="disc", radius=4, colour=RED, position=(28, 30), velocity=(20, 0)),
        Body(shape="disc", radius=4, colour=RED, position=(36.05, 30)),
    ]
    motion = simulate_around(bodies, gravity=0.0, frames=31, moment=15, rate_hz=20)
    assert motion.frames == 31
    assert motion.position[15] == pytest.approx(np.array([[28, 30], [36.05, 30]]))
    assert motion.position[0, 0] == pytest.approx([13, 30])
    assert motion.velocity[-1, 1, 0] == pytest.approx(20, rel=0.01)
    assert not motion.contacts[:16].any()
    assert motion.contacts[16, 0, 1]
    thrown = Body(shape="disc", radius=4, colour=RED, position=(30, 30), velocity=(5, -20))
    arc = simulate_around([thrown], gravity=40.0, frames=21, moment=10, rate_hz=20)
    t = (np.arange(21) - 10) / 20
    assert np.allclose(arc.position[:, 0, 1], 30 - 20 * t + 20 * t**2, atol=1e-6)
    assert np.allclose(arc.velocity[:, 0, 1], -20 + 40 * t, atol=1e-6)


def test_the_camera_scales_and_shifts() -> None:
    camera = Camera(side_pixels=64, zoom=0.5, shift=(2.0, -1.0))
    assert camera.places(np.array([[32.0, 32.0], [64.0, 0.0]])) == pytest.approx(np.array([[34, 31], [50, 15]]))
    with pytest.raises(ContractError, match=r"this body cannot be.*Expected"):
        Body(shape="disc", radius=-1, colour=RED, position=(0, 0))
