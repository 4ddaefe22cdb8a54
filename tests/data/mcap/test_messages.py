"""Every kind of message, and what is wrong with them in the wild."""

import json
from pathlib import Path

import numpy as np
import pytest
from mcap.writer import Writer

from data.mcap.protobuf import point_cloud, pose_in_frame, raw_image, transform, write_protobuf
from data.mcap.writing import Bag, encoded, header, ns, vector, write_json
from monde.data.clocks.config import LogConfig
from monde.data.clocks.recording import AlignedRecording
from monde.data.mcap.reader import Mcap
from monde.errors import DataError
from monde.types import ScanGeometry, Stream

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 16, 3), dtype=np.uint8)
MILLIMETRES = np.arange(20 * 16, dtype=np.uint16).reshape(20, 16) * 7


def opened(path: Path, **config: object) -> AlignedRecording:
    return Mcap(LogConfig(**config)).open(path)  # type: ignore[arg-type]


def only(path: Path, name: str | None = None, **config: object) -> Stream:
    recording = opened(path, **config)
    return recording.read(0, 0, recording.lengths[0]).stream(name or recording.sensors[0].name)


def notes(recording: AlignedRecording) -> str:
    return json.dumps(recording.source["notes"])


@pytest.mark.parametrize(
    ("encoding", "stored", "shown"),
    [
        ("rgb8", PIXELS, PIXELS),
        ("bgr8", PIXELS, PIXELS[:, :, ::-1]),
        ("rgba8", np.concatenate([PIXELS, PIXELS[:, :, :1]], 2), PIXELS),
        ("bgra8", np.concatenate([PIXELS, PIXELS[:, :, :1]], 2), PIXELS[:, :, ::-1]),
        ("mono8", PIXELS[:, :, 0], np.repeat(PIXELS[:, :, :1], 3, axis=2)),
    ],
)
def test_colours(tmp_path: Path, encoding: str, stored: np.ndarray, shown: np.ndarray) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        bag.image("/image", 0.0, stored, encoding)
    np.testing.assert_array_equal(only(tmp_path / "a.mcap").values[0, 0].permute(1, 2, 0), shown)


def test_rows_with_padding(tmp_path: Path) -> None:
    padded = np.concatenate([PIXELS.reshape(20, 48), np.full((20, 5), 9, np.uint8)], axis=1)
    with Bag(tmp_path / "a.mcap") as bag:
        body = {"header": header(0), "height": 20, "width": 16, "encoding": "rgb8", "is_bigendian": 0, "step": 53}
        bag.send("/image", "sensor_msgs/msg/Image", 0.0, {**body, "data": padded.tobytes()})
    np.testing.assert_array_equal(only(tmp_path / "a.mcap").values[0, 0].permute(1, 2, 0), PIXELS)


def test_depth_is_in_metres(tmp_path: Path) -> None:
    metres = np.array([[1.5, np.nan], [np.inf, -1.0]], dtype=np.float32)
    with Bag(tmp_path / "a.mcap") as bag:
        bag.image("/mm", 0.0, MILLIMETRES[:, :, None].view(np.uint8).reshape(20, -1, 2)[:, :, :], "16UC1")
        bag.image("/m", 0.0, metres.view(np.uint8).reshape(2, 2, 4), "32FC1")
    recording = opened(tmp_path / "a.mcap")
    assert {s.name: (s.kind, s.unit) for s in recording.sensors} == {"mm": ("depth", "m"), "m": ("depth", "m")}
    clip = recording.read(0, 0, 1)
    np.testing.assert_allclose(clip.stream("mm").values[0, 0, 0], MILLIMETRES / 1000, rtol=1e-6)
    assert clip.stream("m").values[0, 0, 0].tolist() == [[1.5, 0.0], [0.0, 0.0]]


