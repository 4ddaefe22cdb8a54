import logging
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monde.data import EpisodeData, FrameCache, RecordingWriter, open_recording
from monde.errors import CacheError, ContractError

Make = Callable[..., list[EpisodeData]]
Open = Callable[..., RecordingWriter]
One = Callable[..., EpisodeData]


@pytest.fixture
def written(tmp_path: Path, make_dataset: Make) -> list[EpisodeData]:
    return make_dataset(tmp_path / "d", [5, 1], [40])


@contextmanager
def rebuilt(caplog: pytest.LogCaptureFixture, because: str) -> Iterator[None]:
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="monde.data"):
        yield
    assert [because in record.getMessage() for record in caplog.records] == [True]


def flip(path: Path, keep_time: bool) -> None:
    stat = path.stat()
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    if keep_time:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_holds_what_was_recorded(tmp_path: Path, written: list[EpisodeData]) -> None:
    seen: list[tuple[int, int]] = []
    cache = FrameCache.open_or_build(open_recording(tmp_path / "d"), progress=lambda done, of: seen.append((done, of)))
    assert cache.lengths.tolist() == [5, 1, 40]
    assert cache.offsets.tolist() == [0, 5, 6, 46]
    frames = np.concatenate([part.values["top"] for part in written]).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(cache.values("top"), frames)
    for name in ("state", "load", "map"):
        np.testing.assert_array_equal(cache.values(name), np.concatenate([part.values[name] for part in written]))
    np.testing.assert_array_equal(cache.times_seconds, np.concatenate([part.times_seconds for part in written]))
    assert cache.controls is not None
    np.testing.assert_array_equal(cache.controls[:4], written[0].actions)
    np.testing.assert_array_equal(cache.controls[6:45], written[2].actions)
    assert seen[-1] == (46, 46)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    cache.verify()


