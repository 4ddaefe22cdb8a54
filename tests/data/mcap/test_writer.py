"""What is written as MCAP is read back as it was, and opened by others' libraries."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory

from data.mcap.writing import Bag, drive
from monde.cli import main
from monde.data import EpisodeData, RecordingWriter, open_recording
from monde.data.clocks.config import LogConfig
from monde.data.clocks.recording import AlignedRecording
from monde.data.clocks.rules import Rule
from monde.data.convert import convert
from monde.data.mcap.reader import Mcap
from monde.data.mcap.writer import write_episode
from monde.errors import DataError, UsageError
from monde.protocols import Intermittent, Recording
from monde.types import ActionSpec, GridGeometry, Intrinsics, Mount, ScanGeometry, Sensor

Make = Callable[..., list[EpisodeData]]
MOUNT = Mount(parent="base", translation=(0.1, 0.2, 0.3), rotation=(0.5, -0.5, 0.5, -0.5))
SCANNER = ScanGeometry(start_rad=-1.0, step_rad=0.5, least_m=0.05, most_m=8.0)


def equal(first: Recording, second: Recording, tolerance: float = 0.0) -> None:
    assert first.sensors == second.sensors
    assert first.lengths == second.lengths
    assert first.actions == second.actions
    for episode, length in enumerate(first.lengths):
        one, other = first.read(episode, 0, length), second.read(episode, 0, length)
        for name, stream in one.streams.items():
            found = other.stream(name)
            assert torch.equal(stream.valid, found.valid)
            torch.testing.assert_close(found.values, stream.values, atol=tolerance, rtol=0)
            torch.testing.assert_close(found.times_seconds, stream.times_seconds, atol=1e-9, rtol=0)
            if stream.age_seconds is not None and found.age_seconds is not None:
                torch.testing.assert_close(found.age_seconds, stream.age_seconds, atol=2e-9, rtol=0)
            if stream.mask is not None and found.mask is not None:
                assert torch.equal(stream.mask, found.mask)
        if one.actions is not None and other.actions is not None:
            torch.testing.assert_close(other.actions.values, one.actions.values, atol=1e-6, rtol=0)


def every_kind(root: Path) -> AlignedRecording:
    """A log of many sensors with clocks of their own, dropped messages among them."""
    rng = np.random.default_rng(0)
    with Bag(root) as bag:
        bag.transform("/tf_static", 0, "base_link", "c", (0.1, 0, 0), (0, 0, 0, 1))
        bag.camera("/cam/camera_info", 0, 20, 16, 12.0, "c")
        for tick in range(120):
            seconds = tick / 60 + float(rng.uniform(0, 0.003))
            if rng.random() < 0.05:
                continue
            bag.imu("/imu", seconds, rng.normal(size=6).tolist())
            if tick % 6 == 0:
                bag.image("/cam/image", seconds, rng.integers(0, 256, (20, 16, 3), dtype=np.uint8), "rgb8", "c")
                depth = rng.integers(0, 5000, (20, 16), dtype=np.uint16)
                bag.image("/depth", seconds, depth[:, :, None].view(np.uint8), "16UC1", "c")
                bag.twist("/cmd_vel", seconds, float(rng.normal()), 0.5)
            if tick % 4 == 0:
                bag.cloud("/points", seconds, rng.normal(size=(int(rng.integers(0, 40)), 3)).astype(np.float32), "c")
            if tick % 4 == 0 and not 50 < tick < 80:
                bag.scan("/scan", seconds, rng.uniform(0.2, 12, 7).tolist(), -1.0, 0.5, "c")
                bag.odometry("/odom", seconds, seconds)
            if tick % 40 == 0:
                bag.grid("/map", seconds, rng.integers(-1, 101, (4, 5)), 0.5, 0, 0)
                bag.fix("/fix", seconds, 52 + 1e-4 * tick, 13.0, 50.0)
    return Mcap(LogConfig(actions="/cmd_vel", reference="cam.image")).open(root)


def test_a_log_of_every_kind_comes_back(tmp_path: Path) -> None:
    source = every_kind(tmp_path / "log.mcap")
    assert {s.kind for s in source.sensors} == {
        "rgb",
        "depth",
        "points",
        "scan",
        "pose",
        "twist",
        "imu",
        "grid",
        "gnss",
    }
    assert not source.complete
    write_episode(tmp_path / "copy.mcap", source, 0)
    equal(source, open_recording(tmp_path / "copy.mcap"), tolerance=1e-6)


def test_other_libraries_read_it(tmp_path: Path) -> None:
    source = every_kind(tmp_path / "log.mcap")
    write_episode(tmp_path / "copy.mcap", source, 0)
    with (tmp_path / "copy.mcap").open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()], validate_crcs=True)
        found = Counter()
        for schema, channel, message, decoded in reader.iter_decoded_messages():
            assert schema is not None
            found[channel.topic, schema.name] += 1
            if channel.topic == "/cam/image/image":
                assert (decoded.height, decoded.width, decoded.encoding, len(decoded.data)) == (20, 16, "rgb8", 960)
                assert decoded.header.stamp.sec * 10**9 + decoded.header.stamp.nanosec == message.log_time
    assert found["/tf_static", "tf2_msgs/msg/TFMessage"] == 1
    assert found["/cam/image/camera_info", "sensor_msgs/msg/CameraInfo"] == 1
    assert found["/step", "std_msgs/msg/Float32MultiArray"] == source.lengths[0]
    assert found["/points", "sensor_msgs/msg/PointCloud2"] <= source.lengths[0]
    topics = {"/tf_static", "/step", "/action", "/imu", "/cam/image/image", "/cam/image/camera_info", "/depth/depth"}
    topics |= {"/depth/camera_info", "/points", "/scan", "/odom/pose", "/odom/twist", "/map", "/fix"}
    assert {topic for topic, _ in found} == topics


def test_a_recording_on_one_clock_comes_back(tmp_path: Path) -> None:
    """Kinds that messages know only in space: they come back in the plane, with their own geometry."""
    rng = np.random.default_rng(1)
    camera = Intrinsics(width=6, height=4, fx=5.0, fy=5.0, cx=2.5, cy=1.5)
    sensors = (
        Sensor(name="cam", kind="rgb", shape=(3, 4, 6), rate_hz=10.0, geometry=camera, mount=MOUNT),
        Sensor(name="pose", kind="pose", shape=(3,), unit="m", rate_hz=10.0),
        Sensor(name="twist", kind="twist", shape=(3,), rate_hz=10.0),
        Sensor(name="scan", kind="scan", shape=(5,), unit="m", rate_hz=10.0, geometry=SCANNER, mount=MOUNT),
        Sensor(name="grid", kind="grid", shape=(1, 3, 2), rate_hz=10.0, geometry=GridGeometry(cell_m=0.1)),
        Sensor(name="place", kind="gnss", shape=(3,), unit="m", rate_hz=10.0),
        Sensor(name="arm.joints", kind="state", shape=(2,), rate_hz=10.0, names=("a", "b")),
    )
    actions = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), dt_seconds=0.1, names=("vx", "wz"))
    T = 9
    values = {
        "cam": rng.integers(0, 256, (T, 3, 4, 6), dtype=np.uint8),
        "pose": rng.uniform(-3, 3, (T, 3)).astype(np.float32),
        "twist": rng.uniform(-3, 3, (T, 3)).astype(np.float32),
        "scan": rng.choice([0.0, 0.5, 3.0, 8.0], (T, 5)).astype(np.float32),
        "grid": (rng.integers(-1, 101, (T, 1, 3, 2)).clip(0) / 100).astype(np.float32),
        "place": rng.normal(size=(T, 3)).astype(np.float32),
        "arm.joints": rng.normal(size=(T, 2)).astype(np.float32),
    }
    times = np.cumsum(rng.uniform(0.09, 0.11, T))
    taken = rng.uniform(-1, 1, (T - 1, 2)).astype(np.float32)
    with RecordingWriter(tmp_path / "lerobot", sensors=sensors, actions=actions, source={}) as writer:
        writer.append([EpisodeData(values, times - times[0], taken, "push")])
    source = open_recording(tmp_path / "lerobot")
    summary = convert(tmp_path / "lerobot", tmp_path / "mcap", form="mcap")
    assert (summary.store, summary.why) == ("mcap", "as it was asked for")
    copy = open_recording(tmp_path / "mcap")
    equal(source, copy, tolerance=1e-6)
    assert copy.tasks == ("push",)
    again = convert(tmp_path / "lerobot", tmp_path / "mcap", form="mcap")
    assert (again.new_episodes, again.episodes) == (0, 1)
    # And from there into LeRobot: nothing in it needs MCAP but the grid.
    assert convert(tmp_path / "mcap", tmp_path / "back", form="lerobot").store == "images"
    equal(source, open_recording(tmp_path / "back"), tolerance=1e-6)


def test_convert_says_which_form_it_chose_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drive(tmp_path / "drive.mcap")
    (tmp_path / "drive.mcap.monde.json").write_text('{"actions": "/cmd_vel", "reference": "camera.image_raw"}')
    assert main(["convert", str(tmp_path / "drive.mcap"), str(tmp_path / "a")]) == 0
    assert "as LeRobot v3 (it can hold all of it)" in capsys.readouterr().out
    every_kind(tmp_path / "log.mcap")
    assert main(["convert", str(tmp_path / "log.mcap"), str(tmp_path / "b")]) == 0
    assert "as MCAP (map delivers occupancy grids)" in capsys.readouterr().out
    with pytest.raises(UsageError, match="keep their size"):
        convert(tmp_path / "log.mcap", tmp_path / "c", frame=32)
    with pytest.raises(UsageError, match="form"):
        convert(tmp_path / "log.mcap", tmp_path / "c", form="bag")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "notes.txt").touch()
    with pytest.raises(DataError, match="something else"):
        convert(tmp_path / "log.mcap", tmp_path / "d", form="mcap")


def test_gaps_and_ages_survive_lerobot_and_come_back(tmp_path: Path) -> None:
    source = every_kind(tmp_path / "log.mcap")
    convert(tmp_path / "log.mcap", tmp_path / "lerobot", form="lerobot")
    held = open_recording(tmp_path / "lerobot")
    assert isinstance(held, Intermittent)
    assert set(held.gaps) == set(source.gaps) == {"scan", "odom.pose", "odom.twist"}
    convert(tmp_path / "lerobot", tmp_path / "mcap", form="mcap")
    equal(held, open_recording(tmp_path / "mcap"), tolerance=1e-6)


def test_interpolated_poses_older_than_a_step_cannot_be_written(tmp_path: Path) -> None:
    drive(tmp_path / "drive.mcap")
    late = {"odom.pose": Rule(kind="interpolate", delay_seconds=0.15, tolerance_seconds=0.5)}
    recording = Mcap(LogConfig(reference="camera.image_raw", rules=late)).open(tmp_path / "drive.mcap")
    with pytest.raises(DataError, match="older than a step"):
        write_episode(tmp_path / "copy.mcap", recording, 0)
    assert not (tmp_path / "copy.mcap").exists()
    soon = {"odom.pose": Rule(kind="interpolate", delay_seconds=0.03, tolerance_seconds=0.5)}
    recording = Mcap(LogConfig(reference="camera.image_raw", rules=soon)).open(tmp_path / "drive.mcap")
    write_episode(tmp_path / "copy.mcap", recording, 0)
    equal(recording, open_recording(tmp_path / "copy.mcap"), tolerance=1e-6)
