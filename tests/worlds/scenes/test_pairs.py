import numpy as np
import pytest

from monde.errors import ContractError, UsageError
from monde.worlds.scenes import GRADES, PairSet, make_pairs, principle, principles
from monde.worlds.scenes.bodies import SIDES
from monde.worlds.scenes.pairs import possible_shots
from monde.worlds.scenes.pairs.make import spliced

SETS = 3


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str], PairSet]:
    """A few test sets of every principle and grade."""
    return {(p.name, grade): make_pairs(p, grade, SETS, 7) for p in principles() for grade in GRADES}


def test_the_nine_principles_are_there_with_their_designs() -> None:
    names = [known.name for known in principles()]
    assert len(names) == len(set(names)) == 9
    swapped = [(p.name, g) for p in principles() for g in GRADES if p.designs[g] == "context-swapped"]
    assert swapped == [("solidity", "easy"), ("support", "easy")]


def test_quadruplets_are_cut_from_the_same_parts(made: dict[tuple[str, str], PairSet]) -> None:
    for (name, grade), pairs in made.items():
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


def test_events_come_after_what_matters_was_seen_and_hidden(made: dict[tuple[str, str], PairSet]) -> None:
    least = {"easy": 0.05, "hidden": 0.3, "long-hidden": 1.0}
    for (name, grade), pairs in made.items():
        first, second, wrong, other = (pairs.films[:, k] for k in range(4))
        if pairs.design == "matched":
            assert (pairs.hidden_seconds >= least[grade] - 1e-9).all(), (name, grade)
        for row, event in enumerate(pairs.event_frame):
            # Until the event an impossible film is the possible one that it began as.
            begun = (first, second) if pairs.design == "matched" else (second, first)
            if pairs.design == "matched":
                assert np.array_equal(wrong[row, :event], begun[0][row, :event])
                assert np.array_equal(other[row, :event], begun[1][row, :event])
                assert not np.array_equal(wrong[row, event], begun[0][row, event])
            start, stop = pairs.hidden[row]
            assert np.array_equal(first[row, start:stop], second[row, start:stop])
            assert 5 <= event < pairs.films.shape[2] - 4
        for k in range(2):
            assert not np.array_equal(pairs.films[:, k], pairs.films[:, k + 2])


def test_context_swapped_sets_cross_surroundings_and_outcomes(made: dict[tuple[str, str], PairSet]) -> None:
    for name in ("solidity", "support"):
        films = made[name, "easy"].films
        with_, without, wrong_with, wrong_without = (films[:, k] for k in range(4))
        # The same surroundings: alike at the start. The same outcome: alike at the end, but for what stands there.
        assert np.array_equal(with_[:, 0], wrong_with[:, 0])
        assert np.array_equal(without[:, 0], wrong_without[:, 0])
        assert not np.array_equal(with_[:, 0], without[:, 0])
        assert not np.array_equal(with_[:, -1], wrong_with[:, -1])


def test_sets_depend_on_their_number_alone(made: dict[tuple[str, str], PairSet]) -> None:
    for name, grade in (("collision", "hidden"), ("support", "easy"), ("continuity", "long-hidden")):
        whole = made[name, grade]
        alone = make_pairs(name, grade, 1, 7, first=2)
        assert np.array_equal(alone.films[0], whole.films[2])
        assert alone.ids == (whole.ids[2],) == (f"{name}/{grade}/test/7/2",)
        assert make_pairs(name, grade, SETS, 7).content_hash == whole.content_hash
    assert make_pairs("inertia", "easy", 2, 0).content_hash != make_pairs("inertia", "easy", 2, 1).content_hash
    assert not np.array_equal(
        make_pairs("inertia", "easy", 1, 0).films, make_pairs("inertia", "easy", 1, 0, split="train").films
    )


def test_possible_films_obey_physics() -> None:
    flights = 0
    for shot in possible_shots("gravity", "hidden", range(6)):
        step = np.diff(shot.motion.position[:, 0], n=2, axis=0) * shot.rate_hz**2
        assert np.allclose(step, [0, shot.gravity], atol=1e-3)
        flights += 1
    assert flights == 12
    for shot in possible_shots("inertia", "easy", range(6)):
        assert np.allclose(np.diff(shot.motion.velocity[:, 0], axis=0), 0, atol=1e-9)
    met = 0
    for shot in possible_shots("collision", "easy", range(12)):
        mass = np.array([body.mass for body in shot.bodies])[:, None]
        momentum = (mass * shot.motion.velocity).sum(axis=1)
        assert np.allclose(momentum, momentum[0], atol=1e-3 * max(1.0, np.abs(momentum).max()))
        met += bool(shot.motion.contacts[:, 0, 1].any())
    assert met >= 12
    for shot in possible_shots("support", "hidden", range(4)):
        # Both come to rest, on the platform or on the ground.
        assert np.abs(shot.motion.velocity[-1]).max() < 40
        assert shot.motion.contacts[-1, 0, -1] or shot.motion.velocity[-1, 0, 1] > 0


def test_shapes_exchanged_have_equal_areas() -> None:
    for seed in range(6):
        first, second = possible_shots("shape-constancy", "easy", [seed])
        looks = (first.take.looks[0], second.take.looks[0])
        assert looks[0].shape != looks[1].shape
        assert looks[0].shape in SIDES
        assert (looks[0].radius, looks[0].colour) == (looks[1].radius, looks[1].colour)
        assert np.array_equal(first.motion.position, second.motion.position)


def test_splices_go_over_and_back() -> None:
    films = np.zeros((2, 6, 3, 1, 1), dtype=np.uint8)
    films[1] = 1
    assert spliced(films, (1, 3))[:, :, 0, 0, 0].tolist() == [[0, 0, 1, 1, 0, 0], [1, 1, 0, 0, 1, 1]]


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(UsageError, match=r"unknown principle 'gravty'.*did you mean 'gravity'"):
        make_pairs("gravty", "easy", 1, 0)
    with pytest.raises(UsageError, match="unknown grade 'hard'"):
        make_pairs(principle("gravity"), "hard", 1, 0)
    with pytest.raises(UsageError, match="unknown split"):
        make_pairs("gravity", "easy", 1, 0, split="val")
    for given in ({"n": 0, "seed": 0}, {"n": 1, "seed": -1}, {"n": 1, "seed": 0, "first": -2}):
        with pytest.raises(ContractError, match=r"cannot be made.*Got.*Expected"):
            make_pairs("gravity", "easy", **given)
    with pytest.raises(ContractError, match=r"do not fit into memory.*Remedy"):
        make_pairs("gravity", "easy", 10_000, 0)
