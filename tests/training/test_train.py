"""Training survives what happens to long runs, refuses what would ruin them, and is the same every time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from monde.errors import MondeError, StoreError, TrainingError, UsageError
from monde.models import load_model
from monde.store import RunFolder, load_artefact
from monde.training import TrainConfig, TrainProgress, train
from monde.training.guard import check_clip
from monde.types import Clip, Stream


def config_of(data: Path, run: Path, **changes: object) -> TrainConfig:
    config = TrainConfig(
        data=str(data), run=str(run), steps=6, batch=8, window=3, frame=32, log_seconds=0.0, precision="fp32",
        device="cpu",
    )  # fmt: skip
    return replace(config, **changes)  # type: ignore[arg-type]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return dict(load_artefact(RunFolder(run).latest()).tensors)


def assert_equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert set(a) == set(b)
    different = [name for name in a if not torch.equal(a[name], b[name])]
    assert not different, different


def test_train_writes_a_run(recording: Path, tmp_path: Path) -> None:
    seen: list[TrainProgress] = []
    summary = train(config_of(recording, tmp_path / "run"), progress=seen.append)
    assert summary.finished
    assert summary.step == 6
    run = RunFolder(tmp_path / "run")
    lines = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    assert [line["step"] for line in lines] == sorted({line["step"] for line in lines})
    assert lines[-1]["step"] == 6
    for name in ("loss/prediction", "loss/sigreg", "latent/effective_rank", "probe/r2", "frames_per_second"):
        assert name in lines[-1], name
    assert seen[-1].done == 1
    assert list(run.tensorboard.glob("events.*"))
    config = run.read_config()
    assert config["data"]
    assert {"commit", "machine", "split", "model"} <= set(config)
    model = load_model(run.root)
    assert not model.training
    assert float((model.action_std - 1).abs().max()) > 0.1  # measured from the data, not left at 1


def test_resume_is_bit_exact(recording: Path, tmp_path: Path) -> None:
    train(config_of(recording, tmp_path / "whole", warmup_steps=2))
    train(config_of(recording, tmp_path / "parts", warmup_steps=2, steps=6, checkpoint_seconds=0.0))
    run = RunFolder(tmp_path / "parts")
    shutil.rmtree(run.checkpoint(6))  # as if it had been killed before the last interval was written
    assert run.steps() == [5]
    summary = train(config_of(recording, tmp_path / "parts", warmup_steps=2), resume=True)
    assert summary.step == 6
    assert_equal(weights(tmp_path / "whole"), weights(tmp_path / "parts"))
    steps = [json.loads(line)["step"] for line in run.metrics.read_text().splitlines()]
    assert steps == sorted(set(steps))


SCRIPT = """
import sys
from pathlib import Path
from monde.training import TrainConfig, train
config = TrainConfig(data=sys.argv[1], run=sys.argv[2], steps=int(sys.argv[3]), batch=8, window=3, frame=32,
                     log_seconds=0.0, checkpoint_seconds=float(sys.argv[4]), precision="fp32", device="cpu")
