import numpy as np
import pytest

from monde.errors import ContractError, UsageError
from monde.evaluation.physics import features, shortcut_scores
from monde.worlds.minimal_pairs import GRADES, PairSet, principles
from monde.worlds.scenes import make_pairs
from monde.worlds.scenes3d.pairs import possible_shots

SETS = 2


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str], PairSet]:
    """A few test sets of every principle and grade."""
    return {(p.name, grade): make_pairs(p, grade, SETS, 7, space="3d") for p in principles() for grade in GRADES}


def test_quadruplets_are_cut_from_the_same_parts(made: dict[tuple[str, str], PairSet]) -> None:
    for (name, grade), pairs in made.items():
        assert pairs.space == "3d"
        if pairs.design != "matched":
            continue
        for films, possible in zip(pairs.films, pairs.possible, strict=True):
            # As bags, frames and steps from one frame to the next are those of the possible films, each as often.
            for length in (1, 2):
                bags = []
                for kind in (True, False):
                    chosen = films[possible == kind]
                    parts = [f[t : t + length].tobytes() for f in chosen for t in range(len(f) - length + 1)]
                    bags.append(sorted(map(hash, parts)))
                assert bags[0] == bags[1], (name, grade, length)


def test_films_are_equal_until_the_event_and_at_the_cut(made: dict[tuple[str, str], PairSet]) -> None:
    least = {"easy": 0.05, "hidden": 0.3, "long-hidden": 1.0}
    for (name, grade), pairs in made.items():
        first, second, wrong, other = (pairs.films[:, k] for k in range(4))
        for row, event in enumerate(pairs.event_frame):
            assert 5 <= event < pairs.films.shape[2] - 4
            assert not np.array_equal(first[row], wrong[row])
            assert not np.array_equal(second[row], other[row])
            if pairs.design == "matched":
                assert pairs.hidden_seconds[row] >= least[grade] - 1e-9, (name, grade)
                start, stop = pairs.hidden[row]
                assert np.array_equal(first[row, start:stop], second[row, start:stop])
                assert np.array_equal(wrong[row, :event], first[row, :event])
                assert np.array_equal(other[row, :event], second[row, :event])
                assert not np.array_equal(wrong[row, event], first[row, event])
            else:
                # Contexts are exchanged: the same surroundings before, the other outcome after.
                assert np.array_equal(first[row, 0], wrong[row, 0])
                assert np.array_equal(second[row, 0], other[row, 0])


def test_sets_depend_on_their_number_alone(made: dict[tuple[str, str], PairSet]) -> None:
    for name, grade in (("collision", "hidden"), ("support", "easy")):
        alone = make_pairs(name, grade, 1, 7, first=1, space="3d")
        assert np.array_equal(alone.films[0], made[name, grade].films[1])
        assert alone.ids == (f"3d/{name}/{grade}/test/7/1",)
        assert make_pairs(name, grade, SETS, 7, space="3d").content_hash == made[name, grade].content_hash


def test_shortcuts_stay_at_chance_where_films_are_matched() -> None:
    for name in ("permanence", "collision"):
        for score in shortcut_scores([features(make_pairs(name, "hidden", 10, 1, space="3d"))]):
            assert score.at_chance, score


def test_possible_films_obey_physics() -> None:
    for shot in possible_shots("gravity", "hidden", range(4)):
        free = ~shot.motion.contacts[:, 0, 1].cumsum().astype(bool)
        flight = shot.motion.position[free, 0]
        assert np.allclose(np.diff(flight, n=2, axis=0) * shot.rate_hz**2, [0, 0, -shot.gravity], atol=1e-3)
        assert len(flight) > 20
    for shot in possible_shots("inertia", "easy", range(4)):
        assert np.allclose(np.diff(shot.motion.velocity[:, 0], axis=0), 0, atol=1e-9)
    met = 0
    for shot in possible_shots("collision", "easy", range(6)):
        mass = np.array([body.mass for body in shot.bodies])[:, None]
        momentum = (mass * shot.motion.velocity).sum(axis=1)
        assert np.allclose(momentum, momentum[0], atol=1e-6)
        assert np.allclose(shot.motion.position[..., 2], [body.tall for body in shot.bodies], atol=1e-6)
        met += bool(shot.motion.contacts[:, 0, 1].any())
    assert met >= 6
    for shot in possible_shots("support", "hidden", range(3)):
        ground = max((block.middle[2] + block.half[2] for block in shot.take.blocks), default=0.0)
        height = shot.motion.position[-1, 0, 2] - shot.bodies[0].tall - ground
        assert abs(height) < 0.2
    for shot in possible_shots("solidity", "hidden", range(3)):
        turned_back = shot.motion.velocity[-1, 0, 0] * shot.motion.velocity[0, 0, 0] < 0
        assert turned_back == bool(shot.take.blocks)


def test_objects_are_large_enough_to_be_seen() -> None:
    for name, grade in (("permanence", "easy"), ("gravity", "long-hidden"), ("solidity", "hidden")):
        for shot in possible_shots(name, grade, range(4), split="test"):
            camera = shot.take.scenery.camera
            depths = camera.depths(shot.motion.position[:, 0])
            assert np.median(camera.focal_pixels * shot.bodies[0].radius / depths) > 3.3


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(UsageError, match=r"unknown space '4d'"):
        make_pairs("gravity", "easy", 1, 0, space="4d")
    with pytest.raises(UsageError, match="unknown grade 'hard'"):
        make_pairs("gravity", "hard", 1, 0, space="3d")
    with pytest.raises(ContractError, match=r"cannot be made.*Got.*Expected"):
        make_pairs("gravity", "easy", 0, 0, space="3d")
    with pytest.raises(ContractError, match="seed is negative"):
        possible_shots("gravity", "easy", [-1])
