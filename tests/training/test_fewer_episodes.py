"""Learning from a part of the training episodes: the same held-out ones, and parts that lie in one another."""

from pathlib import Path

import pytest

from monde.errors import DataError
from monde.training import TrainConfig
from monde.training.setup import prepare
from tests.data.test_lerobot_legacy import make


def test_parts_grow_and_judging_stays(tmp_path: Path) -> None:
    root = make(tmp_path / "d", [14, 15, 16, 17, 18, 19])
    found = {}
    for count in (1, 2, 4, 0):
        config = TrainConfig(
            data=str(root), run="x", steps=1, frame=16, block=1, folds=3, fold=1, train_episodes=count, window=4
        )
        found[count] = prepare(config).split
    assert [len(split.train) for split in found.values()] == [1, 2, 4, 4]
    assert set(found[1].train) < set(found[2].train) < set(found[4].train) == set(found[0].train)
    assert len({split.held_out for split in found.values()}) == 1
    for count in (5, -1):
        with pytest.raises(DataError, match="not so many episodes"):
            prepare(TrainConfig(data=str(root), run="x", steps=1, frame=16, folds=3, train_episodes=count))
