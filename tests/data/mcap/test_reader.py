"""ROS 2 logs as recordings: topics become sensors, transforms mounts, commands actions."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mcap.writer import CompressionType

from data.mcap.writing import Bag, drive
from monde.data import FrameCache, open_recording
from monde.data.clocks.config import LogConfig
from monde.data.clocks.recording import AlignedRecording
from monde.data.mcap.reader import Mcap
from monde.errors import DataError, MondeError
from monde.protocols import Recording
from monde.types import Intrinsics, Sensor


def opened(path: Path, **config: object) -> AlignedRecording:
    return Mcap(LogConfig(**config)).open(path)  # type: ignore[arg-type]


def sensor(recording: Recording, name: str) -> Sensor:
    return next(sensor for sensor in recording.sensors if sensor.name == name)


def told(recording: Recording, name: str) -> str:
    return json.dumps(recording.source[name])


@pytest.mark.parametrize("compression", CompressionType)
def test_a_drive_becomes_a_recording(tmp_path: Path, compression: CompressionType) -> None:
    frames = drive(tmp_path / "drive.mcap", compression=compression, chunk=4096)
    recording = opened(tmp_path / "drive.mcap", actions="/cmd_vel", reference="camera.image_raw")
    assert isinstance(recording, Recording)
    assert {s.name: s.kind for s in recording.sensors} == {
        "camera.image_raw": "rgb",
        "imu": "imu",
        "odom.pose": "pose",
        "odom.twist": "twist",
        "scan": "scan",
    }
    clip = recording.read(0, 2, 9)
    np.testing.assert_array_equal(clip.stream("camera.image_raw").values[0].permute(0, 2, 3, 1), frames[2:9])
    seconds = 0.1 * np.arange(2, 9)
    np.testing.assert_allclose(clip.stream("odom.pose").values[0, :, 0], seconds, atol=1e-6)
    np.testing.assert_allclose(clip.stream("imu").values[0, :, 2], seconds, atol=1e-6)
    scan = clip.stream("scan")
    assert scan.age_seconds is not None
    np.testing.assert_allclose(scan.age_seconds[0], [0, 0.1, 0, 0.1, 0, 0.1, 0], atol=1e-9)
    np.testing.assert_allclose(scan.values[0, 1], [1.2, 10.0, 0.0, 0.0], atol=1e-6)  # hit, no return, NaN, too near
    assert clip.actions is not None
    np.testing.assert_allclose(clip.actions.values[0, :, 0], seconds[:-1], atol=1e-6)
    np.testing.assert_allclose(clip.actions.values[0, :, 5], -seconds[:-1], atol=1e-6)
    assert recording.actions is not None
    assert recording.actions.names == ("vx", "vy", "vz", "wx", "wy", "wz")
    assert recording.complete


def test_transforms_are_mounts_and_calibrations_intrinsics(tmp_path: Path) -> None:
    drive(tmp_path / "drive.mcap")
    recording = opened(tmp_path / "drive.mcap")
    camera, laser, imu = (sensor(recording, name) for name in ("camera.image_raw", "scan", "imu"))
    assert camera.mount is not None
    assert (camera.mount.parent, camera.mount.translation) == ("base_link", (0.1, 0.0, 0.4))
    assert laser.mount is not None
    assert laser.mount.translation == (0.2, 0.0, 0.1)
    assert imu.mount is not None
    assert imu.mount.translation == (0.0, 0.0, 0.0)
    assert camera.geometry == Intrinsics(width=32, height=24, fx=30.0, fy=30.0, cx=15.5, cy=11.5)
    assert "distorted" in told(recording, "notes")
    other = opened(tmp_path / "drive.mcap", base="laser")
    mount = sensor(other, "camera.image_raw").mount
    assert mount is not None
    np.testing.assert_allclose(mount.translation, (-0.1, 0.0, 0.3), atol=1e-9)


def test_a_folder_holds_episodes(tmp_path: Path) -> None:
    drive(tmp_path / "a.mcap")
    drive(tmp_path / "b.mcap", steps=7)
    (tmp_path / "monde.json").write_text('{"actions": "/cmd_vel"}')
    recording = open_recording(tmp_path)
    assert recording.lengths == (12, 7)
    assert recording.actions is not None
    assert isinstance(recording, AlignedRecording)
    assert recording.names == ("a.mcap", "b.mcap")
    before = recording.fingerprint
    (tmp_path / "monde.json").write_text('{"actions": "/cmd_vel", "rate_hz": 10}')
    assert open_recording(tmp_path).fingerprint != before
    assert open_recording(tmp_path, rate_hz=20.0).lengths[0] == 23


def test_it_is_cached_and_cut_into_windows_as_any_other(tmp_path: Path) -> None:
    frames = drive(tmp_path / "drive.mcap")
    recording = opened(tmp_path / "drive.mcap", actions="/cmd_vel", reference="camera.image_raw")
    cache = FrameCache.open_or_build(recording, root=tmp_path / "cache")
    np.testing.assert_array_equal(cache.values("camera.image_raw"), frames)
    assert cache.controls is not None


def test_unknown_types_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    with Bag(tmp_path / "log.mcap") as bag:
        for tick in range(5):
            bag.imu("/imu", tick / 10, (0, 0, 0, 0, 0, tick))
            bag.send("/diagnostics", "diagnostic_msgs/msg/KeyValue", tick / 10, {"key": "a", "value": "b"})
    recording = opened(tmp_path / "log.mcap")
    assert recording.source["skipped"] == {"diagnostic_msgs/KeyValue": 5}
    assert "no fixed transform says where its frame '' is" in told(recording, "notes")
    assert [s.name for s in recording.sensors] == ["imu"]


def test_a_file_that_breaks_off_is_read_up_to_there(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mcap"
    drive(whole, chunk=8192)
    full = opened(whole)
    data = whole.read_bytes()
    lengths = []
    for share in (0.25, 0.5, 0.75, 0.97, 1.0):
        cut = tmp_path / "cut.mcap"
        cut.write_bytes(data[: int(len(data) * share) - 1])
        recording = opened(cut)
        # What is behind the last message (indices, the closing magic) may be missing without a loss.
        assert share > 0.97 or "breaks off at byte" in told(recording, "notes")
        lengths.append(recording.lengths[0])
        stop = min(recording.lengths[0], full.lengths[0])
        kept, there = recording.read(0, 0, stop), full.read(0, 0, stop)
        torch.testing.assert_close(kept.stream("imu").values, there.stream("imu").values)
    assert lengths == sorted(lengths)
    assert lengths[0] < full.lengths[0]
    assert lengths[-1] == full.lengths[0]


def test_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "drive.mcap"
    drive(path, compression=CompressionType.NONE, chunk=2**20)
    data = bytearray(path.read_bytes())
    position = data.index(b"rgb8", len(data) // 3) + 64
    data[position] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"damaged in the chunk"):
        opened(path).read(0, 0, 3)
    (tmp_path / "no.mcap").write_bytes(b"no MCAP file at all")
    with pytest.raises(DataError, match="no MCAP file"):
        open_recording(tmp_path / "no.mcap")
    (tmp_path / "empty.mcap").touch()
    with pytest.raises(DataError, match="no MCAP file"):
        open_recording(tmp_path / "empty.mcap")


def test_a_file_without_index_or_chunks_is_read(tmp_path: Path) -> None:
    """Loose messages, and chunks without an index behind them: both are in the specification."""
    from mcap.records import Schema
    from mcap.writer import IndexType, Writer

    drive(tmp_path / "drive.mcap")
    wanted = opened(tmp_path / "drive.mcap")
    from mcap.reader import make_reader

    for options in (
        {"use_chunking": False},
        {"index_types": IndexType.NONE, "repeat_channels": False, "repeat_schemas": False},
    ):
        with (tmp_path / "drive.mcap").open("rb") as source, (tmp_path / "other.mcap").open("wb") as file:
            writer = Writer(file, **options)  # type: ignore[arg-type]
            writer.start()
            channels: dict[int, int] = {}
            for schema, channel, message in make_reader(source).iter_messages():
                if channel.id not in channels:
                    assert isinstance(schema, Schema)
                    number = writer.register_schema(schema.name, schema.encoding, schema.data)
                    channels[channel.id] = writer.register_channel(channel.topic, channel.message_encoding, number)
                writer.add_message(channels[channel.id], message.log_time, message.data, message.publish_time)
            writer.finish()
        got = opened(tmp_path / "other.mcap")
        assert got.lengths == wanted.lengths
        for name in ("imu", "camera.image_raw"):
            torch.testing.assert_close(got.read(0, 0, 5).stream(name).values, wanted.read(0, 0, 5).stream(name).values)


def test_header_times_and_clocks_of_another_epoch(tmp_path: Path) -> None:
    with Bag(tmp_path / "log.mcap") as bag:
        for tick in range(20):
            late = tick / 10 + 0.03
            bag.odometry("/odom", tick / 10, x=tick)
            body = {"header": {"stamp": {"sec": 5 + tick // 10, "nanosec": tick % 10 * 10**8}, "frame_id": ""}}
            body |= {"name": ["a"], "position": [float(tick)], "velocity": [], "effort": []}
            bag.send("/joints", "sensor_msgs/msg/JointState", late, body)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="different zeros") as error:
        opened(tmp_path / "log.mcap", time="header")
    assert "offsets" in str(error.value.remedy)
    recording = opened(
        tmp_path / "log.mcap", time="header", offsets={"/joints": 1_699_999_995.0}, reference="odom.pose"
    )
    stream = recording.read(0, 0, 20).stream("joints.position")
    np.testing.assert_allclose(stream.values[0, :, 0], np.arange(20), atol=1e-5)
    by_log = opened(tmp_path / "log.mcap", reference="odom.pose").read(0, 0, 5).stream("joints.position")
    assert by_log.values[0, :, 0].tolist() == [0, 1, 2, 3, 4]  # from the second step on: the first has no joints yet
    assert by_log.age_seconds is not None
    np.testing.assert_allclose(by_log.age_seconds[0], 0.07, atol=1e-6)


def test_names_that_are_not_there_are_refused(tmp_path: Path) -> None:
    drive(tmp_path / "drive.mcap")
    for config, name in (
        ({"actions": "/cmd"}, "/cmd"),
        ({"without": ("/imus",)}, "/imus"),
        ({"offsets": {"imus": 1.0}}, "imus"),
        ({"actions": "/tf_static"}, "/tf_static"),
    ):
        with pytest.raises(MondeError, match=name):
            opened(tmp_path / "drive.mcap", **config)
    without = opened(tmp_path / "drive.mcap", without=("/scan", "odom.twist", "/cmd_vel"))
    assert [s.name for s in without.sensors] == ["camera.image_raw", "imu", "odom.pose"]
