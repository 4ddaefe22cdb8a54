import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from monde.data import FrameCache, open_recording
from monde.data.arrays import ArrayRecording
from monde.errors import ContractError, DataError
from monde.protocols import Recording

Edit = Callable[[h5py.File], None]


def opened(root: Path, rate_hz: float | None = None) -> ArrayRecording:
    recording = open_recording(root, rate_hz)
    assert isinstance(recording, ArrayRecording)
    return recording


def demo(length: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "obs/agentview_image": rng.integers(0, 256, (length, 8, 12, 3), dtype=np.uint8),
        "obs/agentview_depth": rng.uniform(size=(length, 16, 20, 1)).astype(np.float32),
        "obs/robot0_eef_pos": rng.normal(size=(length, 3)),
        "obs/robot0_gripper_qpos": rng.normal(size=length),
        "actions": rng.uniform(-1, 1, (length, 7)),
        "rewards": np.zeros(length),
        "dones": np.zeros(length, dtype=np.int64),
    }


def write_robomimic(path: Path, lengths: tuple[int, ...], edit: Edit | None = None, freq: int | None = 25) -> None:
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs["env_args"] = json.dumps(
            {"env_name": "Lift", "type": 1, "env_kwargs": {} if freq is None else {"control_freq": freq}}
        )
        for index, length in enumerate(lengths):
            group = data.create_group(f"demo_{index}")
            group.attrs["num_samples"] = length
            for name, values in demo(length, index).items():
                group.create_dataset(name, data=values, compression="gzip" if values.ndim == 4 else None)
        names = np.array([f"demo_{index}".encode() for index in range(len(lengths))])
        file.create_dataset("mask/train", data=names[:-1])
        file.create_dataset("mask/valid", data=names[-1:])
        if edit is not None:
            edit(file)


def jpeg(frame: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=95)
    return np.frombuffer(buffer.getvalue(), dtype=np.uint8)


def write_aloha(path: Path, length: int, seed: int, compressed: bool) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    smooth = np.linspace(0, 255, 16 * 24 * 3).reshape(16, 24, 3)
    frames = np.stack([np.roll(smooth, step, axis=1) for step in range(length)]).astype(np.uint8)
    arrays = {"qpos": rng.normal(size=(length, 14)), "qvel": rng.normal(size=(length, 14))}
    action = rng.normal(size=(length, 14))
    with h5py.File(path, "w") as file:
        file.attrs["sim"] = False
        file.attrs["compress"] = compressed
        for name, values in arrays.items():
            file[f"observations/{name}"] = values
        if compressed:
            rows = [jpeg(frame) for frame in frames]
            longest = max(map(len, rows))
            file["observations/images/cam_high"] = np.stack([np.pad(row, (0, longest - len(row))) for row in rows])
            file["compress_len"] = np.array([[len(row) for row in rows]], dtype=np.float64)
        else:
            file["observations/images/cam_high"] = frames
        file["action"] = action
    return arrays | {"frames": frames, "action": action}


def test_robomimic(tmp_path: Path) -> None:
    path = tmp_path / "demo.hdf5"
    write_robomimic(path, (5,) * 9 + (4, 3, 6))
    recording = opened(path)
    assert isinstance(recording, Recording)
    assert recording.lengths == (5,) * 9 + (4, 3, 6)  # demo_10 after demo_9.
    assert [(s.name, s.kind, s.shape, s.rate_hz) for s in recording.sensors] == [
        ("agentview_depth", "depth", (1, 16, 20), 25.0),
        ("agentview_image", "rgb", (3, 8, 12), 25.0),
        ("robot0_eef_pos", "state", (3,), 25.0),
        ("robot0_gripper_qpos", "state", (1,), 25.0),
    ]
    assert dict(recording.splits) == {"train": tuple(range(11)), "valid": (11,)}
    assert recording.source["environment"] == "Lift"
    assert recording.source["rate_assumed"] is False
    for episode in (0, 10, 11):
        length = recording.lengths[episode]
        written, clip = demo(length, episode), recording.read(episode, 1, length)
        image = clip.stream("agentview_image").values[0].numpy()
        np.testing.assert_array_equal(image, written["obs/agentview_image"][1:].transpose(0, 3, 1, 2))
        depth = clip.stream("agentview_depth").values[0].numpy()
        np.testing.assert_array_equal(depth[:, 0], written["obs/agentview_depth"][1:, :, :, 0])
        position = clip.stream("robot0_eef_pos").values[0].numpy()
        np.testing.assert_allclose(position, written["obs/robot0_eef_pos"][1:], rtol=1e-6)
        assert clip.actions is not None
        np.testing.assert_allclose(clip.actions.values[0].numpy(), written["actions"][1:-1], rtol=1e-6)
    every = np.concatenate([demo(length, index)["actions"] for index, length in enumerate(recording.lengths)])
    assert recording.actions is not None
    np.testing.assert_allclose(recording.actions.low, every.min(0))
    np.testing.assert_allclose(recording.actions.high, every.max(0))


