import os
from pathlib import Path

import numpy as np
import pytest

from monde.data import FrameCache, open_recording
from monde.data.folders.reader import VideoRecording
from monde.data.streaming import Filmed
from monde.errors import ContractError, DataError
from monde.protocols import Recording
from tests.data.filming import numbered, numbers_of, write_film, write_sound

av = pytest.importorskip("av")

SHARED = Path(os.environ.get("MONDE_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared/data"))


def shown(recording: Recording, episode: int, start: int, stop: int) -> list[int]:
    return numbers_of(recording.read(episode, start, stop).stream("camera").values[0].permute(0, 2, 3, 1).numpy())


def test_each_file_is_an_episode(tmp_path: Path) -> None:
    write_film(tmp_path / "b.mp4", numbered(30))
    write_film(tmp_path / "a.mkv", numbered(7))
    write_film(tmp_path / "nested/deep/c.avi", numbered(9), codec="mpeg4")
    write_film(tmp_path / "d.WEBM", numbered(5), codec="libvpx-vp9")
    write_film(tmp_path / ".cache/e.mp4", numbered(3))
    (tmp_path / "notes.txt").write_text("not a film")
    recording = open_recording(tmp_path)
    assert isinstance(recording, Recording)
    assert isinstance(recording, Filmed)
    assert recording.names == ("a.mkv", "b.mp4", "d.WEBM", "nested/deep/c.avi")  # type: ignore[attr-defined]
    assert recording.lengths == (7, 30, 5, 9)
    assert recording.actions is None
    (camera,) = recording.sensors
    assert (camera.name, camera.kind, camera.shape, camera.rate_hz) == ("camera", "rgb", (3, 48, 64), 10.0)
    assert shown(recording, 1, 11, 27) == list(range(11, 27))
    assert shown(recording, 3, 4, 9) == list(range(4, 9))
    clip = recording.read(1, 11, 14, ["camera"])
    assert clip.actions is None
    np.testing.assert_allclose(clip.stream("camera").times_seconds[0], [1.1, 1.2, 1.3])


def test_a_single_file_is_a_recording(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", numbered(20))
    write_film(tmp_path / "other.mp4", numbered(10))
    recording = open_recording(path)
    assert recording.lengths == (20,)
    caches = [FrameCache.open_or_build(open_recording(tmp_path / name), size=8) for name in ("film.mp4", "other.mp4")]
    assert [cache.frames for cache in caches] == [20, 10]
    assert caches[0].folder.is_relative_to(tmp_path / ".cache")
    # Each has a cache of its own: opening the first again makes nothing anew.
    before = (caches[0].folder / "index.json").stat().st_ino
    FrameCache.open_or_build(open_recording(path), size=8)
    assert (caches[0].folder / "index.json").stat().st_ino == before


def test_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0, 40, 80, 400, 440, 480, 1000, 1040]
    path = write_film(tmp_path / "v.mkv", numbered(8), rate=25, times_ms=times)
    clip = open_recording(path).read(0, 2, 8)
    np.testing.assert_allclose(clip.stream("camera").times_seconds[0], np.array(times[2:]) / 1000, atol=1e-9)
    assert shown(open_recording(path), 0, 2, 8) == list(range(2, 8))


def test_bad_files_are_left_out_and_named(tmp_path: Path) -> None:
    good = write_film(tmp_path / "good.mp4", numbered(20))
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "half.mp4").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (tmp_path / "text.mp4").write_text("a thesis, not a film" * 100)
    write_sound(tmp_path / "sound.mp4")
    recording = open_recording(tmp_path)
    assert isinstance(recording, VideoRecording)
    assert recording.names == ("good.mp4",)
    assert sorted(recording.absent_files) == ["empty.mp4", "half.mp4", "sound.mp4", "text.mp4"]
    assert all(recording.absent_files.values())
    assert "4 files left out" in repr(recording)
    good.unlink()
    with pytest.raises(DataError, match=r"no video that can be decoded.*empty\.mp4"):
        open_recording(tmp_path)
    with pytest.raises(DataError, match="no video that can be decoded"):
        open_recording(tmp_path / "text.mp4")


