"""Frames as video: what PyAV finds in the files, what a failed or killed append leaves, what is refused."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from monde.data import EpisodeData, FrameCache, RecordingWriter, open_recording, resize_frames
from monde.data.episode import LazyFrames
from monde.data.lerobot.frames import ImageFrames
from monde.data.lerobot.storage import storage_for
from monde.data.lerobot.video_frames import VideoFrames
from monde.errors import ContractError, DataError, StoreError, UsageError
from monde.types import ActionSpec, Sensor

av = pytest.importorskip("av")

SENSORS = (
    Sensor(name="top", kind="rgb", shape=(3, 48, 64), rate_hz=12.5),
    Sensor(name="wrist", kind="rgb", shape=(3, 32, 32), rate_hz=12.5),
    Sensor(name="state", kind="state", shape=(2,), rate_hz=12.5),
)
KEYS = ("observation.images.top", "observation.images.wrist")
Open = Callable[..., RecordingWriter]


def drifting(length: int, height: int, width: int, seed: int) -> np.ndarray:
    """A coloured bar that moves over a gradient, and a grey corner that tells the number of the frame: [T, 3, h, w]."""
    frames = np.empty((length, 3, height, width), dtype=np.uint8)
    frames[:] = (np.linspace(0, 255, width)[None, :] * np.array([1.0, 0.5, 0.2])[:, None, None]).astype(np.uint8)
    for step in range(length):
        left = (seed * 7 + step) % (width - 8)
        frames[step, :, :, left : left + 8] = np.array([20, 200, 90 + 5 * seed], dtype=np.uint8)[:, None, None]
        frames[step, :, :16, :16] = 8 * step % 256
    return frames


def filmed(length: int, seed: int = 0) -> EpisodeData:
    rng = np.random.default_rng(seed)
    values = {"top": drifting(length, 48, 64, seed), "wrist": drifting(length, 32, 32, seed + 1)}
    state = rng.normal(size=(length, 2)).astype(np.float32)
    return EpisodeData(values | {"state": state}, np.arange(length) / 12.5, None, f"task {seed}")


def opened(root: Path, **changes: object) -> RecordingWriter:
    parts: dict[str, object] = {"sensors": SENSORS, "actions": None, "source": {}, "frames": VideoFrames()}
    return RecordingWriter(root, **(parts | changes))  # type: ignore[arg-type]


def video(root: Path, key: str = KEYS[0], file: int = 0) -> Path:
    return root / f"videos/{key}/chunk-000/file-{file:03d}.mp4"


def decoded(path: Path) -> tuple[np.ndarray, list[float], list[bool]]:
    """Frames [T, h, w, 3], times, and which are key frames."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        return (
            np.stack([frame.to_ndarray(format="rgb24") for frame in frames]),
            [frame.time for frame in frames],
            [bool(frame.key_frame) for frame in frames],
        )


def files(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and p.name != ".lock"}


def test_frames_come_back_in_order_at_their_times(tmp_path: Path) -> None:
    parts = [filmed(30, 0), filmed(7, 1), filmed(1, 2)]
    with opened(tmp_path) as writer:
        writer.append(parts)
    for name, key in zip(("top", "wrist"), KEYS, strict=True):
        frames, times, keys = decoded(video(tmp_path, key))
        truth = np.concatenate([part.values[name] for part in parts]).transpose(0, 2, 3, 1)
        assert frames.shape == truth.shape
        assert np.abs(frames.astype(int) - truth).mean() < 8
        corners = frames[:, 2:14, 2:14].mean((1, 2, 3)) / 8
        assert corners.round().astype(int).tolist() == [*range(30), *range(7), 0]
        np.testing.assert_allclose(times, np.arange(38) / 12.5, atol=1e-9)
        # Every 12 frames, and where an episode begins.
        assert [index for index, key_frame in enumerate(keys) if key_frame] == [0, 12, 24, 30, 37]


def test_colours_survive(tmp_path: Path) -> None:
    """Saturated fields, far from edges: whatever matrix the file says, decoding with it gives the colours back."""
    frames = np.zeros((5, 3, 48, 64), np.uint8)
    for index, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255), (250, 250, 250), (12, 12, 12)]):
        frames[index] = np.array(colour, np.uint8)[:, None, None]
    sensors = (SENSORS[0],)
    with opened(tmp_path, sensors=sensors) as writer:
        writer.append([EpisodeData({"top": frames}, np.arange(5) / 12.5, None)])
    found, _, _ = decoded(video(tmp_path))
    assert np.abs(found.astype(int) - frames.transpose(0, 2, 3, 1)).max() <= 6