@pytest.mark.parametrize(("freq", "given", "expected"), [(None, None, 20.0), (25, None, 25.0), (25, 5.0, 5.0)])
def test_rate(tmp_path: Path, freq: int | None, given: float | None, expected: float) -> None:
    write_robomimic(tmp_path / "a.hdf5", (4, 3), freq=freq)
    recording = opened(tmp_path / "a.hdf5", given)
    assert recording.read(0, 2, 3).stream("robot0_eef_pos").times_seconds.item() == 2 / expected
    with pytest.raises(ContractError, match="no rate"):
        open_recording(tmp_path / "a.hdf5", rate_hz=0.0)


@pytest.mark.parametrize("compressed", [False, True])
def test_aloha(tmp_path: Path, compressed: bool) -> None:
    written = [write_aloha(tmp_path / f"episode_{i}.hdf5", 4 + i % 3, i, compressed) for i in range(11)]
    recording = opened(tmp_path)
    assert recording.lengths == tuple(len(part["action"]) for part in written)  # episode_10 after episode_9.
    assert [(s.name, s.kind, s.shape, s.rate_hz) for s in recording.sensors] == [
        ("cam_high", "rgb", (3, 16, 24), 50.0),
        ("qpos", "state", (14,), 50.0),
        ("qvel", "state", (14,), 50.0),
    ]
    assert recording.source["simulated"] is False
    clip = recording.read(10, 1, 4)
    frames = clip.stream("cam_high").values[0].numpy().transpose(0, 2, 3, 1)
    difference = np.abs(frames.astype(int) - written[10]["frames"][1:4]).mean()
    assert difference < (12.0 if compressed else 1e-9)
    np.testing.assert_allclose(clip.stream("qpos").values[0].numpy(), written[10]["qpos"][1:4], rtol=1e-6)
    assert clip.actions is not None
    np.testing.assert_allclose(clip.actions.values[0].numpy(), written[10]["action"][1:3], rtol=1e-6)


def test_a_cache_of_a_single_file(tmp_path: Path) -> None:
    write_robomimic(tmp_path / "demo.hdf5", (5, 4))
    recording = opened(tmp_path / "demo.hdf5")
    cache = FrameCache.open_or_build(recording, size=8, sensors=["agentview_image", "robot0_eef_pos"])
    assert cache.lengths.tolist() == [5, 4]
    assert opened(recording.root).fingerprint == recording.fingerprint


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "cannot be read as HDF5"), (b"not HDF5 at all" * 100, "cannot be read as HDF5")],
)
def test_not_hdf5(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "demo.hdf5").write_bytes(content)
    for path in (tmp_path, tmp_path / "demo.hdf5"):
        with pytest.raises(DataError, match=complaint) as caught:
            open_recording(path)
        assert "demo.hdf5" in str(caught.value)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_truncated(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "demo.hdf5"
    write_robomimic(path, (5, 4))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(DataError, match=r"demo.hdf5"):
        open_recording(path)


def test_damaged_inside(tmp_path: Path) -> None:
    """Wherever the damage is: it is reported as such with the file's name, or touches nothing that is read."""
    path = tmp_path / "demo.hdf5"
    write_robomimic(path, (5, 4))
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    complaints = []
    for offset in rng.integers(0, len(whole), 60):
        path.write_bytes(whole[:offset] + b"\xff" * 16 + whole[offset + 16 :])
        try:
            recording = open_recording(path)
            for episode, length in enumerate(recording.lengths):
                recording.read(episode, 0, length)
        except DataError as error:
            complaints.append(str(error))
    assert complaints
    assert all("demo.hdf5" in complaint for complaint in complaints)


def replace(name: str, values: np.ndarray) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[name]
        file[name] = values

    return edit


def remove(name: str) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[name]

    return edit


def objects(file: h5py.File) -> None:
    del file["data/demo_1/actions"]
    file.create_dataset("data/demo_1/actions", data=["a", "b", "c", "d"], dtype=h5py.string_dtype())


def renumber(file: h5py.File) -> None:
    file["data/demo_1"].attrs["num_samples"] = 99


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (remove("data/demo_1/actions"), "no whole episode"),
        (remove("data/demo_1/obs"), "no whole episode"),
        (remove("data/demo_1/obs/robot0_eef_pos"), "other arrays"),
        (replace("data/demo_1/obs/robot0_eef_pos", np.zeros((3, 3))), "another length"),
        (replace("data/demo_1/obs/robot0_eef_pos", np.zeros((4, 2))), "other arrays"),
        (replace("data/demo_1/actions", np.zeros((5, 7))), "another length"),
        (replace("data/demo_1/actions", np.array(3.0)), "single number"),
        (objects, "no numbers"),
        (renumber, "num_samples = 99"),
        (remove("data"), "no known layout"),
        (replace("data/demo_1", np.zeros(3)), "is no episode"),
    ],
)
def test_malformed(tmp_path: Path, edit: Edit, complaint: str) -> None:
    write_robomimic(tmp_path / "demo.hdf5", (5, 4), edit)
    with pytest.raises(DataError, match=complaint) as caught:
        open_recording(tmp_path / "demo.hdf5")
    assert "demo.hdf5" in str(caught.value)


