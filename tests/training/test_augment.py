"""Augmentation: what moves within a clip moves as before, or as in a mirror."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from monde.agents import record
from monde.errors import UsageError
from monde.training import TrainConfig
from monde.training.augment import random_channels, random_mirror, random_shift
from monde.training.setup import prepare
from monde.types import Clip, Stream


def test_all_frames_of_a_row_move_alike_and_rows_do_not() -> None:
    frames = torch.zeros(8, 4, 3, 32, 32, dtype=torch.uint8)
    for t in range(4):
        frames[:, t, :, 16, 10 + 3 * t] = 255
    state = Stream.regular(torch.rand(8, 4, 2), 10)
    clip = Clip({"top": Stream.regular(frames, 10), "state": state}, Stream.regular(torch.rand(8, 3, 1), 10))
    moved = random_shift(clip, 0.2, torch.Generator().manual_seed(0))
    places = moved.stream("top").values[:, :, 0].flatten(2).argmax(-1)
    y, x = places // 32, places % 32
    assert torch.equal(x[:, 1:] - x[:, :-1], torch.full((8, 3), 3))
    assert bool((y == y[:, :1]).all())
    assert len({(int(a), int(b)) for a, b in zip(y[:, 0], x[:, 0], strict=True)}) > 3
    assert int((x[:, 0] - 10).abs().max()) <= 6
    assert torch.equal(moved.stream("state").values, state.values)
    assert frames[0, 0, 0, 16, 10] == 255  # the clip given is as it was
    with pytest.raises(UsageError, match="shifted"):
        TrainConfig(data="d", run="r", steps=1, shift=0.5)


def test_a_mirror_and_other_colours_leave_a_film_a_film() -> None:
    frames = torch.randint(0, 256, (40, 2, 3, 4, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    clip = Clip({"top": Stream.regular(frames, 10)})
    mirrored = random_mirror(clip, torch.Generator().manual_seed(0)).stream("top").values
    turned = (mirrored == frames.flip(-1)).flatten(1).all(1)
    kept = (mirrored == frames).flatten(1).all(1)
    assert bool((turned ^ kept).all())
    assert 8 < int(turned.sum()) < 32
    recoloured = random_channels(clip, torch.Generator().manual_seed(0)).stream("top").values
    orders = set()
    for before, after in zip(frames, recoloured, strict=True):
        found = [p for p in itertools.permutations(range(3)) if torch.equal(before[:, list(p)], after)]
        assert len(found) == 1
        orders |= set(found)
    assert len(orders) == 6
    assert torch.equal(clip.stream("top").values, frames)


def test_nobody_acts_in_a_mirror(tmp_path: Path) -> None:
    record("tworoom", tmp_path / "data", episodes=4, steps=12)
    config = TrainConfig(data=str(tmp_path / "data"), run=str(tmp_path / "run"), steps=1, block=1, mirror=True)
    with pytest.raises(UsageError, match="mirror"):
        prepare(config)
    prepare(replace(config, action_free=True))
