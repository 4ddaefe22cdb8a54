"""Every kind of sensor, with samples that are missing and late, from an episode through the dataset and the cache."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from monde.data import (
    EpisodeData,
    FrameCache,
    RecordingWriter,
    Segments,
    Windows,
    check_dataset,
    convert,
    open_recording,
)
from monde.errors import ContractError, DataError
from senses import ACTIONS, CAMERA, NAMES, SENSORS, episode


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[EpisodeData]]:
    root = tmp_path_factory.mktemp("senses") / "d"
    episodes = [episode(9, 0), episode(6, 1)]
    with RecordingWriter(root, sensors=SENSORS, actions=ACTIONS, source={}, gaps=NAMES, aged=["pose", "rgb"]) as writer:
        writer.append(episodes[:1])
        writer.append(episodes[1:])
    return root, episodes


@pytest.mark.parametrize("kind", NAMES)
def test_a_kind_is_read_back_as_it_was_written(written: tuple[Path, list[EpisodeData]], kind: str) -> None:
    root, episodes = written
    recording = open_recording(root)
    assert recording.sensors == SENSORS
    for index, part in enumerate(episodes):
        stream = recording.read(index, 1, part.steps, [kind]).stream(kind)
        np.testing.assert_allclose(stream.values[0].numpy(), part.values[kind][1:], atol=1e-6)
        np.testing.assert_array_equal(stream.valid[0].numpy(), part.valid[kind][1:])
        if kind in part.age_seconds:
            assert stream.age_seconds is not None
            np.testing.assert_array_equal(stream.age_seconds[0].numpy(), part.age_seconds[kind][1:])
        else:
            assert stream.age_seconds is None
        if kind == "points":
            assert stream.mask is not None
            counts = [int((cloud[:, :3] != 0).any(-1).sum()) for cloud in np.asarray(part.values[kind])[1:]]
            assert stream.mask[0].sum(-1).tolist() == counts


@pytest.mark.parametrize("kind", NAMES)
def test_windows_show_what_was_written(written: tuple[Path, list[EpisodeData]], kind: str) -> None:
    root, episodes = written
    cache = FrameCache.open_or_build(open_recording(root))
    windows = Windows(cache, [0, 1], NAMES, 3, ACTIONS.with_block(2))
    stream = windows.clip(np.array([1, len(windows) - 1])).stream(kind)
    for row, (part, first) in enumerate([(episodes[0], 1), (episodes[1], 1)]):
        frames = [first, first + 2, first + 4]
        np.testing.assert_allclose(stream.values[row].numpy(), np.asarray(part.values[kind])[frames], atol=1e-6)
        np.testing.assert_array_equal(stream.valid[row].numpy(), part.valid[kind][frames])
        if stream.age_seconds is not None:
            np.testing.assert_array_equal(stream.age_seconds[row].numpy(), part.age_seconds[kind][frames])
    assert (stream.age_seconds is not None) == (kind in {"pose", "rgb"})
    assert (stream.mask is not None) == (kind == "points")


def test_a_recording_without_gaps_keeps_no_word_of_them(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "d", sensors=SENSORS, actions=ACTIONS, source={}, gaps=["scan"]) as writer:
        writer.append([episode(5, 0, gaps=False)])
    cache = FrameCache.open_or_build(open_recording(tmp_path / "d"), root=tmp_path / "c")
    assert not [path for path in cache.folder.iterdir() if path.name.startswith(("valid", "ages"))]
    assert cache.valid("scan") is None
    assert cache.age_seconds("scan") is None


def test_gaps_that_begin_late_are_kept(tmp_path: Path) -> None:
    sensors = SENSORS[3:4]
    late = episode(5, 1, sensors)
    with RecordingWriter(tmp_path / "d", sensors=sensors, actions=ACTIONS, source={}, gaps=["scan"]) as writer:
        writer.append([episode(5, 0, sensors, gaps=False), late, episode(5, 2, sensors, gaps=False)])
    cache = FrameCache.open_or_build(open_recording(tmp_path / "d"), root=tmp_path / "c")
    held = cache.valid("scan")
    assert held is not None
    np.testing.assert_array_equal(held, [True] * 5 + late.valid["scan"].tolist() + [True] * 5)


def test_smaller_pictures_keep_their_geometry_and_clouds_are_thinned(written: tuple[Path, list[EpisodeData]]) -> None:
    root, episodes = written
    cache = FrameCache.open_or_build(open_recording(root), size=6, points=10)
    assert cache.sensor("depth").shape == (1, 6, 6)
    assert cache.sensor("rgb").geometry == CAMERA.resized(6, 6)
    assert cache.values("points").shape == (15, 10, 4)
    first = np.asarray(episodes[0].values["points"])
    for frame in range(9):
        held = {tuple(point) for point in cache.values("points")[frame] if point[:3].any()}
        there = {tuple(point) for point in first[frame] if point[:3].any()}
        assert held <= there
        assert len(held) == min(10, len(there))
    depth = cache.values("depth")
    assert ((depth == 0) | ((depth >= 0.5) & (depth <= 3.0))).all()  # never between 0 and the nearest
    assert (depth[np.flatnonzero(episodes[0].valid["depth"])] > 0).any()


def test_converted_and_cut_recordings_keep_their_gaps(written: tuple[Path, list[EpisodeData]], tmp_path: Path) -> None:
    root, episodes = written
    convert(root, tmp_path / "d")
    cut = Segments(open_recording(tmp_path / "d"), [(0, 2, 8)])
    cache = FrameCache.open_or_build(cut, root=tmp_path / "c")
    told = [name for name in NAMES if cache.valid(name) is not None]
    assert told == [name for name in NAMES if not episodes[0].valid[name][2:8].all()]
    assert {"points", "pose"} <= set(told)
    for name in told:
        np.testing.assert_array_equal(cache.valid(name), episodes[0].valid[name][2:8])
        np.testing.assert_array_equal(cut.clocks(0).valid[name], episodes[0].valid[name][2:8])
    clip = open_recording(tmp_path / "d").read(1, 0, 6)
    assert torch.equal(clip.stream("points").values[0], torch.from_numpy(np.asarray(episodes[1].values["points"])))


def test_other_tools_find_plain_columns(written: tuple[Path, list[EpisodeData]]) -> None:
    """What lerobot reads is there in its own types; what it does not know has names of its own."""
    root, _ = written
    features = json.loads((root / "meta/info.json").read_text())["features"]
    assert features["observation.points"] == {"dtype": "float32", "shape": [40, 4], "names": None}
    assert features["valid.scan"] == {"dtype": "bool", "shape": [1], "names": None}
    assert features["age_seconds.pose"] == {"dtype": "float64", "shape": [1], "names": None}
    table = pq.read_table(root / "data/chunk-000/file-000.parquet")
    assert set(table.column_names) == set(features)
    assert np.array(table["observation.points"].to_pylist()).shape == (9, 40, 4)
    stats = json.loads((root / "meta/stats.json").read_text())
    assert set(stats) == set(features)


def test_a_dataset_goes_on_only_with_the_gaps_it_was_begun_with(tmp_path: Path) -> None:
    scan = SENSORS[3:4]
    with RecordingWriter(tmp_path / "d", sensors=scan, actions=ACTIONS, source={}, gaps=["scan"]) as writer:
        writer.append([episode(4, 0, scan)])
    with pytest.raises(DataError, match="begun with other sensors that may miss"):
        RecordingWriter(tmp_path / "d", sensors=scan, actions=ACTIONS, source={})
    with RecordingWriter(tmp_path / "d", sensors=scan, actions=ACTIONS, source={}, gaps=["scan"]) as writer:
        writer.append([episode(4, 1, scan)])
    assert open_recording(tmp_path / "d").lengths == (4, 4)


def test_a_sensor_that_delivered_nothing_all_along(tmp_path: Path) -> None:
    twist = SENSORS[6:7]
    silent = replace(episode(4, 0, twist, gaps=False), valid={"twist": np.zeros(4, dtype=np.bool_)})
    with RecordingWriter(tmp_path / "d", sensors=twist, actions=ACTIONS, source={}, gaps=["twist"]) as writer:
        writer.append([silent])
        writer.append([episode(4, 1, twist, gaps=False)])
    stats = json.loads((tmp_path / "d/meta/stats.json").read_text())["observation.twist"]
    assert stats["count"] == [4]
    assert stats["mean"] == pytest.approx(np.asarray(episode(4, 1, twist, gaps=False).values["twist"]).mean(0).tolist())


BAD = {
    "a quaternion": ("pose", lambda v: v * 2, "not of unit length"),
    "negative depth": ("depth", lambda v: v - 1, "no depth can be"),
    "depth that is NaN": ("depth", lambda v: np.where(v == 0, np.nan, v), "not finite"),
    "depth that is infinite": ("depth", lambda v: np.where(v == 0, np.inf, v), "not finite"),
    "a range beyond the longest": ("scan", lambda v: v + 1, "no scan can be"),
    "a scan of another length": ("scan", lambda v: v[:, :-1], "wrong shape"),
    "cells in percent": ("grid", lambda v: v * 100, "no grid can be"),
    "a cloud with NaN": ("points", lambda v: v * np.nan, "not finite"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_no_sensor_delivers_is_refused_where_it_enters(what: str, tmp_path: Path) -> None:
    kind, spoil, said = BAD[what]
    sensors = tuple(sensor for sensor in SENSORS if sensor.kind == kind)
    good = episode(4, 0, sensors, gaps=False)
    with RecordingWriter(tmp_path / "d", sensors=sensors, actions=ACTIONS, source={}) as writer:
        with pytest.raises(ContractError, match=said):
            writer.append([replace(good, values={kind: spoil(np.asarray(good.values[kind])).astype(np.float32)})])
        writer.append([good])
    assert open_recording(tmp_path / "d").lengths == (4,)


def test_gaps_and_ages_that_were_not_declared_are_refused(tmp_path: Path) -> None:
    scan = SENSORS[3:4]
    with (
        RecordingWriter(tmp_path / "d", sensors=scan, actions=ACTIONS, source={}) as writer,
        pytest.raises(ContractError, match="of which the recording does not say so"),
    ):
        writer.append([episode(4, 0, scan)])


def test_a_sample_from_the_future_is_refused() -> None:
    good = episode(4, 0, SENSORS[3:4], gaps=False)
    with pytest.raises(ContractError, match="from the future"):
        replace(good, age_seconds={"scan": np.array([0.0, 0.1, -0.1, 0.0])})
    with pytest.raises(ContractError, match="does not line up"):
        replace(good, valid={"scan": np.ones(3, dtype=np.bool_)})


@pytest.mark.parametrize("size", [(6, 6), (3, 16), (24, 30)])
def test_depth_is_never_averaged_with_what_was_not_measured(size: tuple[int, int]) -> None:
    from monde.data.resize import resize_depth

    frames = np.zeros((1, 12, 16, 1), dtype=np.float32)
    frames[0, ::2] = 2.0
    frames[0, :4, :4] = 0.0
    small = resize_depth(frames, size)
    assert small.shape == (1, *size, 1)
    np.testing.assert_allclose(np.unique(small), [0.0, 2.0], rtol=1e-6)


def test_a_check_counts_empty_clouds_and_names_depth_without_a_unit(tmp_path: Path) -> None:
    sensors = tuple(replace(s, unit="1") for s in SENSORS if s.kind in {"depth", "points"})
    clouds = []
    for seed in range(4):
        part = episode(6, seed, sensors, gaps=False)
        points = np.array(part.values["points"])
        points[1] = 0
        points[2, 0, 0] = 1.0
        clouds.append(replace(part, values={**part.values, "points": points}))
    empty = sum(int((~(np.asarray(c.values["points"])[..., :3] != 0).any((1, 2))).sum()) for c in clouds)
    with RecordingWriter(tmp_path / "d", sensors=sensors, actions=ACTIONS, source={}) as writer:
        writer.append(clouds)
    found = {finding.code: finding for finding in check_dataset(tmp_path / "d")}
    assert found["empty-clouds"].figures["empty"] == empty >= 4
    assert "metre or a kilometre" in found["depth-without-unit"].what


def test_a_check_of_every_kind_counts_what_is_missing(written: tuple[Path, list[EpisodeData]]) -> None:
    root, episodes = written
    found = [finding for finding in check_dataset(root) if finding.code == "missing-samples"]
    assert len(found) == len(NAMES)
    missing = {finding.what.split("'")[1]: finding.figures["missing"] for finding in found}
    assert missing["scan"] == sum(int((~part.valid["scan"]).sum()) for part in episodes)
