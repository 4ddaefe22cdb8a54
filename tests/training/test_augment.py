"""Random shifts: what moves within a clip moves as before."""

import pytest
import torch

from monde.errors import UsageError
from monde.training import TrainConfig
from monde.training.augment import random_shift
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
