"""Real recordings from end to end: a WidowX arm (RLDS), films of a fixed camera, and a humanoid (LeRobot v2.1)."""

import json
from pathlib import Path

import pytest

from monde.cli import main
from monde.data import check_dataset, open_recording
from monde.data.arrays import ArrayRecording
from monde.data.fingerprint import episode_hashes
from monde.data.lerobot.reader import LeRobotRecording
from monde.evaluation import ScoreConfig, score_run
from monde.recipes import strategy
from monde.scorecard import Scorecard
from monde.training import TrainConfig, train
from monde.training.setup import prepare


@pytest.fixture
def real(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real recordings; caches stay out of them."""
    monkeypatch.setenv("MONDE_CACHE", str(tmp_path / "cache"))
    return shared_data


def found(real: Path, name: str) -> Path:
    if not (real / name).exists():
        pytest.skip(f"{name} is not in {real}")
    return real / name


def judged(run: Path) -> Scorecard:
    chosen = strategy("cem")
    return score_run(run, chosen, ScoreConfig(decoder_steps=5, imaginations=1))


def test_bridge_is_checked_trained_on_and_scored(real: Path, tmp_path: Path) -> None:
    data = found(real, "bridge-octo-debug")
    recording = open_recording(data)
    assert isinstance(recording, ArrayRecording)
    assert recording.lengths == (10,) * 50
    hashes = episode_hashes(recording)
    held = {split: {hashes[episode] for episode in part} for split, part in recording.splits.items()}
    assert held["train"] == held["val"]  # the same 25 episodes, in another order
    findings = check_dataset(recording)
    assert [f.level for f in findings if f.code == "split-leak" and "'train' and 'val'" in f.what] == ["error"]
    assert ["5 Hz is assumed" in f.what for f in findings if f.code == "rate-assumed"] == [True]

    run = tmp_path / "run"
    train(
        TrainConfig(
            data=str(data), run=str(run), steps=20, batch=16, frame=32, block=1, sensors=("image_0",), rate_hz=5.0
        )
    )
    card = judged(run)
    metrics = {row.metric: row for row in card.rows}
    assert any(name.startswith("prediction/retrieval_top1/") for name in metrics)
    assert any(name.startswith("probe/state/") for name in metrics)


def test_a_film_is_learned_from_without_actions(real: Path, tmp_path: Path) -> None:
    data = found(real, "intel-sample-videos/car-detection.mp4")
    config = TrainConfig(data=str(data), run=str(tmp_path / "run"), steps=8, batch=8, frame=32, step_seconds=0.16)
    setup = prepare(config)
    learned, held_out = (setup.recording.read(i, 0, n) for i, n in enumerate(setup.recording.lengths))
    camera = setup.model.sensors[0].name
    gap = float(held_out.stream(camera).times_seconds[0, 0] - learned.stream(camera).times_seconds[0, -1])
    assert gap > config.window * 0.16  # no window of the one reaches into the other
    train(config)
    metrics = {row.metric for row in judged(tmp_path / "run").rows}
    assert any(name.startswith("prediction/") for name in metrics)
    assert not [name for name in metrics if "action" in name or "success" in name]


def test_the_humanoid_opens_with_what_is_there(real: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = found(real, "lerobot-g1-bottle")
    recording = open_recording(data)
    assert isinstance(recording, LeRobotRecording)
    there = [10, 20, 24, 28, 29, 30, 31, 59, 63, 82]
    assert [recording.original_episode(i) for i in range(len(recording.lengths))] == there
    assert recording.absent == tuple(sorted(set(range(100)) - set(there)))
    assert recording.actions is not None
    assert recording.actions.dim == 26
    clip = recording.read(9, 3, 5)
    assert {stream.steps for stream in clip.streams.values()} == {2}
    assert "90 absent" in repr(recording)
    main(["check", str(data), "--json", "-", "--quiet"])
    told = json.loads(capsys.readouterr().out)
    (absent,) = [finding for finding in told["findings"] if finding["code"] == "absent"]
    assert absent["figures"] == {"absent": 90, "present": 10}