def test_several_sizes_are_refused_with_the_groups(tmp_path: Path) -> None:
    write_film(tmp_path / "a.mp4", numbered(4))
    write_film(tmp_path / "b.mp4", numbered(4))
    write_film(tmp_path / "c.mp4", numbered(6, 32, 32))
    with pytest.raises(
        DataError, match=r"several sizes.*32×32: c\.mp4; 48×64: a\.mp4, b\.mp4.*monde convert"
    ) as caught:
        open_recording(tmp_path)
    assert "--frame" in str(caught.value)
    recording = VideoRecording(tmp_path, size=(16, 24))
    assert recording.sensors[0].shape == (3, 16, 24)
    assert shown(recording, 2, 0, 6) == list(range(6))
    assert recording.fingerprint != VideoRecording(tmp_path, size=(16, 16)).fingerprint
    with pytest.raises(ContractError, match="cannot have this size"):
        VideoRecording(tmp_path, size=(0, 8))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((1, 0, 1), "no episode 1"),
        ((-1, 0, 1), "no episode -1"),
        ((0, 2, 2), "no frames 2:2"),
        ((0, 0, 6), "no frames 0:6"),
        ((0, 0, 1, ["top"]), "unknown sensor 'top'"),
    ],
)
def test_refuses_what_is_not_there(tmp_path: Path, arguments: tuple[int, int, int], complaint: str) -> None:
    write_film(tmp_path / "a.mp4", numbered(5))
    with pytest.raises(ContractError, match=complaint):
        open_recording(tmp_path).read(*arguments)


def test_a_dataset_of_an_unknown_version_is_no_folder_of_videos(tmp_path: Path) -> None:
    write_film(tmp_path / "videos/top/chunk-000/file-000.mp4", numbered(5))
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/info.json").write_text('{"codebase_version": "v9.0"}')
    with pytest.raises(DataError, match="not known"):
        open_recording(tmp_path)


def test_fingerprint_follows_the_content_not_the_place(tmp_path: Path) -> None:
    for name, count in (("a", 5), ("b", 5), ("c", 6)):
        write_film(tmp_path / name / "film.mp4", numbered(count))
    a, b, c = (open_recording(tmp_path / name).fingerprint for name in "abc")
    assert a == b
    assert a != c


def test_a_cache_equals_what_is_read(tmp_path: Path) -> None:
    """Films are cached in one pass from first frame to last; pieces read by themselves must show the same."""
    write_film(tmp_path / "a.mp4", numbered(25))
    write_film(tmp_path / "b.mkv", numbered(13), rate=25, times_ms=[40 * k + (k > 5) * 500 for k in range(13)])
    recording = open_recording(tmp_path)
    seen: list[tuple[int, int]] = []
    cache = FrameCache.open_or_build(recording, progress=lambda done, of: seen.append((done, of)))
    whole = [recording.read(k, 0, length).stream("camera") for k, length in enumerate(recording.lengths)]
    frames = np.concatenate([part.values[0].permute(0, 2, 3, 1).numpy() for part in whole])
    np.testing.assert_array_equal(cache.values("camera"), frames)
    np.testing.assert_array_equal(cache.times_seconds, np.concatenate([part.times_seconds[0] for part in whole]))
    assert cache.controls is None
    assert seen[-1] == (38, 38)
    small = FrameCache.open_or_build(recording, size=(12, 16))
    assert numbers_of(small.values("camera")) == [*range(25), *range(13)]


@pytest.mark.skipif(not (SHARED / "intel-sample-videos").is_dir(), reason="shared data is not here")
def test_real_films() -> None:
    folder = SHARED / "intel-sample-videos"
    with pytest.raises(DataError, match=r"360×640: bottle-detection\.mp4; 432×768: car-detection\.mp4"):
        open_recording(folder)
    recording = open_recording(folder / "car-detection.mp4")
    assert recording.lengths == (377,)
    assert recording.sensors[0].rate_hz == pytest.approx(12.5, rel=0.01)
    times = recording.read(0, 370, 377).stream("camera").times_seconds[0]
    assert float(times[-1]) == pytest.approx(376 / 12.5, abs=0.1)


@pytest.mark.skipif(not (SHARED / "short-clips").is_dir(), reason="shared data is not here")
@pytest.mark.parametrize(
    ("name", "frames"),
    [("nasa_13013.mp4", 325), ("av1_video.mkv", 125), ("h265_video.mp4", 10), ("bigbuckbunny.mp4", 132)],
)
def test_real_clips(name: str, frames: int) -> None:
    recording = open_recording(SHARED / "short-clips" / name)
    assert recording.lengths[0] == pytest.approx(frames, abs=70 if "nasa" in name else 0)
    clip = recording.read(0, frames // 2, frames // 2 + 2)
    assert clip.stream("camera").values.float().std() > 5
