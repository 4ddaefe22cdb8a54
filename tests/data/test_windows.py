from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monde.data import EpisodeData, FrameCache, Windows, open_recording
from monde.errors import ContractError, DataError
from monde.protocols import Recording
from monde.types import ActionSpec

Make = Callable[..., list[EpisodeData]]
LENGTHS = (5, 1, 23, 9, 2, 40)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, make_dataset: Make) -> tuple[Recording, FrameCache]:
    root = tmp_path_factory.mktemp("windows") / "d"
    make_dataset(root, LENGTHS[:3], LENGTHS[3:])
    recording = open_recording(root)
    return recording, FrameCache.open_or_build(recording)


def actions_of(recording: Recording, block: int) -> ActionSpec:
    assert recording.actions is not None
    return recording.actions.with_block(block)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_fast_path_equals_the_plain_one(made: tuple[Recording, FrameCache], data: st.DataObject) -> None:
    recording, cache = made
    steps, block = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 6))
    episodes = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=6, unique=True))
    usable = [e for e in episodes if LENGTHS[e] > block * (steps - 1)]
    if not usable:
        with pytest.raises(DataError, match="long enough"):
            Windows(cache, episodes, ["top", "state"], steps, actions_of(recording, block))
        return
    windows = Windows(cache, episodes, ["top", "state"], steps, actions_of(recording, block))
    assert len(windows) == sum(LENGTHS[e] - block * (steps - 1) for e in usable)
    assert set(windows.too_short) == set(episodes) - set(usable)
    index = np.array(data.draw(st.lists(st.integers(0, len(windows) - 1), min_size=1, max_size=4)))
    clip = windows.clip(index)
    assert clip.steps == steps
    assert clip.actions is not None
    for row, (episode, start) in enumerate(zip(*windows.locate(index), strict=True)):
        plain = recording.read(int(episode), int(start), int(start) + block * (steps - 1) + 1, ["top", "state"])
        for name in ("top", "state"):
            stream, expected = clip.stream(name), plain.stream(name)
            assert torch.equal(stream.values[row], expected.values[0, ::block])
            assert torch.equal(stream.times_seconds[row], expected.times_seconds[0, ::block])
            assert stream.values.dtype == expected.values.dtype
        assert plain.actions is not None
        blocks = actions_of(recording, block).to_blocks(plain.actions.values)
        assert torch.equal(clip.actions.values[row], blocks[0])
        assert torch.equal(clip.actions.times_seconds[row], plain.actions.times_seconds[0, ::block])


def test_every_window_is_there_once(made: tuple[Recording, FrameCache]) -> None:
    recording, cache = made
    windows = Windows(cache, [5, 2], ["state"], 3, actions_of(recording, 4))
    episode, start = windows.locate(np.arange(len(windows)))
    found = list(zip(episode.tolist(), start.tolist(), strict=True))
    assert found == [(5, s) for s in range(32)] + [(2, s) for s in range(15)]


def test_frames_are_channels_last_in_memory(made: tuple[Recording, FrameCache]) -> None:
    recording, cache = made
    values = Windows(cache, [2], ["top"], 4, actions_of(recording, 2)).clip(np.arange(8)).stream("top").values
    assert values.shape == (8, 4, 3, 12, 16)
    assert values.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)


def test_a_clip_is_a_copy(made: tuple[Recording, FrameCache]) -> None:
    recording, cache = made
    windows = Windows(cache, [2], ["top"], 2, actions_of(recording, 1))
    before = np.array(cache.values("top"))
    windows.clip(np.arange(3)).stream("top").values.fill_(7)
    np.testing.assert_array_equal(cache.values("top"), before)


def test_without_actions(made: tuple[Recording, FrameCache]) -> None:
    _, cache = made
    clip = Windows(cache, [0], ["state"], 5, None).clip(np.array([0]))
    assert clip.actions is None
    assert clip.steps == 5


def test_refuses(made: tuple[Recording, FrameCache]) -> None:
    recording, cache = made
    actions = actions_of(recording, 2)
    with pytest.raises(DataError, match=r"longest of 5 frames.*at least 19 frames"):
        Windows(cache, [0, 1], ["top"], 10, actions)
    with pytest.raises(ContractError, match="no such episodes"):
        Windows(cache, [0, 6], ["top"], 2, actions)
    with pytest.raises(ContractError, match="unknown sensor"):
        Windows(cache, [0], ["bottom"], 2, actions)
    with pytest.raises(ContractError, match="show nothing"):
        Windows(cache, [], ["top"], 2, actions)
    with pytest.raises(ContractError, match="not those of the recording"):
        Windows(cache, [0], ["top"], 2, ActionSpec(choices=3, dt_seconds=0.1))
    windows = Windows(cache, [0], ["top"], 2, actions)
    for index in ([-1], [len(windows)], []):
        with pytest.raises(ContractError, match="out of range"):
            windows.clip(np.array(index, dtype=np.int64))
