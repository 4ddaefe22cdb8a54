import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monde.data import Sampler
from monde.data.sampler import permute
from monde.errors import ContractError


@settings(max_examples=80, deadline=None)
@given(count=st.integers(1, 3000), seed=st.integers(0, 2**63), epoch=st.integers(0, 1000))
def test_is_a_permutation(count: int, seed: int, epoch: int) -> None:
    order = permute(np.arange(count), count, seed, epoch)
    assert np.array_equal(np.sort(order), np.arange(count))


def test_any_place_of_a_huge_order_is_reached_at_once() -> None:
    count = 10**12
    places = np.concatenate([np.arange(1000), np.arange(count - 1000, count)])
    order = permute(places, count, 3, 1)
    assert len(set(order.tolist())) == 2000
    assert 0 <= order.min() <= order.max() < count
    assert np.array_equal(permute(places[5:9], count, 3, 1), order[5:9])


def test_is_well_mixed() -> None:
    """Every element is equally often at every place (χ² with 36 degrees of freedom: 68 has p = 0.001)."""
    orders = np.stack([permute(np.arange(7), 7, 11, epoch) for epoch in range(1000)])
    counts = np.stack([np.bincount(orders[:, place], minlength=7) for place in range(7)])
    assert float(((counts - 1000 / 7) ** 2 / (1000 / 7)).sum()) < 68


def test_neighbours_are_torn_apart() -> None:
    order = permute(np.arange(100_000), 100_000, 0, 0)
    correlation = np.corrcoef(order[:-1], order[1:])[0, 1]
    assert abs(correlation) < 0.015
    assert abs(np.corrcoef(np.arange(100_000), order)[0, 1]) < 0.015


def test_epochs_are_without_replacement_and_differ() -> None:
    sampler = Sampler(100, 7, seed=0)
    epochs = [np.concatenate([sampler.next() for _ in range(sampler.batches_per_epoch)]) for _ in range(3)]
    for order in epochs:
        assert len(order) == 98
        assert len(set(order.tolist())) == 98
    assert not np.array_equal(epochs[0], epochs[1])
    assert sampler.epoch == 3
    other = Sampler(100, 7, seed=1)
    assert not np.array_equal(other.next(), epochs[0][:7])


@pytest.mark.parametrize("before", [0, 1, 13, 14, 15, 41])
def test_resumes_exactly(before: int) -> None:
    sampler = Sampler(100, 7, seed=5)
    for _ in range(before):
        sampler.next()
    state = json.loads(json.dumps(sampler.state()))
    again = Sampler(100, 7, seed=5)
    again.restore(state)
    for _ in range(30):
        assert np.array_equal(sampler.next(), again.next())
    assert sampler.state() == again.state()


def test_ranks_share_what_one_process_would_see() -> None:
    alone = Sampler(101, 12, seed=2)
    ranks = [Sampler(101, 4, seed=2, rank=rank, world_size=3) for rank in range(3)]
    for _ in range(20):
        together = np.concatenate([rank.next() for rank in ranks])
        assert len(set(together.tolist())) == 12
        assert np.array_equal(together, alone.next())
    assert ranks[0].state() == ranks[2].state()


@pytest.mark.parametrize(
    "change", [{"count": 99}, {"batch": 8}, {"seed": 1}, {"epoch": -1}, {"step": 15}, {"step": "x"}]
)
def test_refuses_the_state_of_another(change: dict[str, object]) -> None:
    sampler = Sampler(100, 7, seed=0)
    with pytest.raises(ContractError, match=r"another (count|batch|seed)|malformed"):
        sampler.restore(sampler.state() | change)


def test_refuses_more_than_there_is() -> None:
    with pytest.raises(ContractError, match="fewer windows than one batch"):
        Sampler(7, 4, seed=0, world_size=2)
    with pytest.raises(ContractError, match="cannot be set up"):
        Sampler(7, 4, seed=0, rank=2, world_size=2)
