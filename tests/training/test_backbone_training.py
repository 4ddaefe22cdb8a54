"""A frozen encoder under our dynamics: cached once, trained, scored and planned with; what does not fit is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from encoders import write_encoder
from monde.agents import Strategy
from monde.cli import main
from monde.costs import LatentDistance
from monde.data import FrameCache, Windows, open_recording
from monde.errors import CacheError, ContractError, MondeError, StoreError, UsageError
from monde.evaluation import PlanConfig, ScoreConfig, plan_run, score_run
from monde.models import load_model
from monde.objectives import ObjectiveConfig
from monde.perception import Backbone, describe_backbone, tokens_name
from monde.planning import RandomShootingConfig, RandomShootingPlanner
from monde.report import build_report
from monde.store import RunFolder, load_artefact
from monde.training import TrainConfig, train
from monde.training.latent_cache import open_or_encode, token_moments
from monde.training.setup import prepare, reopen

CPU = torch.device("cpu")
TOKENS = tokens_name("top")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder") / "e")


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MONDE_CACHE", str(tmp_path / "caches"))
    return tmp_path / "caches"


def config_of(data: Path, run: Path, encoder: Path, **changes: object) -> TrainConfig:
    settings: dict[str, object] = {
        "steps": 4,
        "batch": 8,
        "window": 3,
        "frame": 32,
        "log_seconds": 0.0,
        "device": "cpu",
    }
    settings |= {"precision": "fp32", "backbone": str(encoder), "grid": 2} | changes
    return TrainConfig(data=str(data), run=str(run), **settings)  # type: ignore[arg-type]


def encoded(caches: Path) -> Path:
    """The one file of tokens."""
    (found,) = caches.glob("*/tokens-*/tokens-00.npy")
    return found


def test_tokens_are_cached_once_and_are_those_of_every_frame(recording: Path, encoder: Path, caches: Path) -> None:
    opened = open_recording(recording)
    frames = FrameCache.open_or_build(opened, size=32)
    cameras = tuple(sensor for sensor in frames.sensors if sensor.kind == "rgb")
    config = describe_backbone(str(encoder), frame=32, grid=2)
    told: list[tuple[int, int, str]] = []
    cache = open_or_encode(frames, cameras, config, "float32", CPU, lambda *now: told.append(now))
    assert told[0][:2] == (0, frames.frames)
    assert told[-1][:2] == (frames.frames, frames.frames)
    assert "MiB of tokens, 4 × 16 a frame" in told[0][2]
    pictures = torch.from_numpy(frames.values("top")[-3:].copy()).permute(0, 3, 1, 2)
    np.testing.assert_allclose(cache.values(TOKENS)[-3:], Backbone.load(config)(pictures).numpy(), atol=1e-6)
    cache.verify()
    written = encoded(caches).stat().st_mtime_ns
    told.clear()
    again = open_or_encode(frames, cameras, config, "float32", CPU, lambda *now: told.append(now))
    assert not told
    assert encoded(caches).stat().st_mtime_ns == written
    assert np.array_equal(again.values(TOKENS), cache.values(TOKENS))
    small = open_or_encode(frames, cameras, config, "float16", CPU)
    assert small.values(TOKENS).dtype == np.float16
    np.testing.assert_allclose(small.values(TOKENS), cache.values(TOKENS), atol=2e-3, rtol=1e-3)
    clip = Windows(small, [0], [TOKENS], 3, None).clip(np.array([0, 5]))
    assert clip.stream(TOKENS).values.shape == (2, 3, 2, 2, 16)
    mean, std = token_moments(cache, cameras, (0, 1))
    rows = torch.from_numpy(cache.values(TOKENS)[: cache.offsets[2]].reshape(-1, 16).copy())
    torch.testing.assert_close(mean, rows.mean(0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(std, rows.std(0, unbiased=False), atol=1e-5, rtol=1e-4)


def test_a_flipped_bit_is_noticed_and_mended(recording: Path, encoder: Path, caches: Path, tmp_path: Path) -> None:
    config = config_of(recording, tmp_path / "run", encoder)
    before = prepare(config).cache.values(TOKENS).copy()
    file = encoded(caches)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)
    told: list[int] = []
    after = prepare(config, progress=lambda done, wanted, note: told.append(done)).cache
    assert told
    assert np.array_equal(after.values(TOKENS), before)
    shutil.rmtree(file.parent)
    assert np.array_equal(prepare(config).cache.values(TOKENS), before)


def test_another_encoder_or_grid_has_a_cache_of_its_own(
    recording: Path, encoder: Path, caches: Path, tmp_path: Path
) -> None:
    prepare(config_of(recording, tmp_path / "run", encoder))
    prepare(config_of(recording, tmp_path / "run", encoder, grid=1))
    other = prepare(config_of(recording, tmp_path / "run", write_encoder(tmp_path / "other", "vjepa2")))
    assert len(list(caches.glob("*/tokens-*"))) == 3
    moved = Path(shutil.copytree(encoder, tmp_path / "moved"))
    prepare(config_of(recording, tmp_path / "run", moved))  # the same encoder elsewhere
    assert len(list(caches.glob("*/tokens-*"))) == 3
    assert other.cache.values(TOKENS).shape[1:] == (2, 2, 16)


def test_no_room_and_tokens_that_do_not_fit_are_refused(
    recording: Path, encoder: Path, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = FrameCache.open_or_build(open_recording(recording), size=32)
    cameras = tuple(sensor for sensor in frames.sensors if sensor.kind == "rgb")
    config = describe_backbone(str(encoder), frame=32, grid=2)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=64 * 2**20))
    with pytest.raises(CacheError, match="no room for a frozen encoder's tokens") as caught:
        open_or_encode(frames, cameras, config, "float16", CPU)
    assert "--grid" in str(caught.value.remedy)
    monkeypatch.undo()
    folder = Path(shutil.copytree(encoder, tmp_path / "large"))
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["layernorm.weight"] = weights["layernorm.weight"] * 1e6
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    large = describe_backbone(str(folder), frame=32, grid=2)
    with pytest.raises(CacheError, match="not finite"):
        open_or_encode(frames, cameras, large, "float16", CPU)
    assert not list(caches.glob("*/tokens-*"))
    assert bool(np.isfinite(open_or_encode(frames, cameras, large, "float32", CPU).values(TOKENS)).all())


@pytest.mark.parametrize("family", ["dinov2", "vjepa2"])
def test_train_score_and_plan(recording: Path, family: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    folder = write_encoder(tmp_path / "encoder", family)
    summary = train(config_of(recording, run, folder, steps=30, frame=64, learning_rate=3e-3))
    assert summary.finished
    lines = [json.loads(line) for line in RunFolder(run).metrics.read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert not {"loss/sigreg", "latent/std", "probe/r2", "alarm"} & set(lines[-1])
    names = set(load_artefact(RunFolder(run).latest()).tensors)
    assert {n for n in names if "perception" in n} == {"model.perception.mean", "model.perception.std"}
    model = load_model(run)
    assert float(model.perception.mean.abs().max()) > 0  # type: ignore[union-attr, operator]
    planner, cost = RandomShootingPlanner(RandomShootingConfig(horizon=2, samples=8)), LatentDistance()
    config = ScoreConfig(episodes=2, budget_steps=10, films=1, imaginations=1, decoder_steps=5, device="cpu")
    score = score_run(run, Strategy(planner, cost), config)
    assert {"success", "probe/position/r2", "ranking_tau"} <= {row.metric for row in score.rows}
    assert any(row.metric.startswith("prediction/retrieval_top1") for row in score.rows)
    floors = score["probe/position/rmse"].floors
    assert floors["untrained"] != pytest.approx(score["probe/position/rmse"].value)  # another network than the model's
    planned = plan_run(run, Strategy(planner, cost), PlanConfig(goal="0:10", episodes=2, budget_steps=10, device="cpu"))
    assert "goal_distance_ratio" in {row.metric for row in planned.rows}
    build_report(run)
    assert RunFolder(run).report.stat().st_size > 10_000


def test_a_run_knows_its_encoder(recording: Path, tmp_path: Path) -> None:
    folder, run = write_encoder(tmp_path / "encoder"), tmp_path / "run"
    train(config_of(recording, run, folder, steps=2))
    resumed = train(config_of(recording, run, folder, steps=4), resume=True)
    assert resumed.step == 4
    _, setup = reopen(run)
    assert setup.judged == ("top", TOKENS, "state")
    write_encoder(folder, seed=1)
    with pytest.raises(StoreError, match="another encoder"):
        reopen(run)
    with pytest.raises(UsageError, match="other settings"):
        train(config_of(recording, run, folder, steps=6), resume=True)
    shutil.rmtree(folder)
    with pytest.raises(UsageError, match="there is no encoder"):
        reopen(run)


def test_what_a_frozen_encoder_cannot_do_is_refused(recording: Path, encoder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    attempts: list[tuple[type[MondeError], str, dict[str, object]]] = [
        (UsageError, "learns nothing", {"shift": 0.1}),
        (UsageError, "learns nothing", {"objective": ObjectiveConfig(inverse_weight=1.0)}),
        (UsageError, "that many tokens", {"grid": 5}),
        (ContractError, "cameras only", {"sensors": ("top", "state")}),
    ]
    for error, match, changes in attempts:
        with pytest.raises(error, match=match):
            train(config_of(recording, run, encoder, **changes))
    assert not run.exists()


def test_from_the_command_line(
    recording: Path, encoder: Path, caches: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", str(recording), "--run", str(tmp_path / "run"), "--backbone", str(encoder), "--grid", "2"]
    assert main([*words, "--frame", "32", "--steps", "2", "--batch", "8", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["step"] == 2
    assert f"encoding frames with {encoder}: 0 of" in err
    assert "MiB of tokens" in err
    assert "Loading weights" not in err
    assert main(["train", str(recording), "--backbone", str(tmp_path), "--steps", "2"]) == 2
    assert "is no model folder" in " ".join(capsys.readouterr().err.split())
