"""A robot's log opens as a recording, and becomes a LeRobot dataset."""

import json
from pathlib import Path

import numpy as np
import pytest

from monde.data import convert, open_recording
from monde.errors import DataError
from monde.store.typed import to_json
from monde.types import ActionSpec, Sensor

CAMERA = Sensor(name="top", kind="rgb", shape=(3, 64, 64), rate_hz=2.0)
ACTIONS = ActionSpec(low=(-1.0,), high=(1.0,), block=5, dt_seconds=0.1, names=("x",))


def write(root: Path, lengths: tuple[int, ...]) -> None:
    root.mkdir()
    meta = {"schema": "monde.log/1", "sensors": [to_json(CAMERA)], "actions": to_json(ACTIONS)}
    (root / "log.json").write_text(json.dumps(meta), encoding="utf-8")
    for number, length in enumerate(lengths):
        np.savez(
            root / f"episode-{number:06d}.npz",
            times_seconds=np.arange(length) / 10,
            actions=np.linspace(-1, 1, length - 1, dtype=np.float32)[:, None],
            **{"sensor.top": np.full((length, 3, 8, 12), number, np.uint8)},
        )


def test_a_log_is_a_recording(tmp_path: Path) -> None:
    write(tmp_path / "log", (6, 9))
    recording = open_recording(tmp_path / "log")
    assert recording.lengths == (6, 9)
    # As it was logged: at the rate of control steps, in the camera's own size.
    assert (recording.sensors[0].rate_hz, recording.sensors[0].shape) == (10.0, (3, 8, 12))
    assert recording.actions is not None
    assert recording.actions.block == 1
    clip = recording.read(1, 2, 6)
    assert clip.aligned
    assert clip.stream("top").values.shape == (1, 4, 3, 8, 12)
    assert clip.actions is not None
    np.testing.assert_allclose(clip.actions.values[0, :, 0], np.linspace(-1, 1, 8)[2:5], atol=1e-6)


def test_it_becomes_a_lerobot_dataset(tmp_path: Path) -> None:
    write(tmp_path / "log", (6, 9))
    convert(tmp_path / "log", tmp_path / "data", store="images")
    made, logged = open_recording(tmp_path / "data"), open_recording(tmp_path / "log")
    assert made.lengths == (6, 9)
    for episode in range(2):
        a, b = (each.read(episode, 0, each.lengths[episode]) for each in (made, logged))
        assert bool((a.stream("top").values == b.stream("top").values).all())
        assert a.actions is not None
        assert b.actions is not None
        assert bool((a.actions.values == b.actions.values).all())


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "log", ())
    with pytest.raises(DataError, match="no episodes"):
        open_recording(tmp_path / "log")
    (tmp_path / "log/episode-000000.npz").write_bytes(b"PK no zip")
    with pytest.raises(DataError, match="cannot be read"):
        open_recording(tmp_path / "log")
    np.savez(tmp_path / "log/episode-000000.npz", times_seconds=np.array([object()]))
    with pytest.raises(DataError, match="cannot be read"):
        open_recording(tmp_path / "log")
    (tmp_path / "log/log.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="another version"):
        open_recording(tmp_path / "log")
