"""Our datasets in the `lerobot` package's own reader, and its datasets in ours. Run where lerobot is installed.

Writes a dataset with lerobot and one with monde, describes both layouts (keys, shapes, Arrow types), opens ours with
`LeRobotDataset` and compares every row. lerobot 0.4.4 is the last for Python 3.11 and asks for an older torch; it works
beside a newer one when installed without its dependencies:

    pip install "datasets<4.2" "huggingface_hub<0.36" pandas accelerate
    pip install --no-deps lerobot==0.4.4 torchvision
    python benchmarks/lerobot_reader.py [--golden tests/data/lerobot_layout.json]

Where lerobot's own video backends are not there (torchcodec needs FFmpeg's libraries, torchvision has dropped its
reader), its `decode_video_frames` is replaced by one of the same contract on PyAV, and the output says so.
"""

import argparse
import json
import sys
import tempfile
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from monde.data import EpisodeData, RecordingWriter, open_recording
from monde.data.lerobot.video_frames import VideoFrames
from monde.store import write_json
from monde.types import ActionSpec, Sensor

LENGTHS, SIZE, FPS = (12, 7), (48, 64), 10
SENSORS = (
    Sensor(name="top", kind="rgb", shape=(3, *SIZE), rate_hz=float(FPS)),
    Sensor(name="state", kind="state", shape=(2,), rate_hz=float(FPS), names=("x", "y")),
)
ACTIONS = ActionSpec(low=(-9.0, -9.0), high=(9.0, 9.0), dt_seconds=1 / FPS, names=("dx", "dy"))
VIDEO = "observation.images.top"


def episodes() -> list[EpisodeData]:
    """Two episodes whose grey levels tell the frame."""
    rng, made = np.random.default_rng(0), []
    for length in LENGTHS:
        levels = (20 + 10 * np.arange(length)).astype(np.uint8)
        frames = np.broadcast_to(levels[:, None, None, None], (length, 3, *SIZE)).copy()
        state = rng.normal(size=(length, 2)).astype(np.float32)
        actions = rng.normal(size=(length - 1, 2)).astype(np.float32)
        made.append(EpisodeData({"top": frames, "state": state}, np.arange(length) / FPS, actions, "go"))
    return made


def write_ours(root: Path) -> None:
    """With monde."""
    with RecordingWriter(root, sensors=SENSORS, actions=ACTIONS, source={}, frames=VideoFrames()) as writer:
        writer.append(episodes())


def write_theirs(root: Path) -> None:
    """With lerobot."""
    features = {
        VIDEO: {"dtype": "video", "shape": (*SIZE, 3), "names": ["height", "width", "channels"]},
        "observation.state": {"dtype": "float32", "shape": (2,), "names": ["x", "y"]},
        "action": {"dtype": "float32", "shape": (2,), "names": ["dx", "dy"]},
    }
    lerobot = import_module("lerobot.datasets.lerobot_dataset")
    dataset = lerobot.LeRobotDataset.create(
        "local/theirs", fps=FPS, features=features, root=root, use_videos=True, vcodec="h264"
    )
    for episode in episodes():
        assert episode.actions is not None
        actions = np.concatenate([episode.actions, episode.actions[-1:]])
        for frame, state, action in zip(episode.values["top"], episode.values["state"], actions, strict=True):
            row = {VIDEO: frame.transpose(1, 2, 0), "observation.state": state, "action": action, "task": "go"}
            dataset.add_frame(row)
        dataset.save_episode()
    dataset.finalize()


