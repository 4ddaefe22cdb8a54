import json
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monde.data import EpisodeData, RecordingWriter, open_recording
from monde.data.lerobot.frames import ImageFrames, StoredFrames
from monde.errors import ContractError, DataError, StoreError
from monde.types import ActionSpec, Sensor

Make = Callable[..., list[EpisodeData]]
Open = Callable[..., RecordingWriter]
One = Callable[..., EpisodeData]


def assert_holds(root: Path, written: list[EpisodeData]) -> None:
    recording = open_recording(root)
    assert recording.lengths == tuple(part.steps for part in written)
    for index, part in enumerate(written):
        clip = recording.read(index, 0, part.steps)
        for name, values in part.values.items():
            np.testing.assert_array_equal(clip.stream(name).values[0].numpy(), values)
            np.testing.assert_array_equal(clip.stream(name).times_seconds[0].numpy(), part.times_seconds)
        assert clip.actions is not None
        np.testing.assert_array_equal(clip.actions.values[0].numpy(), part.actions)


def test_what_is_written_is_read_back_exactly(tmp_path: Path, make_dataset: Make) -> None:
    written = make_dataset(tmp_path / "d", [5, 9], [1, 30])
    assert_holds(tmp_path / "d", written)
    recording = open_recording(tmp_path / "d")
    assert recording.sensors[1].names == ("x", "y")
    assert recording.sensors[1].unit == "px"
    assert recording.actions is not None
    assert recording.actions.high == (1.0, 2.0)


def test_is_the_lerobot_layout(tmp_path: Path, make_dataset: Make) -> None:
    """Field by field against what lerobot 0.4's own writer leaves (dataset_metadata.py, feature_utils.py)."""
    import pyarrow.parquet as pq

    written = make_dataset(tmp_path, [5, 9], [4])
    info = json.loads((tmp_path / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert (info["fps"], info["total_episodes"], info["total_frames"], info["total_tasks"]) == (10, 3, 18, 1)
    assert info["splits"] == {"train": "0:3"}
    assert info["features"]["observation.images.top"] == {
        "dtype": "image",
        "shape": [12, 16, 3],
        "names": ["height", "width", "channels"],
    }
    assert info["features"]["observation.state"] == {"dtype": "float32", "shape": [2], "names": ["x", "y"]}
    assert info["features"]["timestamp"] == {"dtype": "float32", "shape": [1], "names": None}

    schema = pq.read_schema(tmp_path / "data/chunk-000/file-000.parquet")
    assert schema.names == list(info["features"])
    assert str(schema.field("observation.images.top").type) == "struct<bytes: binary, path: string>"
    assert str(schema.field("observation.state").type) == "fixed_size_list<element: float>[2]"
    assert str(schema.field("observation.load").type) == "float"
    described = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert described["observation.images.top"] == {"_type": "Image"}
    assert described["action"] == {"feature": {"dtype": "float32", "_type": "Value"}, "length": 2, "_type": "Sequence"}

    rows = pq.read_table(tmp_path / "data/chunk-000/file-001.parquet").to_pydict()
    assert rows["index"] == [14, 15, 16, 17]
    assert rows["episode_index"] == [2] * 4
    assert rows["frame_index"] == [0, 1, 2, 3]
    np.testing.assert_allclose(rows["timestamp"], [0, 0.1, 0.2, 0.3], rtol=1e-6)
    assert rows["action"][3] == rows["action"][2]

    episodes = pq.read_table(tmp_path / "meta/episodes/chunk-000/file-001.parquet").to_pylist()[0]
    assert episodes["tasks"] == ["go"]
    assert (episodes["length"], episodes["dataset_from_index"], episodes["dataset_to_index"]) == (4, 14, 18)
    assert (episodes["data/file_index"], episodes["meta/episodes/file_index"]) == (1, 1)
    assert np.shape(episodes["stats/observation.images.top/mean"]) == (3, 1, 1)
    assert episodes["stats/action/count"] == [4]
    tasks = pq.read_table(tmp_path / "meta/tasks.parquet")
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["task"]

    stats = json.loads((tmp_path / "meta/stats.json").read_text())
    state = np.concatenate([part.values["state"] for part in written])
    np.testing.assert_allclose(stats["observation.state"]["mean"], state.mean(0), rtol=1e-5)
    np.testing.assert_allclose(stats["observation.state"]["std"], state.std(0), rtol=1e-5)
    assert stats["observation.state"]["count"] == [18]
    frames = np.concatenate([part.values["top"] for part in written]) / 255
    np.testing.assert_allclose(np.ravel(stats["observation.images.top"]["mean"]), frames.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(np.ravel(stats["observation.images.top"]["std"]), frames.std((0, 2, 3)), rtol=1e-6)


def test_resumes(tmp_path: Path, make_dataset: Make, open_writer: Open, make_episode: One) -> None:
    written = make_dataset(tmp_path, [5])
    with open_writer(tmp_path) as writer:
        assert writer.episodes_written == 1
        writer.append([more := make_episode(7, task="and back")])
        writer.append([])
        assert writer.episodes_written == 2
    assert_holds(tmp_path, [*written, more])
    assert open_recording(tmp_path).tasks == ("go", "and back")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"sensors": (Sensor(name="top", kind="rgb", shape=(3, 8, 8), rate_hz=10.0),)}, "other sensors"),
        ({"actions": ActionSpec(low=(0.0,), high=(1.0,), dt_seconds=0.1)}, "other actions"),
        ({"actions": None}, "other actions"),
        ({"source": {"world": "another"}}, "other source"),
    ],
)
def test_refuses_to_continue_another_recording(
    tmp_path: Path, make_dataset: Make, open_writer: Open, changes: dict[str, object], part: str
) -> None:
    written = make_dataset(tmp_path, [5])
    with pytest.raises(DataError, match=part):
        open_writer(tmp_path, **changes)
    assert_holds(tmp_path, written)


