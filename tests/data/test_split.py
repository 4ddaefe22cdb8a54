import pytest
from hypothesis import given
from hypothesis import strategies as st

from monde.data import Split, TimeSplit, fold_episodes, split_episodes, split_in_time
from monde.errors import ContractError, DataError


@given(count=st.integers(2, 500), held_out=st.floats(0.001, 0.999), seed=st.integers(0, 2**32))
def test_every_episode_is_on_one_side(count: int, held_out: float, seed: int) -> None:
    split = split_episodes(count, held_out, seed)
    assert not set(split.train) & set(split.held_out)
    assert sorted([*split.train, *split.held_out]) == list(range(count))
    assert split.train
    assert split.held_out
    assert abs(len(split.held_out) - count * held_out) <= 1
    assert split == split_episodes(count, held_out, seed)


def test_depends_on_the_seed() -> None:
    assert len(split_episodes(100).held_out) == 10
    assert split_episodes(100, seed=0) != split_episodes(100, seed=1)


def test_refuses() -> None:
    for count in (0, 1):
        with pytest.raises(DataError, match="too few episodes"):
            split_episodes(count)
    for share in (0.0, 1.0):
        with pytest.raises(ContractError, match="out of range"):
            split_episodes(10, share)
    with pytest.raises(ContractError, match="does not separate"):
        Split((0, 1), (1, 2))


@pytest.mark.parametrize(("count", "folds"), [(10, 5), (7, 3), (4, 4)])
def test_every_episode_is_held_out_once(count: int, folds: int) -> None:
    splits = fold_episodes(count, folds, seed=3)
    assert sorted(episode for split in splits for episode in split.held_out) == list(range(count))
    assert all(len(split.train) + len(split.held_out) == count for split in splits)
    assert splits == fold_episodes(count, folds, seed=3)
    assert splits != fold_episodes(count, folds, seed=4)


def test_a_film_is_parted_with_a_gap() -> None:
    parts = split_in_time(100, 0.2, gap_frames=10)
    assert (parts.train, parts.held_out) == ((0, 70), (80, 100))
    with pytest.raises(DataError, match="too short"):
        split_in_time(12, 0.2, gap_frames=10)
    with pytest.raises(ContractError):
        split_in_time(100, 1.0, gap_frames=1)
    with pytest.raises(DataError, match="folds"):
        fold_episodes(3, 4)
    with pytest.raises(ContractError):
        TimeSplit((0, 10), (9, 20))