print(train(config, resume=True).step)
"""


def start(data: Path, run: Path, steps: int, checkpoint_seconds: float) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", SCRIPT, str(data), str(run), str(steps), str(checkpoint_seconds)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


def wait_for_steps(run: RunFolder, worker: subprocess.Popen[str], wanted: int) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if run.metrics.exists() and len(run.metrics.read_text().splitlines()) >= wanted:
            return
        assert worker.poll() is None, worker.communicate()
        time.sleep(0.02)
    raise TimeoutError(f"no {wanted} steps within the deadline")


def test_kill_loses_at_most_the_last_interval(recording: Path, tmp_path: Path) -> None:
    """kill -9 in mid-run, several times over: what is there loads, and the end is the end of an undisturbed run."""
    run = RunFolder(tmp_path / "killed")
    for wanted in (3, 8):
        worker = start(recording, run.root, 24, 0.0)
        try:
            wait_for_steps(run, worker, wanted)
        finally:
            worker.kill()
            worker.communicate()
        logged = json.loads(run.metrics.read_text().splitlines()[-1].split("\n")[0])["step"]
        assert run.steps(), "no checkpoint survived"
        assert run.steps()[-1] >= logged - 2
        load_artefact(run.latest())
    worker = start(recording, run.root, 24, 0.0)
    output, errors = worker.communicate(timeout=120)
    assert output.strip() == "24", errors
    undisturbed = start(recording, tmp_path / "undisturbed", 24, 1000.0)
    output, errors = undisturbed.communicate(timeout=120)
    assert output.strip() == "24", errors
    assert_equal(weights(run.root), weights(tmp_path / "undisturbed"))
    assert not list(run.checkpoints.glob(".incomplete-*")) or len(run.steps()) <= 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_leave_a_loadable_checkpoint(recording: Path, tmp_path: Path, number: signal.Signals) -> None:
    run = RunFolder(tmp_path / "run")
    worker = start(recording, run.root, 100_000, 1000.0)
    try:
        wait_for_steps(run, worker, 2)
        worker.send_signal(number)
        output, errors = worker.communicate(timeout=60)
    finally:
        worker.kill()
    assert worker.returncode == 0, errors
    assert run.steps() == [int(output)]
    assert load_model(run.root).latent == 64


def test_an_existing_run_is_not_touched(recording: Path, tmp_path: Path) -> None:
    config = config_of(recording, tmp_path / "run", steps=1)
    train(config)
    before = weights(tmp_path / "run")
    with pytest.raises(UsageError, match="holds a run already"):
        train(config)
    with pytest.raises(UsageError, match=r"other settings.*train\.batch was 8, is 16"):
        train(replace(config, batch=16), resume=True)
    assert_equal(before, weights(tmp_path / "run"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="is not a run"):
        train(replace(config, run=str(tmp_path / "mine")))


def test_a_finished_run_has_nothing_left_to_do(recording: Path, tmp_path: Path) -> None:
    config = config_of(recording, tmp_path / "run", steps=2)
    train(config)
    before = weights(tmp_path / "run")
    summary = train(config, resume=True)
    assert (summary.step, summary.finished) == (2, True)
    assert_equal(before, weights(tmp_path / "run"))


def test_nan_in_the_loss_stops_before_weights_change(recording: Path, tmp_path: Path) -> None:
    config = config_of(recording, tmp_path / "run", steps=3, checkpoint_seconds=0.0)
    train(config)
    good = weights(tmp_path / "run")
    with pytest.raises(TrainingError, match=r"(loss|gradient) is not finite.*windows.*episode"):
        train(config_of(recording, tmp_path / "bad", steps=50, learning_rate=1e30, warmup_steps=1, log_seconds=1e3))
    # What was saved when it stopped still loads: nothing that is not finite reached the weights.
    for name, tensor in weights(tmp_path / "bad").items():
        assert bool(torch.isfinite(tensor.float()).all()), name
    assert_equal(good, weights(tmp_path / "run"))


def test_nan_in_the_data_names_stream_and_row() -> None:
    values = torch.zeros(3, 2, 4)
    values[1, 0, 2] = float("nan")
    clip = Clip({"state": Stream.regular(values, 10)})
    with pytest.raises(TrainingError, match=r"'state'.*row 1 of batch 7"):
        check_clip(clip, lambda: "batch 7")
    stream = Stream.regular(values, 10)
    nowhere = replace(stream, valid=torch.zeros_like(stream.valid))
    check_clip(Clip({"state": nowhere}), lambda: "padding is not read")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minutes": 0.0, "steps": None}, "--minutes 4"),
        ({"steps": None}, "budget"),
        ({"steps": 0}, "no steps"),
        ({"sensors": ("front",)}, "unknown sensor 'front'"),
        ({"size": "huge"}, "unknown size 'huge'"),
        ({"frame": 30, "size": "tiny"}, "divides"),
        ({"window": 40}, "long enough"),
        ({"device": "cuda:9"}, "cannot be used here"),
        ({"window": 1}, "nothing to predict"),
    ],
)
def test_refusals(recording: Path, tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(MondeError, match=message):
        train(config_of(recording, tmp_path / "run", **changes))
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_with_a_flipped_bit_is_refused_on_resume(recording: Path, tmp_path: Path) -> None:
    config = config_of(recording, tmp_path / "run", steps=2)
    train(config)
    path = RunFolder(tmp_path / "run").latest() / "tensors.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    with pytest.raises(StoreError, match="altered"):
        train(replace(config, steps=4), resume=True)


def test_learning_happens(recording: Path, tmp_path: Path) -> None:
    """A hundred steps on a tiny recording: the state is read far better than from the untrained network."""
    train(config_of(recording, tmp_path / "run", steps=120, batch=32, window=4, warmup_steps=10, log_seconds=2.0))
    lines = [json.loads(line) for line in RunFolder(tmp_path / "run").metrics.read_text().splitlines()]
    last = [line for line in lines if "probe/r2" in line][-1]
    assert last["probe/r2"] > 0.8 > last["probe/untrained_r2"]
    assert last["latent/effective_rank"] > 4
    assert np.isfinite(last["loss"])