def test_depth_without_a_unit_is_refused_until_it_is_given(tmp_path: Path) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        bag.image("/depth", 0.0, MILLIMETRES[:, :, None].view(np.uint8), "mono16")
        bag.imu("/imu", 0.0, (0,) * 6)
    assert "in which unit its depth is" in notes(opened(tmp_path / "a.mcap"))
    depth = only(tmp_path / "a.mcap", "depth", depth_units={"/depth": "mm"})
    np.testing.assert_allclose(depth.values[0, 0, 0], MILLIMETRES / 1000, rtol=1e-6)


def test_compressed_pictures(tmp_path: Path) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        for topic, form, data in (
            ("/png", "png", encoded(PIXELS, "PNG")),
            ("/jpeg", "rgb8; jpeg compressed bgr8", encoded(PIXELS, "JPEG")),
            ("/depth", "16UC1; compressedDepth png", bytes(12) + encoded(MILLIMETRES, "PNG")),
            ("/film", "h264", b"\0\0\1"),
        ):
            bag.send(topic, "sensor_msgs/msg/CompressedImage", 0.0, {"header": header(0), "format": form, "data": data})
    recording = opened(tmp_path / "a.mcap")
    clip = recording.read(0, 0, 1)
    np.testing.assert_array_equal(clip.stream("png").values[0, 0].permute(1, 2, 0), PIXELS)
    assert clip.stream("jpeg").values.shape == (1, 1, 3, 20, 16)
    np.testing.assert_allclose(clip.stream("depth").values[0, 0, 0], MILLIMETRES / 1000, rtol=1e-6)
    assert "'h264' are not read" in notes(recording)


def test_a_picture_of_another_size_is_named(tmp_path: Path) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        bag.image("/image", 0.0, PIXELS, "rgb8")
        bag.image("/image", 0.1, PIXELS[:10], "rgb8")
    with pytest.raises(DataError, match="message 1 of /image") as error:
        only(tmp_path / "a.mcap")
    assert "10 × 16 among others of 20 × 16" in str(error.value)


def test_intrinsics_of_another_size_are_refused(tmp_path: Path) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        bag.camera("/cam/camera_info", 0.0, 480, 640, 500.0)
        bag.image("/cam/image", 0.0, PIXELS, "rgb8")
    with pytest.raises(DataError, match="does not fit its pictures"):
        opened(tmp_path / "a.mcap")
    assert opened(tmp_path / "a.mcap", without=("/cam/camera_info",)).sensors[0].geometry is None


def test_clouds_of_any_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    clouds = [rng.normal(size=(n, 3)).astype(np.float32) for n in (50, 0, 30, 50)]
    clouds[2][4] = np.nan
    with Bag(tmp_path / "a.mcap") as bag:
        for tick, points in enumerate(clouds):
            bag.cloud("/points", tick / 10, points)
    stream = only(tmp_path / "a.mcap")
    assert stream.mask is not None
    assert stream.mask[0].sum(-1).tolist() == [50, 0, 29, 50]
    assert bool(stream.valid.all())  # an empty cloud is a measurement
    np.testing.assert_array_equal(stream.values[0, 0, :50], clouds[0])
    np.testing.assert_array_equal(stream.values[0, 2, :29], clouds[2][np.isfinite(clouds[2]).all(1)])
    thin = only(tmp_path / "a.mcap", cloud_points=20)
    assert thin.values.shape == (1, 4, 20, 3)
    assert "thinned to 20" in notes(opened(tmp_path / "a.mcap", cloud_points=20))