def test_refuses_a_folder_of_someone_else(tmp_path: Path, open_writer: Open) -> None:
    (tmp_path / "thesis.tex").write_text("all my work")
    with pytest.raises(DataError, match="not empty"):
        open_writer(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_refuses_a_second_writer(tmp_path: Path, open_writer: Open) -> None:
    with open_writer(tmp_path / "d"), pytest.raises(DataError, match="another process"):
        open_writer(tmp_path / "d")
    open_writer(tmp_path / "d").close()


def test_refuses_after_close(tmp_path: Path, open_writer: Open, make_episode: One) -> None:
    writer = open_writer(tmp_path)
    writer.close()
    with pytest.raises(ContractError, match="closed"):
        writer.append([make_episode(3)])


def test_a_bad_episode_leaves_the_whole_batch_out(
    tmp_path: Path, make_dataset: Make, open_writer: Open, make_episode: One
) -> None:
    written = make_dataset(tmp_path, [5])
    alien = EpisodeData({"top": np.zeros((2, 3, 12, 16), np.uint8)}, np.arange(2.0), np.zeros((1, 2), np.float32))
    with open_writer(tmp_path) as writer:
        with pytest.raises(ContractError, match="episode 1 of this batch"):
            writer.append([make_episode(4), alien])
        assert writer.episodes_written == 1
    assert_holds(tmp_path, written)


def test_failing_between_two_writes_takes_everything_back(
    tmp_path: Path, make_dataset: Make, open_writer: Open, make_episode: One
) -> None:
    """A folder in the place of a file makes the real write fail; what came before it is undone."""
    written = make_dataset(tmp_path, [5])
    for obstacle in ("meta/episodes/chunk-000/file-001.parquet", "meta/stats.json", "meta/info.json"):
        path = tmp_path / obstacle
        kept = path.read_bytes() if path.exists() else None
        with open_writer(tmp_path) as writer:
            path.unlink(missing_ok=True)
            (path / "in the way").mkdir(parents=True)
            with pytest.raises(StoreError, match="could not be written"):
                writer.append([make_episode(4)])
            assert writer.episodes_written == 1
            shutil.rmtree(path)
            if kept is not None:
                path.write_bytes(kept)
        assert sorted(p.name for p in (tmp_path / "data/chunk-000").iterdir()) == ["file-000.parquet"]
        assert_holds(tmp_path, written)


def test_full_disk(tmp_path: Path, make_dataset: Make, open_writer: Open, make_episode: One) -> None:
    """The system's limit on the size of a file makes real writes fail half way, as a full disk does."""
    resource = pytest.importorskip("resource")
    written = make_dataset(tmp_path, [5])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_writer(tmp_path) as writer:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        try:
            with pytest.raises(StoreError, match="could not be written"):
                writer.append([make_episode(100)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert_holds(tmp_path, written)
        writer.append([more := make_episode(100)])
    assert_holds(tmp_path, [*written, more])
    assert not list(tmp_path.rglob(".incomplete-*"))


class _Copies(ImageFrames):
    """Takes a copy of the folder as it is just before the data file is written."""

    def __init__(self, root: Path, copy: Path) -> None:
        super().__init__()
        self._root, self._copy = root, copy

    def store(self, root: Path, place, sensor, episodes) -> StoredFrames:  # type: ignore[no-untyped-def]
        shutil.copytree(self._root, self._copy)
        return super().store(root, place, sensor, episodes)


def states_of_a_crash(
    tmp_path: Path, open_writer: Open, make_episode: One
) -> tuple[list[EpisodeData], dict[str, Path]]:
    """Copies of the dataset as each durable write of a second append would leave it."""
    first, second = make_episode(5), make_episode(7, seed=1, task="new task")
    root = tmp_path / "d"
    with open_writer(root) as writer:
        writer.append([first])
    before = tmp_path / "before"
    with open_writer(root, frames=_Copies(root, before)) as writer:
        writer.append([second])
    states = {"after tasks": before}
    data, meta = "data/chunk-000/file-001.parquet", "meta/episodes/chunk-000/file-001.parquet"
    for name, present in {
        "after data": [data],
        "after episodes": [data, meta],
        "after stats": [data, meta, "meta/stats.json"],
    }.items():
        states[name] = tmp_path / name
        shutil.copytree(before, states[name])
        for file in present:
            shutil.copy(root / file, states[name] / file)
    for state in states.values():
        (state / "data/chunk-000/.incomplete-abc").write_bytes(b"half a file")
    return [first, second], states


def test_recovers_from_a_crash_between_any_two_writes(tmp_path: Path, open_writer: Open, make_episode: One) -> None:
    written, states = states_of_a_crash(tmp_path, open_writer, make_episode)
    for name, state in states.items():
        committed = 2 if name in {"after episodes", "after stats"} else 1
        if committed == 2:
            with pytest.raises(DataError, match="half written"):
                open_recording(state)
        else:
            assert open_recording(state).lengths == (5,)
        with open_writer(state) as writer:
            assert writer.episodes_written == committed, name
        assert_holds(state, written[:committed])
        assert len(list((state / "data/chunk-000").iterdir())) == committed
        with open_writer(state) as writer:
            writer.append(written[committed:] or [make_episode(3, seed=9)])
        assert_holds(state, written if committed == 1 else [*written, make_episode(3, seed=9)])
        stats = json.loads((state / "meta/stats.json").read_text())
        assert stats["observation.state"]["count"] == [sum(open_recording(state).lengths)]


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """A real process, really killed while it writes: what `append` returned for is there, and recording goes on."""
    script = textwrap.dedent(
        """
        import sys, numpy as np
        from pathlib import Path
        from monde.data import EpisodeData, RecordingWriter
        from monde.types import Sensor
        sensors = (Sensor(name="top", kind="rgb", shape=(3, 32, 32), rate_hz=10.0),)
        rng = np.random.default_rng(0)
        with RecordingWriter(Path(sys.argv[1]), sensors=sensors, actions=None, source={}) as writer:
            while True:
                frames = rng.integers(0, 256, (50, 3, 32, 32), dtype=np.uint8)
                writer.append([EpisodeData({"top": frames}, np.arange(50.0), None)])
                print(writer.episodes_written, flush=True)
        """
    )
    command = [sys.executable, "-c", script, str(tmp_path / "d")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while (told := int(process.stdout.readline())) < 5:
            pass
        process.send_signal(signal.SIGKILL)
        told = int((process.stdout.read().split() or [told])[-1])
    sensors = (Sensor(name="top", kind="rgb", shape=(3, 32, 32), rate_hz=10.0),)
    with RecordingWriter(tmp_path / "d", sensors=sensors, actions=None, source={}) as writer:
        assert writer.episodes_written >= told
    recording = open_recording(tmp_path / "d")
    assert recording.read(len(recording.lengths) - 1, 0, 50).actions is None


def test_damage_that_no_crash_causes_is_refused(tmp_path: Path, make_dataset: Make, open_writer: Open) -> None:
    make_dataset(tmp_path, [5], [6])
    (tmp_path / "data/chunk-000/file-000.parquet").unlink()
    with pytest.raises(DataError, match=r"file-000\.parquet is missing"):
        open_writer(tmp_path)
    assert (tmp_path / "data/chunk-000/file-001.parquet").exists()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"sensors": ()}, "needs sensors"),
        ({"actions": ActionSpec(low=(0.0,), high=(1.0,), block=4, dt_seconds=0.1)}, "control steps, not blocks"),
        ({"source": {"when": object()}}, "must be JSON"),
        ({"source": {"rate": float("nan")}}, "must be JSON"),
    ],
)
def test_refuses_what_cannot_be_recorded(
    tmp_path: Path, open_writer: Open, changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ContractError, match=complaint):
        open_writer(tmp_path / "d", **changes)
    assert not (tmp_path / "d").exists()


