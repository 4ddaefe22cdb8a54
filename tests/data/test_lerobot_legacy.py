"""LeRobot v2.1 as the field's datasets have it: a Parquet file and a video a camera for every episode."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.filming import numbered, numbers_of, write_film
from monde.data import FrameCache, open_recording
from monde.errors import DataError

NAMES = ["shoulder", "elbow"]


def table(index: int, length: int) -> pa.Table:
    frame = np.arange(length)
    state = np.stack([frame + 100 * index, np.sin(frame)], 1).astype(np.float32)
    return pa.table(
        {
            "observation.state": pa.array(state.tolist(), pa.list_(pa.float32())),
            "action": pa.array((state + 0.5).tolist(), pa.list_(pa.float32())),
            "timestamp": pa.array((frame / 10).astype(np.float32)),
            "frame_index": frame,
            "episode_index": np.full(length, index),
            "index": frame,
            "task_index": np.zeros(length, np.int64),
        }
    )


def make(root: Path, lengths: list[int], cameras: tuple[str, ...] = ("top",)) -> Path:
    (root / "meta").mkdir(parents=True)
    (root / "data/chunk-000").mkdir(parents=True)
    features: dict[str, object] = {
        "observation.state": {"dtype": "float32", "shape": [2], "names": [NAMES]},
        "action": {"dtype": "float32", "shape": [2], "names": [NAMES]},
        **{
            f"observation.images.{name}": {
                "dtype": "video", "shape": [48, 64, 3], "names": ["height", "width", "channel"],
            }
            for name in cameras
        },
    }  # fmt: skip
    for key, dtype in (
        ("timestamp", "float32"), ("frame_index", "int64"), ("episode_index", "int64"), ("index", "int64"),
        ("task_index", "int64"),
    ):  # fmt: skip
        features[key] = {"dtype": dtype, "shape": [1], "names": None}
    info = {
        "codebase_version": "v2.1", "total_episodes": len(lengths), "total_frames": sum(lengths), "total_tasks": 1,
        "chunks_size": 1000, "fps": 10, "features": features,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
    }  # fmt: skip
    (root / "meta/info.json").write_text(json.dumps(info))
    episodes, stats = [], []
    for index, length in enumerate(lengths):
        rows = table(index, length)
        pq.write_table(rows, root / f"data/chunk-000/episode_{index:06d}.parquet")
        for number, name in enumerate(cameras):
            film = numbered(length + number)[number:]
            write_film(root / f"videos/chunk-000/observation.images.{name}/episode_{index:06d}.mp4", film)
        taken = np.array(rows["action"].to_pylist())
        limits = {"min": taken.min(0).tolist(), "max": taken.max(0).tolist()}
        episodes.append({"episode_index": index, "tasks": ["push"], "length": length})
        stats.append({"episode_index": index, "stats": {"action": limits}})
    for name, lines in (("episodes", episodes), ("episodes_stats", stats)):
        (root / f"meta/{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


def test_reads_what_is_there(tmp_path: Path) -> None:
    recording = open_recording(make(tmp_path / "d", [12, 9], ("top", "wrist")))
    assert recording.lengths == (12, 9)
    assert [sensor.name for sensor in recording.sensors] == ["state", "top", "wrist"]
    assert recording.sensors[0].names == tuple(NAMES)
    assert recording.actions is not None
    assert recording.actions.high[0] == pytest.approx(108.5)  # over all episodes
    clip = recording.read(1, 3, 7)
    assert numbers_of(clip.stream("top").values[0].permute(0, 2, 3, 1).numpy()) == [3, 4, 5, 6]
    assert numbers_of(clip.stream("wrist").values[0].permute(0, 2, 3, 1).numpy()) == [4, 5, 6, 7]
    assert clip.stream("state").values[0, :, 0].tolist() == [103, 104, 105, 106]
    assert clip.actions is not None
    assert clip.actions.values[0, :, 0].tolist() == [103.5, 104.5, 105.5]
    cache = FrameCache.open_or_build(recording, root=tmp_path / "c", size=24)
    assert numbers_of(np.asarray(cache.values("top")[12:])) == list(range(9))


def test_absent_episodes_are_left_out_and_named(tmp_path: Path) -> None:
    root = make(tmp_path / "d", [12, 9, 8, 7])
    (root / "data/chunk-000/episode_000001.parquet").unlink()
    (root / "videos/chunk-000/observation.images.top/episode_000002.mp4").unlink()
    recording = open_recording(root)
    assert recording.lengths == (12, 7)
    assert recording.absent == (1, 2)  # type: ignore[attr-defined]  # LeRobot's own
    assert recording.original_episode(1) == 3  # type: ignore[attr-defined]  # LeRobot's own
    assert "2 absent" in repr(recording)
    assert recording.read(1, 0, 1).stream("state").values[0, 0, 0] == 300
    for path in root.glob("data/chunk-000/*.parquet"):
        path.unlink()
    with pytest.raises(DataError, match="files of all 4 episodes are missing"):
        open_recording(root)


def test_a_camera_that_disagrees_with_the_table(tmp_path: Path) -> None:
    root = make(tmp_path / "d", [12, 9], ("top", "wrist"))
    write_film(root / "videos/chunk-000/observation.images.wrist/episode_000001.mp4", numbered(7))
    recording = open_recording(root)
    recording.read(0, 0, 12)
    with pytest.raises(DataError, match=r"one frame for each row of episode 1\. Got: 7 frames of camera 'wrist'"):
        recording.read(1, 0, 2)


def test_fewer_rows_than_listed(tmp_path: Path) -> None:
    root = make(tmp_path / "d", [12, 9])
    pq.write_table(table(1, 5), root / "data/chunk-000/episode_000001.parquet")
    with pytest.raises(DataError, match="fewer rows than meta/episodes says"):
        open_recording(root)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("episodes", '{"episode_index": 0}\n', "line 1 of .*no length"),
        ("episodes", '{"episode_index": 0, "length": 5}\n{"episode_index": 0, "length": 5}\n', "twice"),
        ("episodes", '{"episode_index": 0, "length": 5}\nnot json\n', "line 2"),
        ("episodes", '{"episode_index": 0, "length": 5}\n', "half written"),
        ("episodes_stats", '{"episode_index": 0, "stats": {}}\n', "range of the actions"),
    ],
)
def test_meta_that_is_wrong(tmp_path: Path, name: str, text: str, said: str) -> None:
    root = make(tmp_path / "d", [12, 9])
    (root / f"meta/{name}.jsonl").write_text(text)
    with pytest.raises(DataError, match=said):
        open_recording(root)


def test_a_path_that_leaves_the_dataset(tmp_path: Path) -> None:
    root = make(tmp_path / "d", [12])
    info = json.loads((root / "meta/info.json").read_text())
    info["video_path"] = "../../{video_key}/{episode_index}.mp4"
    (root / "meta/info.json").write_text(json.dumps(info))
    with pytest.raises(DataError, match="outside of the dataset"):
        open_recording(root)


def test_another_film_is_another_fingerprint(tmp_path: Path) -> None:
    a, b = make(tmp_path / "a", [12]), make(tmp_path / "b", [12])
    assert open_recording(a).fingerprint == open_recording(b).fingerprint
    write_film(b / "videos/chunk-000/observation.images.top/episode_000000.mp4", numbered(13)[1:])
    assert open_recording(a).fingerprint != open_recording(b).fingerprint


def test_the_real_robot(shared_data: Path) -> None:
    recording = open_recording(shared_data / "lerobot-g1-bottle")
    assert len(recording.lengths) == 10
    assert sum(recording.lengths) == 2774
    assert recording.original_episode(0) == 10  # type: ignore[attr-defined]  # LeRobot's own
    clip = recording.read(3, 100, 103)
    assert clip.stream("cam_high").values.shape == (1, 3, 3, 480, 640)
    assert 20 < clip.stream("cam_high").values.float().mean() < 235