def test_clouds_of_other_layouts(tmp_path: Path) -> None:
    points = np.random.default_rng(2).normal(size=(6, 3))
    form = np.dtype({"names": ["i", "z", "y", "x"], "formats": ["u1", ">f8", ">f8", ">f8"], "itemsize": 30})
    rows = np.zeros(6, dtype=form)
    for axis, name in enumerate("xyz"):
        rows[name] = points[:, axis]
    data = b"".join(rows[i : i + 3].tobytes() + b"pad" for i in (0, 3))
    fields = [{"name": n, "offset": form.fields[n][1], "datatype": 8, "count": 1} for n in "xyz"]  # type: ignore[index]
    body = {"header": header(0), "height": 2, "width": 3, "fields": fields, "is_bigendian": True, "point_step": 30}
    body |= {"row_step": 93, "data": data, "is_dense": True}
    with Bag(tmp_path / "a.mcap") as bag:
        bag.send("/points", "sensor_msgs/msg/PointCloud2", 0, {**body, "row_step": 93, "data": data, "is_dense": True})
        bag.send(
            "/flat", "sensor_msgs/msg/PointCloud2", 0, {**body, "row_step": 93, "data": data, "fields": fields[:2]}
        )
    recording = opened(tmp_path / "a.mcap")
    np.testing.assert_allclose(recording.read(0, 0, 1).stream("points").values[0, 0, :6], points, rtol=1e-6)
    assert "have no x, y and z" in notes(recording)


def test_scans_of_changing_length_go_to_the_nearest_beams(tmp_path: Path) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        bag.scan("/scan", 0.0, [1, 2, 3, 4, 5], -0.4, 0.2)
        bag.scan("/scan", 0.1, [6, 7, 8], -0.2, 0.2)
        bag.scan("/scan", 0.2, list(range(1, 10)), -0.4, 0.1)
        bag.scan("/scan", 0.3, [], 0.0, 0.2)
    recording = opened(tmp_path / "a.mcap")
    geometry = recording.sensors[0].geometry
    assert isinstance(geometry, ScanGeometry)
    assert recording.sensors[0].shape == (9,)
    values = recording.read(0, 0, 4).stream("scan").values[0]
    assert values[2].tolist() == list(range(1, 10))
    assert values[1].tolist()[2:7] == pytest.approx([6, 7, 7, 8, 8], abs=1.01)
    assert values[1, 0] == values[1, 8] == 0
    assert not values[3].any()
    assert "other lengths" in notes(recording)


def test_joints_in_another_order_or_of_another_publisher(tmp_path: Path) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        bag.joints("/joints", 0.0, ["a", "b"], [1, 2])
        bag.joints("/joints", 0.1, ["b", "a"], [4, 3])
        bag.joints("/joints", 0.2, ["c"], [9])
        bag.joints("/joints", 0.3, ["a", "b"], [5, float("nan")])
    stream = only(tmp_path / "a.mcap")
    assert stream.values[0].tolist() == [[1, 2], [3, 4], [0, 0], [0, 0]]
    assert stream.valid[0].tolist() == [True, True, False, False]


def test_quaternions(tmp_path: Path) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        bag.odometry("/odom", 0.0, 1.0, (0, 0, 0, 0))  # sent before there was a pose
        bag.odometry("/odom", 0.1, 2.0, (0, 0, 0, -1.0000001))
        bag.odometry("/odom", 0.2, 3.0, (0, 0, 0, 2))
    recording = opened(tmp_path / "a.mcap")
    pose = recording.read(0, 0, 2, ["odom.pose"]).stream("odom.pose")
    assert pose.valid[0].tolist() == [False, True]
    assert pose.values[0, 1].tolist() == [2, 0, 0, 0, 0, 0, 1]
    with pytest.raises(DataError, match=r"message 2 of /odom") as error:
        recording.read(0, 0, 3, ["odom.pose"])
    assert "length 2" in str(error.value)
    assert "without" in str(error.value.remedy)


def test_gnss_in_metres_of_the_first_fix(tmp_path: Path) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        bag.fix("/fix", 0.0, 0, 0, 0, status=-1)
        bag.fix("/fix", 0.1, 52.0, 13.0, 100.0)
        bag.fix("/fix", 0.2, 52.001, 13.0, 101.0)
        bag.fix("/fix", 0.3, 52.0, 13.001, 100.0)
    stream = only(tmp_path / "a.mcap")
    assert stream.valid[0].tolist() == [False, True, True, True]
    np.testing.assert_allclose(stream.values[0, 1:, 0], [0, 0, 68.67], atol=0.02)
    np.testing.assert_allclose(stream.values[0, 1:, 1], [0, 111.27, 0], atol=0.02)
    np.testing.assert_allclose(stream.values[0, 1:, 2], [0, 1, 0], atol=0.01)


