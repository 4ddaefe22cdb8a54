"""The rules that judge models know no model: flights, ballistic fits, bounces and edits."""

import numpy as np
import pytest

from monde.data.points import Stretch
from monde.errors import ContractError, DataError
from monde.evaluation import motion
from throwing import RATE_HZ, thrown


@pytest.fixture(scope="module")
def stretches() -> tuple[Stretch, ...]:
    return tuple(Stretch(index, 0, thrown(index)) for index in range(4))


def test_flights_end_at_the_ground(stretches: tuple[Stretch, ...]) -> None:
    found = motion.flights(stretches, RATE_HZ)
    assert {flight.marker for flight in found} == {0, 1, 2, 3}
    for flight in found:
        assert len(flight) >= 120
        assert motion.gravity_of(flight.points, RATE_HZ) == pytest.approx(9.5, rel=0.01)
        np.testing.assert_array_equal(flight.points, stretches[flight.marker].points[flight.start : flight.stop])
        # No bounce lies within: heights bend one way only, but for noise.
        smooth = np.convolve(flight.points[:, 2], np.ones(10) / 10, "valid")[::10]
        assert (np.diff(smooth, 2) < 0.0).all()


def test_a_held_ball_does_not_fly() -> None:
    still = Stretch(0, 0, np.tile([0.1, 0.2, 0.9], (400, 1)))
    with pytest.raises(DataError, match="no point flies free"):
        motion.flights((still,), RATE_HZ)


def test_ballistic_is_exact_on_a_parabola() -> None:
    times = np.arange(130)[:, None] / RATE_HZ
    path = np.array([0.1, 0.2, 1.0]) + times * [1.0, -0.5, 3.0] - times**2 * [0.0, 0.0, 4.75]
    told = motion.ballistic(path[None, :30], 9.5, 100 / RATE_HZ, RATE_HZ)
    np.testing.assert_allclose(told[0], path[129], atol=1e-9)
    straight = motion.ballistic(path[None, :30], 0.0, 100 / RATE_HZ, RATE_HZ)
    assert np.linalg.norm(straight[0] - path[129]) > 0.3


def test_restitution_is_that_of_the_simulation() -> None:
    for wanted in (0.3, 0.6):
        stretches = tuple(Stretch(index, 0, thrown(index, restitution=wanted)) for index in range(4))
        found = [bounce.restitution for bounce in motion.bounces(stretches, RATE_HZ)]
        assert len(found) >= 4
        assert np.median(found) == pytest.approx(wanted, abs=0.06)


def test_edits_are_what_they_say(stretches: tuple[Stretch, ...]) -> None:
    flights = motion.flights(stretches, RATE_HZ)
    edits = motion.plant(flights, 30, seed=3, before=40, after=30, rate_hz=RATE_HZ)
    assert [edit.kind for edit in edits[:4]] == ["teleport", "turn", "vanish", "teleport"]
    for edit in edits:
        original = edit.flight.points
        assert 40 <= edit.frame < len(original) - 30
        np.testing.assert_array_equal(edit.points[: edit.frame], original[: edit.frame])
        if edit.kind == "vanish":
            assert len(edit.points) == edit.frame
            continue
        off = edit.points - original
        if edit.kind == "teleport":
            assert 0.2 <= np.linalg.norm(off[edit.frame]) <= 0.5
            np.testing.assert_allclose(off[edit.frame :], off[-1:].repeat(len(off) - edit.frame, 0), atol=1e-12)
        else:
            before = (original[edit.frame - 1] - original[edit.frame - 11]) / 10
            after = before + off[edit.frame]
            assert np.linalg.norm(after) == pytest.approx(np.linalg.norm(before))
            cosine = after @ before / (before @ before)
            assert np.cos(np.radians(150.1)) <= cosine <= np.cos(np.radians(59.9))
    again = motion.plant(flights, 30, seed=3, before=40, after=30, rate_hz=RATE_HZ)
    assert all(np.array_equal(a.points, b.points) for a, b in zip(edits, again, strict=True))
    with pytest.raises(ContractError, match="long enough to be edited"):
        motion.plant(flights, 1, seed=0, before=400, after=400, rate_hz=RATE_HZ)