def test_metadata_says_where_each_episode_is(tmp_path: Path) -> None:
    with opened(tmp_path) as writer:
        writer.append([filmed(30, 0), filmed(7, 1)])
        writer.append([filmed(5, 2)])
    info = json.loads((tmp_path / "meta/info.json").read_text())
    assert info["video_path"] == "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
    assert info["features"][KEYS[0]] == {
        "dtype": "video",
        "shape": [48, 64, 3],
        "names": ["height", "width", "channels"],
        "info": {
            "video.height": 48,
            "video.width": 64,
            "video.codec": "h264",
            "video.pix_fmt": "yuv420p",
            "video.is_depth_map": False,
            "video.fps": 12.5,
            "video.channels": 3,
            "has_audio": False,
        },
    }
    rows = [
        row
        for file in (0, 1)
        for row in pq.read_table(tmp_path / f"meta/episodes/chunk-000/file-{file:03d}.parquet").to_pylist()
    ]
    for key in KEYS:
        places = [(row[f"videos/{key}/chunk_index"], row[f"videos/{key}/file_index"]) for row in rows]
        assert places == [(0, 0), (0, 0), (0, 1)]
        spans = [(row[f"videos/{key}/from_timestamp"], row[f"videos/{key}/to_timestamp"]) for row in rows]
        np.testing.assert_allclose(spans, [(0, 2.4), (2.4, 2.96), (0, 0.4)])
        assert np.shape(rows[0][f"stats/{key}/mean"]) == (3, 1, 1)
    assert not set(KEYS) & set(pq.read_schema(tmp_path / "data/chunk-000/file-000.parquet").names)


def test_a_cache_of_video_equals_what_is_read(tmp_path: Path) -> None:
    """Cameras go from first frame to last, numbers are sliced beside them; in small pieces too."""
    actions = ActionSpec(low=(-1.0,), high=(1.0,), dt_seconds=0.08)
    parts = []
    for seed, length in enumerate((30, 1, 7)):
        part, taken = filmed(length, seed), np.random.default_rng(seed).uniform(-1, 1, (length - 1, 1))
        parts.append(EpisodeData(part.values, part.times_seconds, taken.astype(np.float32)))
    with opened(tmp_path / "d", actions=actions) as writer:
        writer.append(parts[:1])
        writer.append(parts[1:])
    recording = open_recording(tmp_path / "d")
    cache = FrameCache.open_or_build(recording)
    clips = [recording.read(index, 0, part.steps) for index, part in enumerate(parts)]
    for name in SHOWN:
        frames = np.concatenate([clip.stream(name).values[0].permute(0, 2, 3, 1).numpy() for clip in clips])
        np.testing.assert_array_equal(cache.values(name), frames)
    np.testing.assert_array_equal(cache.values("state"), np.concatenate([part.values["state"] for part in parts]))
    np.testing.assert_array_equal(cache.times_seconds, np.concatenate([part.times_seconds for part in parts]))
    assert cache.controls is not None
    np.testing.assert_array_equal(cache.controls[:29], parts[0].actions)
    np.testing.assert_array_equal(cache.controls[31:37], parts[2].actions)
    small = FrameCache.open_or_build(recording, size=(24, 32), sensors=["top"]).values("top")
    plain = resize_frames(cache.values("top"), (24, 32))
    # FFmpeg averages luma and chroma before it makes colours of them, Pillow after.
    assert np.abs(small.astype(int) - plain).mean() < 4


def test_equal_frames_give_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        with opened(tmp_path / name) as writer:
            writer.append([filmed(40, 0)])
    assert video(tmp_path / "a").read_bytes() == video(tmp_path / "b").read_bytes()


def test_the_index_stands_before_the_frames(tmp_path: Path) -> None:
    """faststart: a reader over a network needs the beginning of the file only."""
    with opened(tmp_path) as writer:
        writer.append([filmed(40, 0)])
    data = video(tmp_path).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_smaller_crf_keeps_more(tmp_path: Path) -> None:
    for name, crf in (("fine", 10), ("coarse", 40)):
        with opened(tmp_path / name, frames=VideoFrames(crf=crf)) as writer:
            writer.append([filmed(40, 0)])
    assert video(tmp_path / "fine").stat().st_size > 1.5 * video(tmp_path / "coarse").stat().st_size


