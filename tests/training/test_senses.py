"""Training on several senses, some of them hidden now and then, or missing in the data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from monde.data import RecordingWriter
from monde.errors import UsageError
from monde.models import load_model
from monde.perception import Perception, SenseEncoder
from monde.training import TrainConfig, train
from monde.training.hiding import hidden_senses
from monde.training.setup import prepare, reopen
from monde.types import Sensor
from senses import ACTIONS, NAMES, SENSORS, episode

READ = ("rgb", "depth", "points", "scan", "pose", "imu", "gnss", "twist", "grid")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("senses") / "d"
    with RecordingWriter(root, sensors=SENSORS, actions=ACTIONS, source={}, gaps=NAMES, aged=["pose", "rgb"]) as writer:
        writer.append([episode(12, seed) for seed in range(10)])
    return root


def config(data: Path, run: Path, **changes: object) -> TrainConfig:
    parts: dict[str, object] = {"sensors": READ, "frame": 16, "block": 2, "batch": 8, "steps": 3, "points": 20}
    return TrainConfig(data=str(data), run=str(run), precision="fp32", **(parts | changes))  # type: ignore[arg-type]


def test_a_model_of_all_senses_trains_and_knows_their_moments(data: Path, tmp_path: Path) -> None:
    train(config(data, tmp_path / "r"))
    model = load_model(tmp_path / "r")
    assert isinstance(model.perception, Perception)
    assert model.config.sensors[2].shape == (20, 4)
    assert model.config.perception.aged == ("rgb", "pose")  # type: ignore[union-attr]
    _, setup = reopen(tmp_path / "r")
    imu = model.perception.encoders["imu"]
    assert isinstance(imu, SenseEncoder)
    held = setup.cache.valid("imu")
    assert held is not None
    frames = np.concatenate([np.arange(*setup.cache.offsets[e : e + 2]) for e in sorted(setup.split.train)])
    seen = setup.cache.values("imu")[frames[held[frames]]]
    np.testing.assert_allclose(imu.mean.numpy(), seen.mean(0), atol=1e-5)
    np.testing.assert_allclose(imu.std.numpy(), seen.std(0, ddof=1), rtol=1e-4)
    clip = setup.held_out.clip(np.arange(2))
    assert torch.isfinite(model.encode(clip).values).all()


def test_sensor_dropout_leaves_a_sense_in_every_row() -> None:
    hidden = hidden_senses(4000, 3, 0.6, torch.Generator().manual_seed(0))
    assert not hidden.all(1).any()
    assert hidden.float().mean() == pytest.approx(0.6 - 0.6**3 / 3, abs=0.02)
    assert not hidden_senses(50, 2, 0.0, torch.Generator()).any()


def test_dropout_changes_training_of_several_senses_only(data: Path, tmp_path: Path) -> None:
    weights = {}
    for sensors in (("rgb",), ("rgb", "scan")):
        for dropout in (0.0, 0.5):
            run = tmp_path / f"{'-'.join(sensors)}-{dropout}"
            train(config(data, run, sensors=sensors, sensor_dropout=dropout))
            weights[sensors, dropout] = load_model(run).state_dict()
    for name, value in weights[("rgb",), 0.0].items():
        assert torch.equal(value, weights[("rgb",), 0.5][name])
    told = (tmp_path / "rgb-scan-0.5/metrics.jsonl").read_text(encoding="utf-8")
    assert "loss/hidden" in told
    assert "loss/hidden" not in (tmp_path / "rgb-0.5/metrics.jsonl").read_text(encoding="utf-8")
    both = weights[("rgb", "scan"), 0.0], weights[("rgb", "scan"), 0.5]
    assert any(not torch.equal(value, both[1][name]) for name, value in both[0].items())


def test_what_is_large_and_not_read_is_left_out(data: Path, tmp_path: Path) -> None:
    setup = prepare(config(data, tmp_path / "r", sensors=("scan",)))
    assert setup.left_out == ("depth", "points")
    assert {sensor.name for sensor in setup.cache.sensors} == set(NAMES) - {"depth", "points"}
    assert setup.judged == ("scan", "state", "pose")


def test_only_colours_are_shown_in_a_mirror(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only colours"):
        prepare(config(data, tmp_path / "r", sensors=("rgb", "scan"), mirror=True, action_free=True))
    with pytest.raises(UsageError, match="hidden that often"):
        config(data, tmp_path / "r", sensor_dropout=1.0)


def test_depth_in_no_known_unit_is_not_trained_on(tmp_path: Path) -> None:
    from monde.errors import ContractError

    unknown = tuple(replace(s, unit="1") for s in SENSORS if s.kind == "depth")
    with RecordingWriter(tmp_path / "d", sensors=unknown, actions=ACTIONS, source={}) as writer:
        writer.append([episode(9, seed, unknown, gaps=False) for seed in range(2)])
    with pytest.raises(ContractError, match="in metres only"):
        prepare(config(tmp_path / "d", tmp_path / "r", sensors=("depth",)))


def test_sensors_are_plain_to_the_end(data: Path, tmp_path: Path) -> None:
    """What a run keeps of its sensors is read back equal: geometry and mount included."""
    train(config(data, tmp_path / "r", steps=1))
    kept: dict[str, Sensor] = {sensor.name: sensor for sensor in load_model(tmp_path / "r").sensors}
    recorded = {sensor.name: sensor for sensor in SENSORS}
    assert kept["scan"] == recorded["scan"]
    assert kept["grid"].geometry == recorded["grid"].geometry
    assert kept["depth"].mount == recorded["depth"].mount