def describe(root: Path) -> dict[str, object]:
    """The layout of a dataset: what is written where, of which type."""
    data, listed, tasks = (
        pq.read_schema(root / name)
        for name in (
            "data/chunk-000/file-000.parquet",
            "meta/episodes/chunk-000/file-000.parquet",
            "meta/tasks.parquet",
        )
    )
    stats = json.loads((root / "meta/stats.json").read_text())
    hugging_face = json.loads(data.metadata[b"huggingface"])["info"]["features"]
    return {
        "files": sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and p.name != ".lock"),
        "info": json.loads((root / "meta/info.json").read_text()),
        "data": types(data),
        "huggingface": hugging_face,
        "episodes": types(listed),
        "tasks": types(tasks),
        "stats": {
            key: {name: list(np.shape(value)) for name, value in part.items()} for key, part in sorted(stats.items())
        },
    }


def types(schema: pa.Schema) -> dict[str, str]:
    """Arrow types by column; of extension types what they are stored as."""
    return {name: str(getattr(kind, "storage_type", kind)) for name, kind in zip(schema.names, schema.types)}


def read_in_theirs(root: Path) -> str:
    """Every row of ours through `LeRobotDataset`, against what was written. Returns what decoded the video."""
    lerobot = import_module("lerobot.datasets.lerobot_dataset")
    dataset = lerobot.LeRobotDataset("local/ours", root=root)
    assert (dataset.num_episodes, dataset.num_frames, dataset.fps) == (len(LENGTHS), sum(LENGTHS), FPS)
    assert dataset.meta.video_keys == [VIDEO]
    backend = dataset.video_backend
    try:
        dataset[0]
    except Exception as error:  # noqa: BLE001  (whatever a missing backend raises)
        backend = f"PyAV in the place of lerobot's {backend} ({type(error).__name__}: {error})"
        vars(lerobot)["decode_video_frames"] = decode_with_pyav
    number = 0
    for index, episode in enumerate(episodes()):
        for step in range(episode.steps):
            row = dataset[number]
            assert (int(row["episode_index"]), int(row["frame_index"]), int(row["index"])) == (index, step, number)
            assert row["task"] == "go"
            assert np.allclose(row["observation.state"], np.asarray(episode.values["state"])[step])
            assert abs(float(row["timestamp"]) - step / FPS) < 1e-6
            assert abs(float(row[VIDEO].mean()) * 255 - (20 + 10 * step)) < 4
            number += 1
    return str(backend)


def decode_with_pyav(
    path: Path, timestamps: list[float], tolerance_s: float, backend: str | None = None
) -> torch.Tensor:
    """What lerobot's function of this name returns: the frames nearest to these times, within the tolerance."""
    import av

    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    times = np.array([frame.time for frame in frames], dtype=float)
    nearest = [int(np.abs(times - wanted).argmin()) for wanted in timestamps]
    assert all(abs(times[i] - wanted) < tolerance_s for i, wanted in zip(nearest, timestamps, strict=True))
    pictures = np.stack([frames[i].to_ndarray(format="rgb24") for i in nearest])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


def allow_torchvision() -> None:
    """Let a torchvision without compiled operators be imported: lerobot asks for it and uses none of them here."""
    try:
        import_module("torchvision")
    except (RuntimeError, ImportError):
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        import_module("torchvision")


def main() -> None:
    """Write both, compare, and write the description of theirs where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", type=Path, default=None, help="write the layout that lerobot wrote to this file")
    given = parser.parse_args()
    allow_torchvision()
    with tempfile.TemporaryDirectory(prefix="monde-lerobot-") as folder:
        ours, theirs = Path(folder, "ours"), Path(folder, "theirs")
        write_ours(ours)
        write_theirs(theirs)
        print(f"lerobot {version('lerobot')} read every row of ours; video by {read_in_theirs(ours)}")
        recording = open_recording(theirs)
        assert recording.lengths == LENGTHS
        for index, episode in enumerate(episodes()):
            clip = recording.read(index, 0, episode.steps)
            assert np.allclose(clip.stream("state").values[0].numpy(), np.asarray(episode.values["state"]))
        print("monde read every row of lerobot's")
        if given.golden is not None:
            write_json(given.golden, {"lerobot": version("lerobot")} | describe(theirs))


if __name__ == "__main__":
    main()