def test_lazy_frames_are_gone_through_once(tmp_path: Path) -> None:
    """Films larger than memory are converted this way: the same file, the same statistics."""
    truth, calls = filmed(25, 0), []

    def pieces(name: str) -> Iterator[np.ndarray]:
        calls.append(name)
        frames = truth.values[name]
        for start in range(0, 25, 4):
            yield frames[start : start + 4]

    lazy = {name: LazyFrames((25, *truth.values[name].shape[1:]), lambda name=name: pieces(name)) for name in SHOWN}
    for name, values in (("whole", truth.values), ("lazy", truth.values | lazy)):
        with opened(tmp_path / name) as writer:
            writer.append([EpisodeData(values, truth.times_seconds, None, truth.task)])
    assert sorted(calls) == sorted(SHOWN)
    for name in ("meta/stats.json", *(video(Path(), key).as_posix() for key in KEYS)):
        assert (tmp_path / "lazy" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


SHOWN = ("top", "wrist")


def test_lazy_frames_that_end_early_leave_nothing(tmp_path: Path) -> None:
    whole = filmed(25, 0)
    short = LazyFrames((25, 3, 32, 32), lambda: [whole.values["wrist"][:20]])
    with opened(tmp_path) as writer:
        before = files(tmp_path)
        with pytest.raises(DataError, match=r"another number of frames.*20.*25"):
            writer.append([EpisodeData(whole.values | {"wrist": short}, whole.times_seconds, None)])
        assert files(tmp_path) - before == {"meta/tasks.parquet"}
        assert writer.episodes_written == 0


def test_a_failed_append_removes_its_videos(tmp_path: Path) -> None:
    with opened(tmp_path) as writer:
        writer.append([filmed(5, 0)])
        before = files(tmp_path)
        obstacle = tmp_path / "meta/episodes/chunk-000/file-001.parquet"
        (obstacle / "in the way").mkdir(parents=True)
        with pytest.raises(StoreError, match="could not be written"):
            writer.append([filmed(5, 0)])
        shutil.rmtree(obstacle)
        assert files(tmp_path) == before
        writer.append([filmed(6, 1)])
    assert len(decoded(video(tmp_path, file=1))[0]) == 6


def test_full_disk(tmp_path: Path) -> None:
    """The system's limit on the size of a file makes the encoder's real writes fail half way."""
    resource = pytest.importorskip("resource")
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (30, 3, 48, 64), dtype=np.uint8)
    with opened(tmp_path, sensors=SENSORS[:1]) as writer:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
        try:
            with pytest.raises(StoreError, match="could not be written"):
                writer.append([EpisodeData({"top": noise}, np.arange(30) / 12.5, None)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not [path for path in files(tmp_path) if path.startswith("videos")]


def test_what_a_crash_left_is_cleared(tmp_path: Path) -> None:
    """Killed after the videos and before the episodes file: nothing refers to them."""
    with opened(tmp_path) as writer:
        writer.append([filmed(5, 0)])
    kept = files(tmp_path)
    shutil.copy(video(tmp_path), video(tmp_path, file=1))
    (video(tmp_path).parent / ".incomplete-abc.mp4").write_bytes(b"half a film")
    with opened(tmp_path) as writer:
        assert writer.episodes_written == 1
    assert files(tmp_path) == kept


def test_a_lost_video_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as writer:
        writer.append([filmed(5, 0)])
    video(tmp_path, KEYS[1]).unlink()
    with pytest.raises(DataError, match=r"images\.wrist.*file-000\.mp4 is missing"):
        opened(tmp_path)


def test_images_are_not_continued_as_video(tmp_path: Path) -> None:
    with opened(tmp_path, frames=ImageFrames()) as writer:
        writer.append([filmed(3, 0)])
    with pytest.raises(DataError, match=r"in another way.*Got: video.*Expected: image"):
        opened(tmp_path)


def test_refuses_odd_sides_before_a_folder_is_made(tmp_path: Path) -> None:
    sensor = Sensor(name="top", kind="rgb", shape=(3, 33, 64), rate_hz=10)
    with pytest.raises(ContractError, match=r"33×64.*even sides.*images"):
        opened(tmp_path / "d", sensors=(sensor,))
    assert not (tmp_path / "d").exists()


def test_a_name_of_200_characters(tmp_path: Path) -> None:
    sensor = Sensor(name="x" * 200, kind="rgb", shape=(3, 32, 32), rate_hz=10)
    frames = {sensor.name: drifting(4, 32, 32, 0)}
    with opened(tmp_path, sensors=(sensor,)) as writer:
        writer.append([EpisodeData(frames, np.arange(4) / 10, None)])
    assert len(decoded(video(tmp_path, f"observation.images.{sensor.name}"))[0]) == 4


def test_storage_suits_the_cameras(tmp_path: Path) -> None:
    def camera(height: int, width: int) -> tuple[Sensor, ...]:
        return (Sensor(name="top", kind="rgb", shape=(3, height, width), rate_hz=12.5), *SENSORS[2:])

    assert isinstance(storage_for(tmp_path, camera(128, 128)), ImageFrames)
    assert isinstance(storage_for(tmp_path, camera(120, 160)), VideoFrames)
    assert isinstance(storage_for(tmp_path, camera(121, 160)), ImageFrames)
    assert isinstance(storage_for(tmp_path, camera(64, 64), "video"), VideoFrames)
    assert isinstance(storage_for(tmp_path, SENSORS[2:]), ImageFrames)
    with opened(tmp_path) as writer:
        writer.append([filmed(3, 0)])
    assert isinstance(storage_for(tmp_path, SENSORS), VideoFrames)  # small, but begun as video
    with pytest.raises(UsageError, match="unknown storage"):
        storage_for(tmp_path, SENSORS, "movie")