def test_discrete_actions_are_one_hot(tmp_path: Path) -> None:
    actions = ActionSpec(choices=3, dt_seconds=0.05)
    sensors = (Sensor(name="state", kind="state", shape=(2,), rate_hz=20.0),)
    taken = np.eye(3, dtype=np.float32)[[0, 2, 1]]
    with RecordingWriter(tmp_path, sensors=sensors, actions=actions, source={}) as writer:
        writer.append([EpisodeData({"state": np.zeros((4, 2))}, np.arange(4) * 0.05, taken)])
    recording = open_recording(tmp_path)
    assert recording.actions == actions
    clip = recording.read(0, 1, 4)
    assert clip.actions is not None
    np.testing.assert_array_equal(clip.actions.values[0].numpy(), taken[1:])


@pytest.mark.parametrize("written", ["stats.json", "info.json"])
def test_an_interrupt_while_totals_are_written_leaves_a_loadable_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_writer: Open, make_episode: One, written: str
) -> None:
    """Ctrl-C once left info.json counting episodes whose files had been taken back: the dataset did not open."""
    import monde.data.writer as module

    real = module.write_json
    armed = []

    def interrupted(path: Path, document: dict[str, object]) -> None:
        real(path, document)
        if armed and path.name == written:
            armed.clear()
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_json", interrupted)
    with open_writer(tmp_path) as writer:
        writer.append([make_episode(4)])
        armed.append(True)
        with pytest.raises(KeyboardInterrupt):
            writer.append([make_episode(5)])
        assert len(open_recording(tmp_path).lengths) == 1
        writer.append([make_episode(5), make_episode(6)])
    assert len(open_recording(tmp_path).lengths) == 3
