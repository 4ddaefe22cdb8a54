"""Depth in LeRobot datasets: quantised videos, plain numbers in videos and images, and what we write ourselves."""

import io
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from monde.data import EpisodeData, FrameCache, RecordingWriter, check_dataset, open_recording
from monde.data.convert import convert
from monde.data.lerobot.depth import depth_form
from monde.errors import DataError
from monde.training import TrainConfig, train
from monde.types import ActionSpec, Sensor

Make = Callable[..., list[EpisodeData]]
HEIGHT, WIDTH, LENGTH = 24, 32, 6
KEY = "observation.images.front_depth"
CAMERA = Sensor(name="top", kind="rgb", shape=(3, 12, 16), rate_hz=10.0)
DEPTH = Sensor(name="depth", kind="depth", shape=(1, HEIGHT, WIDTH), unit="m", rate_hz=10.0)
ACTIONS = ActionSpec(low=(-1.0, -2.0), high=(1.0, 2.0), dt_seconds=0.1)


def lerobot_depth(code: np.ndarray, low: float, high: float, shift: float, use_log: bool) -> np.ndarray:
    """`dequantize_depth` of lerobot 0.6.1 (depth_utils.py), in metres."""
    if use_log:
        offset, span = np.log(low + shift), np.log(high + shift) - np.log(low + shift)
    else:
        offset, span = low, high - low
    value = code.astype(np.float32) * (span / 4095) + offset
    return np.clip(np.exp(value) - shift if use_log else value, low, high)


def codes(most: int, length: int = LENGTH) -> np.ndarray:
    found = np.random.default_rng(most).integers(1, most, (length, HEIGHT, WIDTH))
    found[:, :2] = 0  # nothing was measured at the upper edge
    return found.astype(np.uint16 if most > 256 else np.uint8)


