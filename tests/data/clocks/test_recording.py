"""Logs on clocks of their own as a recording on one: dropped samples, jitter, late sensors, clocks that do not fit."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from data.clocks.logs import MemoryLog, opened
from monde.data import open_recording
from monde.data.clocks.config import LogConfig, read_config
from monde.data.clocks.rules import Rule
from monde.data.clocks.tracks import Commands, in_order, nominal_hz
from monde.errors import DataError
from monde.protocols import Recording
from monde.types import Sensor

FAST = Sensor(name="fast", kind="state", shape=(1,), rate_hz=200.0)
SLOW = Sensor(name="slow", kind="state", shape=(1,), rate_hz=10.0)
BY_SLOW = LogConfig(reference="slow")


def log(fast: np.ndarray, slow: np.ndarray, **more: object) -> MemoryLog:
    times = {"fast": fast, "slow": slow}
    return MemoryLog(times, {name: t[:, None].astype(np.float32) for name, t in times.items()}, **more)  # type: ignore[arg-type]


def test_every_sample_of_the_reference_is_a_step(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    fast = np.arange(600) / 200 + rng.uniform(-0.002, 0.002, 600)
    slow = 0.02 + np.cumsum(rng.uniform(0.08, 0.12, 20))
    recording = opened([FAST, SLOW], [log(fast, slow)], tmp_path, BY_SLOW)
    assert isinstance(recording, Recording)
    clip = recording.read(0, 0, 20)
    times = clip.stream("slow").times_seconds[0].numpy()
    np.testing.assert_allclose(times, slow - slow[0])
    # Both sensors measure the time itself: what is aligned is as old as it says.
    for name in ("fast", "slow"):
        stream = clip.stream(name)
        assert stream.age_seconds is not None
        assert bool(stream.valid.all())
        np.testing.assert_allclose(stream.values[0, :, 0] + stream.age_seconds[0], slow, atol=1e-6)
    assert recording.sensors[0].rate_hz == pytest.approx(recording.sensors[1].rate_hz)
    assert recording.source["clock"]["reference"] == "slow"  # type: ignore[index]


def test_a_given_rate_makes_an_even_clock(tmp_path: Path) -> None:
    recording = opened([FAST, SLOW], [log(np.arange(400) / 200, np.arange(20) / 10)], tmp_path, LogConfig(rate_hz=25.0))
    assert recording.sensors[0].rate_hz == 25.0
    times = recording.read(0, 0, recording.lengths[0]).stream("fast").times_seconds[0]
    np.testing.assert_allclose(np.diff(times), 0.04)


def test_reading_in_pieces_is_reading_at_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    drop = rng.random(400) > 0.3
    recording = opened([FAST, SLOW], [log((np.arange(400) / 200)[drop], np.arange(20) / 10)], tmp_path, BY_SLOW)
    whole = recording.read(0, 0, 20)
    parts = [recording.read(0, start, start + 4) for start in range(0, 20, 4)]
    for name in ("fast", "slow"):
        torch.testing.assert_close(torch.cat([p.stream(name).values for p in parts], 1), whole.stream(name).values)


def test_a_gap_is_not_filled(tmp_path: Path) -> None:
    fast = np.concatenate([np.arange(100) / 200, 1.0 + np.arange(100) / 200])
    recording = opened([FAST, SLOW], [log(fast, np.arange(15) / 10)], tmp_path, BY_SLOW)
    stream = recording.read(0, 0, 15, ["fast"]).stream("fast")
    assert stream.valid[0].tolist() == [True] * 6 + [False] * 4 + [True] * 5
    assert not stream.values[0, 6:10].any()
    assert not recording.complete
    held = LogConfig(reference="slow", rules={"fast": Rule(tolerance_seconds=1.0)})
    assert opened([FAST, SLOW], [log(fast, np.arange(15) / 10)], tmp_path, held).complete


def test_a_message_without_a_measurement_is_no_sample(tmp_path: Path) -> None:
    times = np.arange(10) / 10
    there = {"fast": np.arange(10) != 3}
    recording = opened([FAST, SLOW], [log(times, times, there=there)], tmp_path, BY_SLOW)
    assert recording.read(0, 0, 10).stream("fast").valid[0].tolist() == there["fast"].tolist()


def test_an_episode_waits_a_little_for_its_last_sensor(tmp_path: Path) -> None:
    recording = opened([FAST, SLOW], [log(0.95 + np.arange(400) / 200, np.arange(20) / 10)], tmp_path, BY_SLOW)
    assert recording.lengths == (10,)
    late = opened([FAST, SLOW], [log(5.95 + np.arange(400) / 200, np.arange(80) / 10)], tmp_path, BY_SLOW)
    assert late.lengths == (80,)
    assert int(late.read(0, 0, 80).stream("fast").valid.sum()) == 80 - 60


def test_a_sensor_that_an_episode_lacks_is_missing_there(tmp_path: Path) -> None:
    times = np.arange(10) / 10
    both, one = log(times, times), MemoryLog({"slow": times}, {"slow": times[:, None].astype(np.float32)})
    recording = opened([FAST, SLOW], [both, one], tmp_path, BY_SLOW)
    assert not bool(recording.read(1, 0, 10).stream("fast").valid.any())
    nothing = MemoryLog({"fast": times}, {"fast": times[:, None]}, name="other")
    recording = opened([FAST, SLOW], [both, nothing], tmp_path, BY_SLOW)
    assert len(recording.lengths) == 1
    assert "nothing of slow" in recording.absent_files["other"]


def test_clocks_of_different_epochs_are_named_with_what_to_add(tmp_path: Path) -> None:
    boot, epoch = np.arange(400) / 200 + 31.5, 1.7e9 + np.arange(20) / 10
    with pytest.raises(DataError, match="different zeros") as told:
        opened([FAST, SLOW], [log(boot, epoch)], tmp_path, BY_SLOW)
    assert "1699999968.500" in str(told.value)
    assert "offsets" in str(told.value.remedy)


def test_a_clock_that_is_set_back_is_named() -> None:
    times = np.concatenate([100 + np.arange(10.0), np.arange(10.0)])
    with pytest.raises(DataError, match="jumps back") as told:
        in_order(times, "imu of drive.mcap", "cut the log in two")
    assert "sample 10 lies 109 s" in str(told.value)
    late, order = in_order(np.array([0.0, 0.2, 0.1, 0.2]), "imu", "")
    assert late.tolist() == [0.0, 0.1, 0.2, 0.2]
    assert order.tolist() == [0, 2, 1, 3]


def test_actions_are_what_was_in_force_between_steps(tmp_path: Path) -> None:
    commands = Commands(np.array([0.05, 0.2, 0.25, 0.35]), np.array([[1.0], [2.0], [4.0], [0.0]], np.float32))
    times = np.arange(6) / 10
    recording = opened([FAST, SLOW], [log(times, times, commands=commands)], tmp_path, BY_SLOW)
    clip = recording.read(0, 0, recording.lengths[0])
    assert recording.lengths == (5,)  # the first step at which there was a command
    assert clip.actions is not None
    np.testing.assert_allclose(clip.actions.values[0, :, 0], [1.0, 3.0, 2.0, 0.0], atol=1e-6)
    assert recording.actions is not None
    recording.actions.check(clip.actions.values)
    before = Commands(np.array([0.15]), np.array([[2.0]], np.float32)).between(np.array([0.0, 0.1, 0.2, 0.3]))
    np.testing.assert_allclose(before[:, 0], [0.0, 1.0, 2.0])
    assert not Commands(np.empty(0), np.empty((0, 2), np.float32)).between(np.arange(3.0)).any()


def test_nominal_rates() -> None:
    rng = np.random.default_rng(2)
    assert nominal_hz(np.cumsum(rng.uniform(0.9, 1.1, 500) / 30)) == 30.0
    assert nominal_hz(np.zeros(3)) is None


def test_a_configuration_beside_a_log_is_read_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "drive.mcap"
    beside = tmp_path / "drive.mcap.monde.json"
    beside.write_text(
        json.dumps(
            {
                "actions": "/cmd_vel",
                "rate_hz": 10,
                "offsets": {"imu": 3},
                "rules": {"odom.pose": {"kind": "interpolate", "delay_seconds": 0.02}},
                "depth_units": {"/depth": "mm"},
            }
        )
    )
    file.touch()
    config = read_config(file)
    assert config.offsets == {"imu": 3.0}
    assert config.rules["odom.pose"] == Rule(kind="interpolate", delay_seconds=0.02)
    for wrong in (
        {"action": "/cmd_vel"},
        {"offsets": {"imu": "3"}},
        {"rules": {"a": {"kind": "next"}}},
        {"rate_hz": 0},
    ):
        beside.write_text(json.dumps(wrong))
        with pytest.raises(DataError, match="does not say how to read the log"):
            read_config(file)


def test_names_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    times = np.arange(4) / 10
    for config in (LogConfig(reference="fats"), LogConfig(rules={"fats": Rule()})):
        with pytest.raises(DataError, match="fats"):
            opened([FAST, SLOW], [log(times, times)], tmp_path, config)
    pose = LogConfig(rules={"fast": Rule(kind="interpolate", delay_seconds=0.1)})
    with pytest.raises(DataError, match="cannot be interpolated"):
        opened([FAST, SLOW], [log(times, times)], tmp_path, pose)
    with pytest.raises(DataError):
        open_recording(tmp_path)


def test_what_comes_later_changes_no_earlier_step(tmp_path: Path) -> None:
    """The same log up to two seconds, and another one afterwards: the same clip up to there, ages and all."""
    rng = np.random.default_rng(3)
    fast = np.arange(800) / 200 - 0.01 + rng.uniform(-0.001, 0.001, 800)
    slow = np.arange(40) / 10
    other = np.concatenate([fast[fast <= 2.0], 2.0 + np.sort(rng.uniform(0.001, 1.9, 400))])
    config = LogConfig(reference="slow", rules={"fast": Rule(tolerance_seconds=0.015)})
    first = opened([FAST, SLOW], [log(fast, slow)], tmp_path, config)
    changed = log(other, slow)
    values = {name: np.where(times[:, None] > 2.0, -7.0, times[:, None]) for name, times in changed.times.items()}
    second = opened([FAST, SLOW], [MemoryLog(changed.times, values)], tmp_path, config)
    for name in ("fast", "slow"):
        one, two = (recording.read(0, 0, recording.lengths[0]).stream(name) for recording in (first, second))
        known = one.times_seconds[0] <= 2.0
        for part in ("values", "valid", "age_seconds"):
            torch.testing.assert_close(
                getattr(one, part)[0][known].double(), getattr(two, part)[0][known].double(), atol=1e-6, rtol=0
            )
        assert not torch.equal(one.values[0][~known].double(), two.values[0][~known].double())
