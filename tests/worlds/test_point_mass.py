import numpy as np
import pytest

from monde.errors import ContractError
from monde.worlds import PointMass, PointMassConfig, make


def test_motion_follows_the_equation_between_walls() -> None:
    config = PointMassConfig(drag=0.7, start_speed=3.0)
    world = PointMass(config, batch=300)
    state = world.reset(range(300)).values["state"].astype(np.float64)
    control = np.random.default_rng(0).uniform(-0.3, 0.3, (300, 2)).astype(np.float32)
    free = ((state[:, :2] > 25) & (state[:, :2] < 39)).all(1)
    assert free.sum() > 10
    # The reference: a thousand small steps of x'' = a·u - c·x'.
    place, velocity, dt = state[:, :2], state[:, 2:], 0.5 / 5000
    for _ in range(5000):
        velocity = velocity + dt * (40 * control - 0.7 * velocity)
        place = place + dt * velocity
    for _ in range(5):
        after = world.step(control).observation.values["state"]
    assert np.allclose(after[free], np.concatenate([place, velocity], 1)[free], atol=5e-3)


@pytest.mark.parametrize(("restitution", "drag"), [(1.0, 0.0), (0.5, 1.0), (0.0, 0.0)])
def test_walls_hold_and_energy_does_not_grow(restitution: float, drag: float) -> None:
    world = PointMass(PointMassConfig(restitution=restitution, drag=drag, start_speed=80.0), batch=64)
    state = world.reset(range(64)).values["state"]
    energy = (state[:, 2:].astype(np.float64) ** 2).sum(1)
    first = energy
    for _ in range(60):
        state = world.step(np.zeros((64, 2), np.float32)).observation.values["state"]
        now = (state[:, 2:].astype(np.float64) ** 2).sum(1)
        assert (now <= energy * (1 + 1e-5)).all()
        assert (state[:, :2] >= 5.5).all()
        assert (state[:, :2] <= 58.5).all()
        energy = now
    if restitution == 1:
        assert np.allclose(energy, first, rtol=1e-4)  # elastic, without drag: it bounces for ever
    else:
        assert (energy < first).mean() > 0.9


def test_one_frame_does_not_show_velocity() -> None:
    still, fast = (PointMass(PointMassConfig(start_speed=v), batch=8) for v in (0.0, 20.0))
    a, b = still.reset(range(8)).values, fast.reset(range(8)).values
    assert np.array_equal(a["top"], b["top"])
    assert not np.array_equal(a["state"], b["state"])
    assert (fast.goal().values["state"][:, 2:] == 0).all()


def test_scripted_policy_reaches_places() -> None:
    world = make("pointmass", 32)
    seen = world.reset(range(32))
    policy, generator = world.scripted(), np.random.default_rng(0)
    places = []
    for _ in range(150):
        seen = world.step(policy(seen, world.actions, generator)).observation
        places.append(seen.values["state"][:, :2])
    span = np.ptp(np.stack(places), axis=0)
    assert np.median(span) > 30


def test_config_refusals() -> None:
    for wrong in ({"restitution": 1.2}, {"drag": -1.0}, {"radius_pixels": 40.0}, {"acceleration": 0.0}):
        with pytest.raises(ContractError):
            PointMassConfig(**wrong)
