"""Files for Rerun, read back with Rerun's own reader: entities, times and values."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from data.mcap.test_writer import every_kind
from monde.agents import record
from monde.cli import main
from monde.errors import UsageError
from monde.report.view import build_view
from monde.spatial import scan_points
from monde.training import TrainConfig, train
from monde.types import ScanGeometry

chunk = pytest.importorskip("rerun.chunk", reason="rerun-sdk is not installed: pip install 'monde[view]'")


def tables(path: Path) -> Mapping[str, list[pa.Table]]:
    """The chunks of every entity, as tables."""
    found: dict[str, list[pa.Table]] = {}
    for part in chunk.RrdReader(str(path)).stream().to_chunks():
        found.setdefault(part.entity_path, []).append(pa.Table.from_batches([part.to_record_batch()]))
    return found


def column(parts: list[pa.Table], name: str) -> list[object]:
    return [value for part in parts if name in part.column_names for value in part[name].to_pylist()]


def seconds(parts: list[pa.Table]) -> list[float]:
    times = [part["seconds"].cast(pa.int64()).to_numpy() / 1e9 for part in parts if "seconds" in part.column_names]
    return np.concatenate(times).tolist()


def test_every_sensor_stands_where_it_is_mounted_and_when_it_saw(tmp_path: Path) -> None:
    source = every_kind(tmp_path / "log.mcap")
    summary = build_view(tmp_path / "log.mcap", tmp_path / "log.rrd")
    clip = source.read(0, 0, source.lengths[0])
    found = tables(tmp_path / "log.rrd")
    body = "/world/odom.pose/base_link"
    camera = found[f"{body}/cam.image"]
    assert column(camera, "Transform3D:translation") == [[[pytest.approx(0.1), 0.0, 0.0]]]
    (matrix,) = column(camera, "Pinhole:image_from_camera")
    np.testing.assert_allclose(matrix, [[12, 0, 0, 0, 12, 0, 7.5, 9.5, 1]])
    images = column(found[f"{body}/cam.image/image"], "EncodedImage:blob")
    assert len(images) == summary.steps
    shown = np.asarray(Image.open(io.BytesIO(bytes(images[-1][0]))))  # type: ignore[index]
    np.testing.assert_array_equal(shown, clip.stream("cam.image").values[0, -1].permute(1, 2, 0))
    cloud = clip.stream("points")
    assert cloud.mask is not None
    points = column(found[f"{body}/points"], "Points3D:positions")
    last = cloud.values[0, -1][cloud.mask[0, -1]]
    np.testing.assert_allclose(np.array(points[-1]).reshape(-1, 3), last, rtol=1e-6)
    depth = column(found[f"{body}/depth/depth"], "DepthImage:meter")
    assert depth == [[1.0]] * len(depth)
    scan = next(sensor for sensor in source.sensors if sensor.name == "scan")
    assert isinstance(scan.geometry, ScanGeometry)
    hits = np.array(column(found[f"{body}/scan"], "Points3D:positions")[0]).reshape(-1, 3)
    where, hit = scan_points(clip.stream("scan").values[0, 0].numpy().astype(np.float64), scan.geometry)
    np.testing.assert_allclose(hits[:, :2], where[hit], atol=1e-5)
    assert len(column(found["/world/map"], "Points3D:radii")) == 3  # a map that holds is shown once


def test_a_cloud_of_the_table_stays_while_the_camera_moves(tmp_path: Path) -> None:
    record("tabletop_reach", tmp_path / "d", episodes=1, steps=2, policy="scripted", seed=0)
    build_view(tmp_path / "d", tmp_path / "d.rrd")
    clouds = [path for path in tables(tmp_path / "d.rrd") if path.endswith("/points")]
    assert clouds == ["/world/points"], clouds


def test_times_are_those_at_which_samples_were_taken(tmp_path: Path) -> None:
    source = every_kind(tmp_path / "log.mcap")
    build_view(tmp_path / "log.mcap", tmp_path / "log.rrd")
    stream = source.read(0, 0, source.lengths[0]).stream("odom.pose")
    assert stream.age_seconds is not None
    taken = (stream.times_seconds - stream.age_seconds)[0][stream.valid[0]].numpy()
    parts = [part for part in tables(tmp_path / "log.rrd")["/world/odom.pose"] if "step" in part.column_names]
    np.testing.assert_allclose(seconds(parts), np.unique(np.round(taken, 9)), atol=1e-6)
    steps = np.flatnonzero(np.diff(taken, prepend=-1) > 1e-6)
    assert [int(str(step)) for step in column(parts, "step")] == np.flatnonzero(stream.valid[0].numpy())[steps].tolist()
    places = np.array(column(parts, "Transform3D:translation")).reshape(-1, 3)
    (way,) = column(tables(tmp_path / "log.rrd")["/world/trajectories/odom.pose"], "LineStrips3D:strips")
    np.testing.assert_allclose(np.array(way).reshape(-1, 3), places, atol=1e-6)


def test_a_run_shows_what_it_imagines_and_plans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record("tworoom", tmp_path / "data", episodes=6, steps=45, seed=1, batch=6)
    settings = TrainConfig(data=str(tmp_path / "data"), run=str(tmp_path / "run"), steps=4, batch=8, device="cpu")
    train(settings)
    assert main(["view", str(tmp_path / "run"), "--out", str(tmp_path / "run.rrd")]) == 0
    assert "imagined and planned futures" in capsys.readouterr().out
    found = tables(tmp_path / "run.rrd")
    (state,) = (name.removeprefix("/seen/") for name in found if name.startswith("/seen/"))
    imagined = column(found[f"/imagined/{state}"], "LineStrips3D:strips")
    planned = column(found[f"/planned/{state}"], "LineStrips3D:strips")
    assert len(imagined) == len(planned) >= 1
    assert {len(strip[0]) for strip in imagined} == {6}  # type: ignore[index]
    # Both begin at what was read from the same frame, and lead elsewhere.
    for one, other in zip(imagined, planned):
        np.testing.assert_allclose(one[0][0], other[0][0], rtol=1e-5)  # type: ignore[index]
        assert not np.allclose(one, other)
    steps = [int(str(step)) for step in column(found[f"/imagined/{state}"], "step")]
    assert steps == list(range(10, 10 + 25 * len(steps), 25))
    np.testing.assert_allclose(seconds(found[f"/imagined/{state}"]), np.array(steps) * 0.1, atol=1e-6)


def test_what_cannot_be_shown_is_refused(tmp_path: Path) -> None:
    every_kind(tmp_path / "log.mcap")
    with pytest.raises(UsageError, match="ending"):
        build_view(tmp_path / "log.mcap", tmp_path / "log.html")
    with pytest.raises(UsageError, match="no episode 1"):
        build_view(tmp_path / "log.mcap", tmp_path / "log.rrd", episode=1)
    assert not (tmp_path / "log.rrd").exists()
