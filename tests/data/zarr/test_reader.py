import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore, ZipStore

from monde.data import open_recording
from monde.data.arrays import ArrayRecording
from monde.errors import DataError
from monde.protocols import Recording

ENDS = (5, 9, 16)


def opened(root: Path, rate_hz: float | None = None) -> ArrayRecording:
    recording = open_recording(root, rate_hz)
    assert isinstance(recording, ArrayRecording)
    return recording


def content(frames: int = 16) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(frames)
    return {
        "img": rng.integers(0, 256, (frames, 20, 24, 3)).astype(np.float32),
        "camera_0": rng.integers(0, 256, (frames, 8, 12, 3), dtype=np.uint8),
        "state": rng.normal(size=(frames, 5)).astype(np.float32),
        "keypoint": rng.normal(size=(frames, 9, 2)),
        "action": rng.uniform(0, 512, (frames, 2)).astype(np.float32),
        "reward": np.ones(frames),
    }


def write(path: Path, arrays: Mapping[str, np.ndarray], ends: object = ENDS, form: Literal[2, 3] = 2) -> None:
    store = ZipStore(path, mode="w") if path.suffix == ".zip" else LocalStore(path)
    root = zarr.open_group(store, mode="w", zarr_format=form)
    data, meta = root.create_group("data"), root.create_group("meta")
    for name, values in arrays.items():
        codec = numcodecs.Blosc("zstd") if form == 2 else zarr.codecs.BloscCodec()
        held = data.create_array(
            name, shape=values.shape, chunks=(4, *values.shape[1:]), dtype=values.dtype, compressors=codec
        )
        held[:] = values
    ends = np.array(ends)
    meta.create_array("episode_ends", shape=ends.shape, dtype=ends.dtype, chunks=ends.shape)[:] = ends
    store.close()


@pytest.mark.parametrize("name", ["pusht.zarr", "pusht.zarr.zip", "plain", "plain.zip", "folder/pusht.zarr"])
@pytest.mark.parametrize("form", [2, 3])
def test_reads_what_was_written(tmp_path: Path, name: str, form: Literal[2, 3]) -> None:
    arrays = content()
    (tmp_path / name).parent.mkdir(exist_ok=True)
    write(tmp_path / name, arrays, form=form)
    recording = opened(tmp_path / name.split("/")[0])
    assert isinstance(recording, Recording)
    assert recording.lengths == (5, 4, 7)
    assert [(s.name, s.kind, s.shape, s.rate_hz) for s in recording.sensors] == [
        ("camera_0", "rgb", (3, 8, 12), 10.0),
        ("img", "rgb", (3, 20, 24), 10.0),
        ("keypoint", "state", (9, 2), 10.0),
        ("state", "state", (5,), 10.0),
    ]
    for episode, (first, stop) in enumerate(((0, 5), (5, 9), (9, 16))):
        clip = recording.read(episode, 1, stop - first)
        for camera in ("img", "camera_0"):
            frames = clip.stream(camera).values[0].numpy().transpose(0, 2, 3, 1)
            assert frames.dtype == np.uint8
            np.testing.assert_array_equal(frames, arrays[camera][first + 1 : stop])
        np.testing.assert_array_equal(clip.stream("state").values[0].numpy(), arrays["state"][first + 1 : stop])
        assert clip.actions is not None
        np.testing.assert_array_equal(clip.actions.values[0].numpy(), arrays["action"][first + 1 : stop - 1])
    assert recording.actions is not None
    np.testing.assert_allclose(recording.actions.high, arrays["action"].max(0))
    assert opened(tmp_path / name.split("/")[0], 30.0).sensors[0].rate_hz == 30.0


def test_pictures_to_one(tmp_path: Path) -> None:
    arrays = content()
    write(tmp_path / "a.zarr", arrays | {"img": arrays["img"] / 255})
    frames = open_recording(tmp_path / "a.zarr").read(0, 0, 5, ["img"]).stream("img").values[0].numpy()
    np.testing.assert_array_equal(frames.transpose(0, 2, 3, 1), arrays["img"][:5])
    write(tmp_path / "b.zarr", arrays | {"img": arrays["img"] * np.arange(16)[:, None, None, None]})
    with pytest.raises(DataError, match="holds no colours in frame"):
        open_recording(tmp_path / "b.zarr").read(2, 0, 7)


def test_without_actions(tmp_path: Path) -> None:
    write(tmp_path / "a.zarr", {"img": content()["img"]})
    recording = open_recording(tmp_path / "a.zarr")
    assert recording.actions is None
    assert recording.read(0, 0, 2).actions is None


@pytest.mark.parametrize("ends", [(5, 9, 17), (5, 9, 15), (5, 5, 16), (9, 5, 16), (-1, 16), (0, 16), [[16]], [16.0]])
def test_episode_ends(tmp_path: Path, ends: object) -> None:
    write(tmp_path / "a.zarr", content(), ends)
    with pytest.raises(DataError, match="episode"):
        open_recording(tmp_path / "a.zarr")