def test_no_episode(tmp_path: Path) -> None:
    write_robomimic(tmp_path / "empty.hdf5", (0, 4))
    with pytest.raises(DataError, match="episode 0"):
        open_recording(tmp_path / "empty.hdf5")
    with h5py.File(tmp_path / "none.hdf5", "w") as file:
        file.create_group("data")
    with pytest.raises(DataError, match="holds no episodes"):
        open_recording(tmp_path / "none.hdf5")


@pytest.mark.parametrize(("key", "row"), [("obs/robot0_eef_pos", 2), ("actions", 1)])
def test_nan_is_named(tmp_path: Path, key: str, row: int) -> None:
    def spoil(file: h5py.File) -> None:
        file[f"data/demo_1/{key}"][row, 1] = np.nan

    write_robomimic(tmp_path / "demo.hdf5", (5, 4), spoil)
    recording = opened(tmp_path / "demo.hdf5")
    recording.read(0, 0, 5)
    with pytest.raises(DataError, match=rf"demo_1, array '{key}' holds NaN") as caught:
        recording.read(1, 1, 4)
    assert caught.value.got == f"1, the first in frame {row}, component [1]"


def test_links_out_of_the_file(tmp_path: Path) -> None:
    write_robomimic(tmp_path / "other.hdf5", (5, 4))
    source = h5py.VirtualSource(tmp_path / "other.hdf5", "data/demo_1/actions", shape=(4, 7))
    layout = h5py.VirtualLayout(shape=(4, 7), dtype="f8")
    layout[:] = source

    def external(file: h5py.File) -> None:
        del file["data/demo_1/obs"]
        file["data/demo_1/obs"] = h5py.ExternalLink("other.hdf5", "data/demo_1/obs")

    def soft(file: h5py.File) -> None:
        file["aside"] = h5py.ExternalLink("other.hdf5", "data/demo_1/obs")
        del file["data/demo_1/obs"]
        file["data/demo_1/obs"] = h5py.SoftLink("/aside")

    def virtual(file: h5py.File) -> None:
        del file["data/demo_1/actions"]
        file.create_virtual_dataset("data/demo_1/actions", layout)

    def raw(file: h5py.File) -> None:
        del file["data/demo_1/actions"]
        file.create_dataset("data/demo_1/actions", (4, 7), "f8", external=[("/etc/hostname", 0, 224)])

    for edit in (external, soft, virtual, raw):
        write_robomimic(tmp_path / "demo.hdf5", (5, 4), edit)
        with pytest.raises(DataError, match="leaves the file"):
            open_recording(tmp_path / "demo.hdf5")


def test_pickled_attributes_are_not_looked_into(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (str(tmp_path / "sprung"),)

    def edit(file: h5py.File) -> None:
        file["data"].attrs["env_args"] = np.void(pickle.dumps(Trap()))

    write_robomimic(tmp_path / "demo.hdf5", (5, 4), edit)
    assert opened(tmp_path / "demo.hdf5").sensors[0].rate_hz == 20.0
    assert not (tmp_path / "sprung").exists()


def test_names_at_the_limit(tmp_path: Path) -> None:
    def named(length: int) -> Edit:
        def edit(file: h5py.File) -> None:
            file.move("data/demo_1", "data/" + "e" * length)
            for group in file["data"].values():
                group["obs/" + "s" * length] = np.zeros((group.attrs["num_samples"], 2))

        return edit

    write_robomimic(tmp_path / "a.hdf5", (5, 4), named(200))
    assert "s" * 200 in {sensor.name for sensor in opened(tmp_path / "a.hdf5").sensors}
    write_robomimic(tmp_path / "b.hdf5", (5, 4), named(201))
    with pytest.raises(DataError, match="makes no sensor"):
        open_recording(tmp_path / "b.hdf5")


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    write_robomimic(tmp_path / "a.hdf5", (5, 4))
    write_robomimic(tmp_path / "b.hdf5", (3, 3))
    recording = opened(tmp_path)
    assert recording.lengths == (5, 4, 3, 3)
    assert dict(recording.splits) == {"train": (0, 2), "valid": (1, 3)}
    write_aloha(tmp_path / "c.hdf5", 4, 0, False)
    with pytest.raises(DataError, match="several layouts"):
        open_recording(tmp_path)
