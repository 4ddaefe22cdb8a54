from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monde.data import EpisodeData, FrameCache, RecordingWriter, action_moments, open_recording, sensor_moments
from monde.errors import ContractError, DataError
from monde.types import Sensor

Make = Callable[..., list[EpisodeData]]


def test_moments(tmp_path: Path, make_dataset: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    written = make_dataset(tmp_path, [5, 1, 30, 17])
    cache = FrameCache.open_or_build(open_recording(tmp_path))
    monkeypatch.setattr("monde.data.statistics._CHUNK_NUMBERS", 26)
    for episodes in ([0, 1, 2, 3], [2], [3, 0]):
        actions = np.concatenate([written[e].actions for e in episodes]).astype(np.float64)  # type: ignore[misc]
        moments = action_moments(cache, episodes)
        np.testing.assert_allclose(moments.mean, actions.mean(0))
        np.testing.assert_allclose(moments.std, actions.std(0))
        values = np.concatenate([written[e].values["map"] for e in episodes]).reshape(-1, 24).astype(np.float64)
        moments = sensor_moments(cache, "map", episodes)
        np.testing.assert_allclose(moments.mean, values.mean(0))
        np.testing.assert_allclose(moments.std, values.std(0))


def test_nothing_to_measure(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [5, 1])
    cache = FrameCache.open_or_build(open_recording(tmp_path))
    with pytest.raises(DataError, match="hold no action"):
        action_moments(cache, [1])
    with pytest.raises(ContractError, match="is a camera"):
        sensor_moments(cache, "top", [0])


def test_large_offsets_do_not_cancel(tmp_path: Path) -> None:
    sensors = (Sensor(name="state", kind="state", shape=(1,), rate_hz=10.0),)
    rows = 1e4 + np.random.default_rng(0).normal(size=(3000, 1)).astype(np.float32)
    with RecordingWriter(tmp_path, sensors=sensors, actions=None, source={}) as writer:
        writer.append([EpisodeData({"state": rows}, np.arange(3000.0), None)])
    cache = FrameCache.open_or_build(open_recording(tmp_path))
    np.testing.assert_allclose(sensor_moments(cache, "state", [0]).std, rows.astype(np.float64).std(0), rtol=1e-9)
    with pytest.raises(ContractError, match="no actions"):
        action_moments(cache, [0])


def test_nan_is_named(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [5, 9])
    cache = FrameCache.open_or_build(open_recording(tmp_path))
    path = cache.folder / "sensor-01.npy"
    array = np.load(path)
    array[5 + 3, 1] = np.nan
    np.save(path, array)
    with pytest.raises(DataError, match=r"episode 1 holds NaN.*in state.*frame 3, component 1"):
        sensor_moments(FrameCache.load(cache.folder), "state", [0, 1])