def test_unequal_lengths(tmp_path: Path) -> None:
    write(tmp_path / "a.zarr", content() | {"state": np.zeros((15, 5))})
    with pytest.raises(DataError, match="data/state has another length"):
        open_recording(tmp_path / "a.zarr")


@pytest.mark.parametrize("key", ["state", "action"])
def test_nan_is_named(tmp_path: Path, key: str) -> None:
    arrays = content()
    arrays[key][7, 1] = np.nan
    write(tmp_path / "a.zarr", arrays)
    recording = open_recording(tmp_path / "a.zarr")
    recording.read(0, 0, 5)
    with pytest.raises(DataError, match=rf"episode 1, array '{key}' holds NaN") as caught:
        recording.read(1, 1, 4)
    assert caught.value.got == "1, the first in frame 2, component [1]"


@pytest.mark.parametrize("gone", ["data", "meta", "meta/episode_ends", ".zgroup"])
def test_missing_parts(tmp_path: Path, gone: str) -> None:
    write(tmp_path / "a.zarr", content())
    path = tmp_path / "a.zarr" / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(DataError, match=r"a.zarr"):
        open_recording(tmp_path / "a.zarr")


def test_truncated(tmp_path: Path) -> None:
    write(tmp_path / "a.zarr", content())
    chunk = tmp_path / "a.zarr/data/img/3.0.0.0"
    chunk.write_bytes(chunk.read_bytes()[:100])
    recording = open_recording(tmp_path / "a.zarr")
    recording.read(2, 0, 3)
    with pytest.raises(DataError, match=r"a.zarr, episode 2, data/img cannot be read"):
        recording.read(2, 0, 4)
    write(tmp_path / "b.zarr.zip", content())
    whole = (tmp_path / "b.zarr.zip").read_bytes()
    for keep in (0, 100, len(whole) // 2, len(whole) - 10):
        (tmp_path / "b.zarr.zip").write_bytes(whole[:keep])
        with pytest.raises(DataError, match=r"b.zarr.zip cannot be read as Zarr"):
            open_recording(tmp_path / "b.zarr.zip")


def test_a_chunk_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Zarr leaves out chunks of zeros; a lost one looks the same, so that it can only be told of."""
    write(tmp_path / "a.zarr", content())
    assert "absent_chunks" not in opened(tmp_path / "a.zarr").source
    (tmp_path / "a.zarr/data/img/1.0.0.0").unlink()
    assert opened(tmp_path / "a.zarr").source["absent_chunks"] == {"img": 1}


def rewrite(**changes: object) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        path = root / "data/state/.zarray"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return edit


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (rewrite(dtype="|O", filters=[{"id": "pickle", "protocol": 5}]), "type or codec that is not read"),
        (rewrite(filters=[{"id": "pickle", "protocol": 5}]), "type or codec that is not read"),
        (rewrite(dtype="|O", filters=[{"id": "vlen-utf8"}]), "type or codec that is not read"),
        (rewrite(dtype="<U10"), "type or codec that is not read"),
        (rewrite(compressor={"id": "imagecodecs_jpegxl"}), "type or codec that is not read"),
        (rewrite(shape=[16, 10**6], chunks=[16, 10**9]), "chunks too large"),
        (rewrite(shape=[16, 5, 5], chunks=[4]), "type or codec that is not read"),
        (lambda root: (root / "data/state/.zarray").write_text("{"), "not read|cannot be read"),
    ],
)
def test_unsafe_or_malformed(tmp_path: Path, edit: Callable[[Path], object], complaint: str) -> None:
    write(tmp_path / "a.zarr", content())
    edit(tmp_path / "a.zarr")
    with pytest.raises(DataError, match=complaint):
        open_recording(tmp_path / "a.zarr")


def test_names_at_the_limit(tmp_path: Path) -> None:
    write(tmp_path / "a.zarr", {"n" * 200: np.zeros((16, 2)), "action": np.zeros((16, 2))})
    assert opened(tmp_path / "a.zarr").sensors[0].name == "n" * 200
    write(tmp_path / "b.zarr", {"n" * 201: np.zeros((16, 2)), "action": np.zeros((16, 2))})
    with pytest.raises(DataError, match="makes no sensor"):
        open_recording(tmp_path / "b.zarr")


def test_fingerprint(tmp_path: Path) -> None:
    for name in ("a.zarr", "b.zarr"):
        write(tmp_path / name, content())
    a, b = (opened(tmp_path / name).fingerprint for name in ("a.zarr", "b.zarr"))
    assert a == b
    zarr.open_group(tmp_path / "b.zarr", mode="r+")["data/state"][3] = 7.0  # type: ignore[index]
    assert opened(tmp_path / "b.zarr").fingerprint != a
