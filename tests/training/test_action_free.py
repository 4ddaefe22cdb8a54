"""Learning without actions: from films that have none, and with recorded actions left out."""

from pathlib import Path

import numpy as np
import pytest
import torch

from monde.data import EpisodeData, RecordingWriter, Segments, open_recording, read_blocks
from monde.errors import ContractError, DataError, UsageError
from monde.evaluation import PlanConfig, ScoreConfig, plan_run, score_run
from monde.models import load_model
from monde.recipes import strategy
from monde.training import TrainConfig, train
from monde.training.setup import prepare, reopen
from monde.types import ActionSpec, Sensor

TOP = Sensor(name="top", kind="rgb", shape=(3, 32, 32), rate_hz=10)


def film(frames: int, seed: int) -> EpisodeData:
    """A square that goes round in 16 frames."""
    start = np.random.default_rng(seed).integers(16)
    pictures = np.full((frames, 3, 32, 32), 40, dtype=np.uint8)
    for t in range(frames):
        angle = 2 * np.pi * (start + t) / 16
        y, x = int(14 + 10 * np.sin(angle)), int(14 + 10 * np.cos(angle))
        pictures[t, :, y : y + 4, x : x + 4] = 220
    return EpisodeData({"top": pictures}, np.arange(frames) / 10, None)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several films without actions."""
    root = tmp_path_factory.mktemp("films") / "data"
    with RecordingWriter(root, sensors=(TOP,), actions=None, source={}) as writer:
        writer.append([film(60, seed) for seed in range(6)])
    return root


def test_a_film_is_learned_and_scored_without_actions(films: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(TrainConfig(data=str(films), run=str(run), steps=60, batch=32, frame=32, step_seconds=0.2))
    model = load_model(run)
    assert model.actions.unactuated
    assert (model.actions.block, model.actions.width) == (2, 0)
    clip = read_blocks(open_recording(films), model.actions, 0, 0, 3)
    future = model.imagine(model.begin(clip), torch.empty(1, 1, 4, 0))
    assert future.latents.shape[3] == 4
    chosen = strategy("cem")
    card = score_run(run, chosen, ScoreConfig(decoder_steps=5, imaginations=1))
    metrics = {row.metric for row in card.rows}
    assert "prediction/retrieval_top1/0.4s" in metrics
    assert not [metric for metric in metrics if "action" in metric or "success" in metric]
    # The square's way is a function of its place and direction: imagination must find it and copying cannot.
    found = card["prediction/retrieval_top1/0.4s"]
    assert found.value > found.floors["copy_last"] + 0.3
    with pytest.raises(UsageError, match="without actions"):
        plan_run(run, chosen, PlanConfig(world="tworoom", episodes=1))


def test_one_film_is_held_out_in_time(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "data", sensors=(TOP,), actions=None, source={}) as writer:
        writer.append([film(200, 0)])
    config = TrainConfig(data=str(tmp_path / "data"), run=str(tmp_path / "run"), steps=2, batch=8, frame=32, block=2)
    setup = prepare(config)
    assert setup.recording.lengths == (200 - 20 - 4 * 2, 20)
    ends = [setup.recording.read(i, 0, n).stream("top").times_seconds for i, n in enumerate(setup.recording.lengths)]
    assert float(ends[1][0, 0] - ends[0][0, -1]) == pytest.approx(0.9)  # no window reaches over
    train(config)
    _, again = reopen(tmp_path / "run")
    assert again.recording.fingerprint == setup.recording.fingerprint
    with pytest.raises(ContractError, match="Segments"):
        Segments(open_recording(tmp_path / "data"), [(0, 100, 300)])
    with pytest.raises(DataError, match="too short"):
        prepare(TrainConfig(data=str(tmp_path / "data"), run="x", steps=1, frame=32, block=60))


def test_recorded_actions_can_be_left_out(tmp_path: Path) -> None:
    spec = ActionSpec(low=(-1.0,), high=(1.0,), dt_seconds=0.1)
    with RecordingWriter(tmp_path / "data", sensors=(TOP,), actions=spec, source={}) as writer:
        for seed in range(3):
            plain = film(30, seed)
            writer.append([EpisodeData(plain.values, plain.times_seconds, np.zeros((29, 1), np.float32))])
    config = TrainConfig(data=str(tmp_path / "data"), run=str(tmp_path / "run"), steps=2, batch=8, frame=32, block=2)
    assert prepare(config).model.actions.width == 2
    bare = TrainConfig(
        data=config.data, run=config.run, steps=2, batch=8, frame=32, block=2, action_free=True, folds=3, fold=1
    )
    setup = prepare(bare)
    assert setup.model.actions.width == 0
    assert len(setup.split.held_out) == 1
    clip = setup.train.clip(np.array([0, 1]))
    assert clip.actions is not None
    assert clip.actions.values.shape == (2, 3, 0)
    train(bare)
    assert load_model(tmp_path / "run").actions.unactuated


@pytest.mark.parametrize(
    "change",
    [{"step_seconds": 0.0}, {"step_seconds": float("nan")}, {"folds": 1}, {"folds": 5, "fold": 5}],
)
def test_settings_that_make_no_training(change: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        TrainConfig(data="d", run="r", steps=1, **change)  # type: ignore[arg-type]  # what is refused is the point


def test_a_step_shorter_than_the_recordings(films: Path) -> None:
    with pytest.raises(UsageError, match="shorter"):
        prepare(TrainConfig(data=str(films), run="x", steps=1, frame=32, step_seconds=0.01))