def test_grids_that_grow(tmp_path: Path) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        bag.grid("/map", 0.0, np.array([[0, 100], [-1, 50]]), 0.5, 0.0, 0.0)
        bag.grid("/map", 1.0, np.full((3, 4), 100), 0.5, -0.5, -0.5)
        for tick in range(20):
            bag.imu("/imu", tick / 10, (0,) * 6)
    recording = opened(tmp_path / "a.mcap", reference="imu")
    stream = recording.read(0, 0, 20).stream("map")
    assert bool(stream.valid.all())
    assert stream.values[0, 3, 0].tolist() == [[-1, -1, -1, -1], [-1, 0, 1, -1], [-1, -1, 0.5, -1]]
    assert bool((stream.values[0, 15] == 1).all())
    assert stream.age_seconds is not None
    assert stream.age_seconds[0, 9] == pytest.approx(0.9)


def test_frames_that_move_are_no_mounts(tmp_path: Path) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        for tick in range(4):
            bag.transform("/tf", tick / 10, "base_link", "head", (0, 0, tick), (0, 0, 0, 1))
            bag.transform("/tf", tick / 10, "head", "camera", (1, 0, 0), (0, 0, 0, 1))
            bag.image("/image", tick / 10, PIXELS, "rgb8", "camera")
            bag.image("/lost", tick / 10, PIXELS, "rgb8", "nowhere")
    recording = opened(tmp_path / "a.mcap")
    mounts = {s.name: s.mount for s in recording.sensors}
    assert mounts["lost"] is None
    assert mounts["image"] is not None
    assert mounts["image"].parent == "head"  # fixed there, whatever the head does
    assert "'nowhere'" in notes(recording)


def test_transforms_in_a_circle_or_without_a_rotation(tmp_path: Path) -> None:
    with Bag(tmp_path / "a.mcap") as bag:
        bag.transform("/tf_static", 0, "a", "b", (0, 0, 0), (0, 0, 0, 1))
        bag.transform("/tf_static", 0, "b", "a", (0, 0, 0), (0, 0, 0, 1))
        bag.image("/image", 0, PIXELS, "rgb8", "a")
    with pytest.raises(DataError, match="do not end"):
        opened(tmp_path / "a.mcap")
    with Bag(tmp_path / "b.mcap") as bag:
        bag.transform("/tf_static", 0, "a", "b", (0, 0, 0), (0, 0, 0, 3))
        bag.image("/image", 0, PIXELS, "rgb8", "a")
    with pytest.raises(DataError, match="from a to b is none"):
        opened(tmp_path / "b.mcap")