def test_long_episodes_are_decoded_in_pieces(
    tmp_path: Path, written: list[EpisodeData], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The action between a piece's last frame and the next piece's first belongs to both and must not be lost."""
    whole = FrameCache.open_or_build(open_recording(tmp_path / "d"), root=tmp_path / "whole")
    monkeypatch.setattr("monde.data.cache_build.PIECE_BYTES", 5000)
    pieces = FrameCache.open_or_build(open_recording(tmp_path / "d"), root=tmp_path / "pieces")
    assert whole.controls is not None
    assert pieces.controls is not None
    np.testing.assert_array_equal(pieces.controls, whole.controls)
    np.testing.assert_array_equal(pieces.values("top"), whole.values("top"))
    np.testing.assert_array_equal(pieces.times_seconds, whole.times_seconds)


def test_resizes_by_area(tmp_path: Path, written: list[EpisodeData]) -> None:
    cache = FrameCache.open_or_build(open_recording(tmp_path / "d"), size=(6, 8), sensors=["top"])
    assert [sensor.shape for sensor in cache.sensors] == [(3, 6, 8)]
    frames = written[2].values["top"].astype(float)
    area = frames.reshape(40, 3, 6, 2, 8, 2).mean((3, 5)).transpose(0, 2, 3, 1)
    assert np.abs(cache.values("top")[6:] - area).max() <= 1.01  # rounded once per axis
    larger = FrameCache.open_or_build(open_recording(tmp_path / "d"), size=24, sensors=["top"])
    frame = Image.fromarray(written[0].values["top"][0].transpose(1, 2, 0))
    np.testing.assert_array_equal(larger.values("top")[0], frame.resize((24, 24), Image.Resampling.BILINEAR))


def test_is_used_again(tmp_path: Path, written: list[EpisodeData]) -> None:
    recording = open_recording(tmp_path / "d")
    first = FrameCache.open_or_build(recording, size=6)
    before = (first.folder / "index.json").stat()
    again = FrameCache.open_or_build(recording, size=6, verify=True)
    assert again.folder == first.folder
    assert (again.folder / "index.json").stat().st_ino == before.st_ino
    assert FrameCache.open_or_build(recording, size=7).folder != first.folder


def test_everything_is_mapped_and_read_only(tmp_path: Path, written: list[EpisodeData]) -> None:
    cache = FrameCache.open_or_build(open_recording(tmp_path / "d"))
    for array in (cache.values("top"), cache.values("state"), cache.controls, cache.times_seconds, cache.offsets):
        assert array is not None
        assert isinstance(array.base, np.memmap)
        assert not array.flags.writeable


def test_travels_to_workers_as_a_path(tmp_path: Path, written: list[EpisodeData]) -> None:
    cache = FrameCache.open_or_build(open_recording(tmp_path / "d"))
    sent = pickle.dumps(cache)
    assert len(sent) < 2000
    np.testing.assert_array_equal(pickle.loads(sent).values("top"), cache.values("top"))  # noqa: S301


def test_flipped_bit_with_another_time_is_found_at_opening(
    tmp_path: Path, written: list[EpisodeData], caplog: pytest.LogCaptureFixture
) -> None:
    recording = open_recording(tmp_path / "d")
    truth = np.array(FrameCache.open_or_build(recording).values("state"))
    flip(FrameCache.open_or_build(recording).folder / "sensor-01.npy", keep_time=False)
    with rebuilt(caplog, "sensor-01.npy is not what was written"):
        cache = FrameCache.open_or_build(recording)
    np.testing.assert_array_equal(cache.values("state"), truth)


def test_flipped_bit_with_the_same_time_is_found_by_verify(
    tmp_path: Path, written: list[EpisodeData], caplog: pytest.LogCaptureFixture
) -> None:
    recording = open_recording(tmp_path / "d")
    cache = FrameCache.open_or_build(recording)
    truth = np.array(cache.values("top"))
    flip(cache.folder / "sensor-00.npy", keep_time=True)
    with pytest.raises(CacheError, match=r"sensor-00\.npy is not what was written"):
        FrameCache.open_or_build(recording).verify()
    with rebuilt(caplog, "sensor-00.npy"):
        cache = FrameCache.open_or_build(recording, verify=True)
    np.testing.assert_array_equal(cache.values("top"), truth)
    cache.verify()


def test_a_new_time_alone_is_no_reason(
    tmp_path: Path, written: list[EpisodeData], caplog: pytest.LogCaptureFixture
) -> None:
    recording = open_recording(tmp_path / "d")
    path = FrameCache.open_or_build(recording).folder / "sensor-00.npy"
    os.utime(path)
    inode = path.stat().st_ino
    with caplog.at_level(logging.WARNING, logger="monde.data"):
        FrameCache.open_or_build(recording).verify()
    assert not caplog.records
    assert path.stat().st_ino == inode


@pytest.mark.parametrize("victim", ["sensor-00.npy", "index.json", "offsets.npy"])
@pytest.mark.parametrize("damage", ["missing", "short", "garbage"])
def test_damaged_files_are_made_again(
    tmp_path: Path, written: list[EpisodeData], caplog: pytest.LogCaptureFixture, victim: str, damage: str
) -> None:
    recording = open_recording(tmp_path / "d")
    path = FrameCache.open_or_build(recording).folder / victim
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-5] if damage == "short" else b"garbage" * 20)
    with rebuilt(caplog, victim):
        FrameCache.open_or_build(recording).verify()


def test_more_episodes_make_it_again(
    tmp_path: Path,
    written: list[EpisodeData],
    open_writer: Open,
    make_episode: One,
    caplog: pytest.LogCaptureFixture,
) -> None:
    FrameCache.open_or_build(open_recording(tmp_path / "d"))
    with open_writer(tmp_path / "d") as writer:
        writer.append([make_episode(3)])
    with rebuilt(caplog, "made from other data"):
        cache = FrameCache.open_or_build(open_recording(tmp_path / "d"))
    assert cache.lengths.tolist() == [5, 1, 40, 3]


def test_a_cache_of_other_data_is_not_used(
    tmp_path: Path, make_dataset: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """The dataset is replaced by another of the same shape, under the same path."""
    make_dataset(tmp_path / "d", [5, 5])
    old = np.array(FrameCache.open_or_build(open_recording(tmp_path / "d"), root=tmp_path / "c").values("state"))
    shutil.rmtree(tmp_path / "d")
    other = make_dataset(tmp_path / "e", [6], [5, 5])[1:]
    shutil.move(tmp_path / "e", tmp_path / "d")
    with rebuilt(caplog, "made from other data"):
        cache = FrameCache.open_or_build(open_recording(tmp_path / "d"), root=tmp_path / "c")
    new = cache.values("state")[6:]
    np.testing.assert_array_equal(new, np.concatenate([part.values["state"] for part in other]))
    assert not np.array_equal(new, old)


def test_several_at_once_make_it_once(
    tmp_path: Path, written: list[EpisodeData], caplog: pytest.LogCaptureFixture
) -> None:
    """As the ranks of one training run do; each holds the lock through a handle of its own, as processes would."""
    recordings = [open_recording(tmp_path / "d") for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        caches = list(pool.map(FrameCache.open_or_build, recordings))
    assert len({cache.folder for cache in caches}) == 1
    assert not [record for record in caplog.records if "made again" in record.getMessage()]
    for cache in caches:
        cache.verify()


def test_what_a_dead_builder_left_is_removed(tmp_path: Path, written: list[EpisodeData]) -> None:
    recording = open_recording(tmp_path / "d")
    folder = FrameCache.open_or_build(recording).folder
    shutil.rmtree(folder)
    (folder.parent / ".incomplete-xyz").mkdir()
    FrameCache.open_or_build(recording)
    assert sorted(p.name for p in folder.parent.iterdir()) == [".lock", "frames"]


def test_no_room_is_refused_before_writing(
    tmp_path: Path, written: list[EpisodeData], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(CacheError, match=r"no room for the frame cache.*MONDE_CACHE"):
        FrameCache.open_or_build(open_recording(tmp_path / "d"), root=tmp_path / "c")
    assert not list((tmp_path / "c").rglob("*.npy"))


def test_a_recording_that_fails_leaves_nothing(tmp_path: Path, written: list[EpisodeData]) -> None:
    recording = _Failing(open_recording(tmp_path / "d"))
    with pytest.raises(RuntimeError, match="camera on fire"):
        FrameCache.open_or_build(recording, root=tmp_path / "c")  # type: ignore[arg-type]
    assert not [p for p in (tmp_path / "c").rglob("*") if p.is_file() and p.name != ".lock"]


@dataclass
class _Failing:
    inner: object

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def film(self, episode: int, *_: object) -> object:
        if episode == 2:
            raise RuntimeError("camera on fire")
        return self.inner.film(episode, *_)  # type: ignore[attr-defined]


def test_where_it_goes(tmp_path: Path, written: list[EpisodeData], monkeypatch: pytest.MonkeyPatch) -> None:
    recording = open_recording(tmp_path / "d")
    assert FrameCache.open_or_build(recording).folder.is_relative_to(tmp_path / "d/.cache")
    monkeypatch.setenv("MONDE_CACHE", str(tmp_path / "elsewhere"))
    assert FrameCache.open_or_build(recording).folder.is_relative_to(tmp_path / "elsewhere")
    monkeypatch.delenv("MONDE_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    shutil.rmtree(tmp_path / "d/.cache")
    # A file in its place stands for a dataset folder that cannot be written to (tests may run as root).
    monkeypatch.setattr("monde.data.cache.os.access", lambda path, mode: not str(path).startswith(str(tmp_path / "d")))
    assert FrameCache.open_or_build(recording).folder.is_relative_to(tmp_path / "home/.cache/monde")


def test_refuses_unknown_sensors_and_sizes(tmp_path: Path, written: list[EpisodeData]) -> None:
    recording = open_recording(tmp_path / "d")
    with pytest.raises(ContractError, match="unknown sensor 'tops'"):
        FrameCache.open_or_build(recording, sensors=["tops"])
    with pytest.raises(ContractError, match="cannot have this size"):
        FrameCache.open_or_build(recording, size=0)
    with pytest.raises(ContractError, match="unknown sensor"):
        FrameCache.open_or_build(recording).values("tops")