def write_planes(path: Path, planes: np.ndarray, codec: str, pixels: str) -> None:
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"x265-params": "lossless=1:log-level=error:pools=1"} if codec == "libx265" else {}
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        for number, plane in enumerate(planes):
            frame = av.VideoFrame(WIDTH, HEIGHT, pixels)
            rows = np.zeros((HEIGHT, frame.planes[0].line_size // plane.itemsize), plane.dtype)
            rows[:, :WIDTH] = plane
            frame.planes[0].update(rows.tobytes())
            frame.pts, frame.time_base = number, Fraction(1, 10)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def as_depth(root: Path, planes: np.ndarray | list[bytes], info: dict[str, object], video: bool) -> None:
    """Turn a written dataset of one episode into one of another tool, with a depth map as that tool declares it."""
    described = json.loads((root / "meta/info.json").read_text())
    described["video_path"] = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
    described["features"][KEY] = {
        "dtype": "video" if video else "image",
        "shape": [HEIGHT, WIDTH, 1],
        "names": ["height", "width", "channels"],
        "info": info,
    }
    (root / "meta/info.json").write_text(json.dumps(described))
    (root / "meta/monde.json").unlink()
    where = {f"videos/{KEY}/{name}": value for name, value in {"chunk_index": 0, "file_index": 0}.items()}
    where |= {f"videos/{KEY}/from_timestamp": 0.0, f"videos/{KEY}/to_timestamp": 0.6}
    if video:
        path = root / "meta/episodes/chunk-000/file-000.parquet"
        table = pq.read_table(path)
        for name, value in where.items():
            table = table.append_column(name, pa.array([value]))
        pq.write_table(table, path)
    else:
        path = root / "data/chunk-000/file-000.parquet"
        cells = pa.array([{"bytes": data, "path": None} for data in planes])
        pq.write_table(pq.read_table(path).append_column(KEY, cells), path)


def film_of(root: Path) -> Path:
    return root / f"videos/{KEY}/chunk-000/file-000.mp4"


@pytest.mark.parametrize("codec", ["libx265", "ffv1"])
@pytest.mark.parametrize("use_log", [True, False])
@pytest.mark.parametrize("name", ["is_depth_map", "video.is_depth_map"])
def test_quantised_video_is_read_as_lerobot_reads_it(
    tmp_path: Path, make_dataset: Make, codec: str, use_log: bool, name: str
) -> None:
    make_dataset(tmp_path, [LENGTH])
    stored = codes(4096)
    write_planes(film_of(tmp_path), stored, codec, "gray12le")
    said = {"video.depth_min": 0.01, "video.depth_max": 10.0, "video.shift": 3.5, "video.use_log": use_log}
    as_depth(tmp_path, stored, {name: True, "depth_unit": "mm", **said}, video=True)

    recording = open_recording(tmp_path)
    sensor = next(sensor for sensor in recording.sensors if sensor.name == "front_depth")
    assert (sensor.kind, sensor.shape, sensor.unit) == ("depth", (1, HEIGHT, WIDTH), "m")
    stream = recording.read(0, 1, 4, ["front_depth"]).stream("front_depth")
    assert stream.valid.all()
    read = stream.values[0, :, 0].numpy()
    assert read.dtype == np.float32
    measured = stored[1:4] > 0
    expected = lerobot_depth(stored[1:4], 0.01, 10.0, 3.5, use_log)
    np.testing.assert_allclose(read[measured], expected[measured], atol=2e-6)
    assert (read[~measured] == 0).all()


@pytest.mark.parametrize(
    ("codec", "pixels", "most"),
    [("ffv1", "gray16le", 65536), ("ffv1", "gray", 256), ("libx265", "gray10le", 1024), ("libx265", "gray", 256)],
)
@pytest.mark.parametrize(("unit", "scale"), [("mm", 1e-3), ("m", 1.0), (None, 1.0)])
def test_plain_numbers_in_a_video(
    tmp_path: Path, make_dataset: Make, codec: str, pixels: str, most: int, unit: str | None, scale: float
) -> None:
    make_dataset(tmp_path, [LENGTH])
    stored = codes(most)
    write_planes(film_of(tmp_path), stored, codec, pixels)
    as_depth(tmp_path, stored, {"is_depth_map": True} | ({"depth_unit": unit} if unit else {}), video=True)
    recording = open_recording(tmp_path)
    sensor = next(sensor for sensor in recording.sensors if sensor.kind == "depth")
    assert sensor.unit == ("m" if unit else "1")
    read = recording.read(0, 0, LENGTH, ["front_depth"]).stream("front_depth").values[0, :, 0].numpy()
    np.testing.assert_array_equal(read, stored.astype(np.float32) * np.float32(scale))


def encoded(plane: np.ndarray, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(plane).save(buffer, format=kind)
    return buffer.getvalue()


def test_sixteen_bit_images_and_float_images(tmp_path: Path, make_dataset: Make) -> None:
    stored = codes(65536)
    for name, planes in {"png": stored, "tiff": stored.astype(np.float32) / 7}.items():
        root = tmp_path / name
        make_dataset(root, [LENGTH])
        images = [encoded(plane, name.upper()) for plane in planes]
        as_depth(root, images, {"is_depth_map": True, "depth_unit": "mm"}, video=False)
        read = open_recording(root).read(0, 2, 5, ["front_depth"]).stream("front_depth").values[0, :, 0].numpy()
        np.testing.assert_allclose(read, planes[2:5] * np.float32(1e-3), rtol=1e-6)


def test_an_image_without_a_measure_is_refused_not_repaired(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [LENGTH])
    planes = codes(4096).astype(np.float32)
    planes[3, 5, 5] = np.nan
    as_depth(tmp_path, [encoded(plane, "TIFF") for plane in planes], {"is_depth_map": True}, video=False)
    recording = open_recording(tmp_path)
    assert recording.read(0, 0, 3, ["front_depth"]).steps == 3
    with pytest.raises(DataError, match=r"frame 3.*NaN"):
        recording.read(0, 0, LENGTH, ["front_depth"])


def test_colours_where_depth_was_declared_are_refused(tmp_path: Path, make_dataset: Make) -> None:
    make_dataset(tmp_path, [LENGTH])
    colours = [encoded(np.zeros((HEIGHT, WIDTH, 3), np.uint8), "PNG")] * LENGTH
    as_depth(tmp_path, colours, {"is_depth_map": True}, video=False)
    with pytest.raises(DataError, match="is no depth map"):
        open_recording(tmp_path).read(0, 0, 1, ["front_depth"])


def test_a_depth_map_painted_in_colours_is_a_camera() -> None:
    shape = {"dtype": "video", "shape": [HEIGHT, WIDTH, 3]}
    assert depth_form(KEY, {**shape, "info": {"video.is_depth_map": True, "video.pix_fmt": "yuv420p"}}) is None
    grey = depth_form(KEY, {**shape, "info": {"video.is_depth_map": True, "video.pix_fmt": "gray16le"}})
    assert grey is not None
    assert grey.unit == "1"


@pytest.mark.parametrize(
    "said",
    [
        {"video.depth_min": 5.0, "video.depth_max": 1.0},
        {"video.depth_max": float("nan")},
        {"video.depth_min": 0.0, "video.depth_max": 1.0, "video.shift": 0.0, "video.use_log": True},
        {"depth_unit": "feet"},
    ],
)
def test_a_scale_without_meaning_is_refused(said: dict[str, object]) -> None:
    feature: dict[str, object] = {"dtype": "video", "shape": [4, 4, 1], "info": {"is_depth_map": True, **said}}
    with pytest.raises(DataError, match="does not say what its depth means"):
        depth_form(KEY, feature)


def write_ours(root: Path, lengths: list[int] = [30, 30]) -> list[EpisodeData]:  # noqa: B006
    rng = np.random.default_rng(0)
    written = []
    for length in lengths:
        depth = rng.uniform(0.3, 4.0, (length, *DEPTH.shape)).astype(np.float32)
        depth[:, :, :3] = 0
        values = {"top": rng.integers(0, 256, (length, 3, 12, 16), dtype=np.uint8), "depth": depth}
        actions = rng.uniform(-1, 1, (length - 1, 2)).astype(np.float32)
        written.append(EpisodeData(values, np.arange(length) / 10.0, actions, "go"))
    with RecordingWriter(root, sensors=(CAMERA, DEPTH), actions=ACTIONS, source={}) as writer:
        writer.append(written)
    return written


def test_what_we_write_we_read_and_declare_as_lerobot_does(tmp_path: Path) -> None:
    written = write_ours(tmp_path / "d", [5, 70])
    recording = open_recording(tmp_path / "d")
    assert recording.sensors == (CAMERA, DEPTH)
    for index, part in enumerate(written):
        read = recording.read(index, 0, part.steps).stream("depth").values[0].numpy()
        np.testing.assert_array_equal(read, part.values["depth"])
    info = json.loads((tmp_path / "d/meta/info.json").read_text())["features"]["observation.depth"]
    assert (info["dtype"], info["shape"]) == ("image", [HEIGHT, WIDTH, 1])
    assert info["info"] == {"is_depth_map": True, "video.is_depth_map": True, "depth_unit": "m"}
    stats = json.loads((tmp_path / "d/meta/stats.json").read_text())["observation.depth"]
    assert np.array(stats["max"]).shape == (1, 1, 1)
    assert stats["min"] == [[[0.0]]]
    # Read as a stranger would: by the features alone.
    (tmp_path / "d/meta/monde.json").unlink()
    foreign = open_recording(tmp_path / "d")
    assert foreign.sensors[1].unit == "m"
    np.testing.assert_array_equal(foreign.read(0, 0, 5).stream("depth").values[0], written[0].values["depth"])


def test_convert_and_cache_keep_depth_as_it_is(tmp_path: Path) -> None:
    written = write_ours(tmp_path / "a", [70])
    convert(tmp_path / "a", tmp_path / "b", frame=8)
    copied = open_recording(tmp_path / "b")
    assert [sensor.shape for sensor in copied.sensors] == [(3, 8, 8), DEPTH.shape]
    np.testing.assert_array_equal(copied.read(0, 0, 70).stream("depth").values[0], written[0].values["depth"])
    cache = FrameCache.open_or_build(copied)
    np.testing.assert_array_equal(cache.values("depth")[..., 0], written[0].values["depth"][:, 0])  # type: ignore[index]


def test_check_looks_at_depth(tmp_path: Path) -> None:
    write_ours(tmp_path)
    findings = check_dataset(tmp_path)
    assert not [finding.what for finding in findings if finding.level == "error"]
    assert any("depth" in finding.what for finding in findings if finding.code == "signals")


def test_training_leaves_depth_out_and_says_so(tmp_path: Path) -> None:
    write_ours(tmp_path / "d")
    config = TrainConfig(data=str(tmp_path / "d"), run=str(tmp_path / "run"), frame=16, block=2, batch=4, steps=2)
    summary = train(config)
    assert summary.left_out == ("depth",)
    assert json.loads((tmp_path / "run/run.json").read_text())["left_out"] == ["depth"]
    cached = [path.stat().st_size for path in (tmp_path / "d/.cache").rglob("*.npy")]
    assert sum(cached) < 2 * 60 * 16 * 16 * 3  # the depth maps would take 184 kB