def test_json(tmp_path: Path) -> None:
    stamp = {"sec": 1_700_000_000, "nsec": 0}
    turn = {"x": 0, "y": 0, "z": 0, "w": 1}
    fields = [{"name": name, "offset": 4 * i, "type": 7} for i, name in enumerate("xyz")]
    cloud = {"point_stride": 12, "fields": fields, "data": np.arange(12, dtype="<f4").tobytes()}
    image = {"height": 20, "width": 16, "step": 48, "encoding": "rgb8", "data": PIXELS.tobytes()}
    frames = {"parent_frame_id": "base_link", "child_frame_id": "l"}
    rates = {"angular_velocity": vector(1, 2, 3), "linear_acceleration": vector(4, 5, 6)}
    messages: dict[str, tuple[str, dict[str, object]]] = {
        "/raw": ("foxglove.RawImage", image),
        "/png": ("foxglove.CompressedImage", {"format": "png", "data": encoded(PIXELS, "PNG")}),
        "/cloud": ("foxglove.PointCloud", cloud),
        "/scan": ("foxglove.LaserScan", {"start_angle": -1, "end_angle": 1, "ranges": [1, None, 3]}),
        "/pose": ("foxglove.PoseInFrame", {"pose": {"position": vector(1, 2, 3), "orientation": turn}}),
        "/fix": ("foxglove.LocationFix", {"latitude": 1, "longitude": 2, "altitude": 3}),
        "/tf": ("foxglove.FrameTransform", {**frames, "translation": vector(1, 0, 0), "rotation": turn}),
        "/imu": ("sensor_msgs/msg/Imu", {"header": {"stamp": stamp, "frame_id": "l"}, **rates}),
        "/odd": ("foxglove.RawImage", {"encoding": "rgb8"}),
    }
    common = {"timestamp": stamp, "frame_id": "l"}
    write_json(tmp_path / "a.mcap", [(topic, kind, 0, {**common, **told}) for topic, (kind, told) in messages.items()])
    recording = opened(tmp_path / "a.mcap")
    clip = recording.read(0, 0, 1)
    for name in ("raw", "png"):
        np.testing.assert_array_equal(clip.stream(name).values[0, 0].permute(1, 2, 0), PIXELS)
    assert clip.stream("cloud").values[0, 0, :4].flatten().tolist() == list(range(12))
    assert clip.stream("scan").values[0, 0].tolist() == [1, 0, 3]
    assert clip.stream("pose").values[0, 0].tolist() == [1, 2, 3, 0, 0, 0, 1]
    assert clip.stream("imu").values[0, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert clip.stream("fix").values[0, 0].tolist() == [0, 0, 0]
    mounts = {s.name: s.mount for s in recording.sensors}
    assert mounts["cloud"] is not None
    assert mounts["cloud"].translation == (1, 0, 0)
    assert "/odd is left out: its messages are no foxglove.RawImage" in notes(recording)


def test_protobuf(tmp_path: Path) -> None:
    points = np.random.default_rng(3).normal(size=(5, 3)).astype("<f4")
    write_protobuf(
        tmp_path / "a.mcap",
        [
            ("/raw", raw_image(PIXELS, "rgb8", "camera"), ns(0)),
            ("/cloud", point_cloud(points, "camera"), ns(0)),
            ("/pose", pose_in_frame((1, 2, 3), (0, 0, 0, 1)), ns(0)),
            ("/tf", transform("base_link", "camera", (0, 0, 2), (0, 0, 0, 1)), ns(0)),
        ],
    )
    recording = opened(tmp_path / "a.mcap")
    clip = recording.read(0, 0, 1)
    np.testing.assert_array_equal(clip.stream("raw").values[0, 0].permute(1, 2, 0), PIXELS)
    np.testing.assert_array_equal(clip.stream("cloud").values[0, 0, :5], points)
    assert clip.stream("pose").values[0, 0].tolist() == [1, 2, 3, 0, 0, 0, 1]
    mounts = {s.name: s.mount for s in recording.sensors}
    assert mounts["raw"] is not None
    assert mounts["raw"].translation == (0, 0, 2)
    stamped = opened(tmp_path / "a.mcap", time="header")
    assert stamped.lengths == (1,)


def test_damaged_messages_are_named(tmp_path: Path) -> None:
    with (tmp_path / "a.mcap").open("wb") as file:
        writer = Writer(file)
        writer.start()
        schema = writer.register_schema("foxglove.PoseInFrame", "jsonschema", b"{}")
        channel = writer.register_channel("/pose", "json", schema)
        pose = {"pose": {"position": vector(1, 2, 3), "orientation": {"x": 0, "y": 0, "z": 0, "w": 1}}}
        for tick, data in enumerate((json.dumps(pose).encode(), b"{not json", b'{"pose": 3}')):
            writer.add_message(channel, ns(tick / 10), data, ns(tick / 10))
        other = writer.register_channel("/odd", "cbor", schema)
        writer.add_message(other, ns(0), b"\0", ns(0))
        writer.finish()
    with pytest.raises(DataError, match="message 1 of /pose cannot be decoded"):
        opened(tmp_path / "a.mcap")
