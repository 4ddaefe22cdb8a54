"""Goals are reached at any speed: heads see them as the picture of a goal shows them, standing."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from monde.agents import record
from monde.cli import main
from monde.cli.standing import standing_pairs
from monde.data import Windows
from monde.errors import UsageError
from monde.models import load_model
from monde.training import (
    FitActorConfig,
    FitLandmarksConfig,
    GoalShares,
    TrainConfig,
    clone_recording,
    fit_actor,
    fit_landmarks,
    train,
)
from monde.training.actor import fit_heads
from monde.training.far.landmarks import make_landmarks
from monde.training.frame_latents import encode_frames
from monde.training.setup import reopen

STANDING = (("before", "top"),)
QUICK = FitActorConfig(minutes=None, steps=60, frames=16, goals_each=4, recorded=4, hidden=32, depth=2, device="cpu")
STILL = replace(QUICK, goals=GoalShares(standing=STANDING))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reacher")
    record("reacher", folder / "recording", episodes=16, steps=40, seed=1, batch=16)
    train(TrainConfig(data=str(folder / "recording"), run=str(folder / "run"), steps=4, batch=16, device="cpu"))
    return folder / "run"


def test_a_goal_shows_in_both_pictures_what_stands_there(run: Path) -> None:
    model, (_, setup) = load_model(run), reopen(run)
    frames = encode_frames(model, setup, standing=dict(STANDING))
    start = frames.first.unique()
    torch.testing.assert_close(frames.goals[start], frames.latents[start])  # at rest: `before` shows the start too
    moving = start + 20
    assert not torch.allclose(frames.goals[moving], frames.latents[moving], atol=1e-4)
    clip = Windows(setup.cache, setup.split.train, ["top", "before"], 1, model.actions).clip(np.array([20]))
    clip = replace(clip, streams={"top": clip.stream("top"), "before": clip.stream("top")})
    torch.testing.assert_close(frames.goals[20], model.encode(clip).values[0, 0], atol=1e-4, rtol=1e-4)
    plain = encode_frames(model, setup)
    assert plain.goals is plain.latents
    with pytest.raises(UsageError, match="cannot stand"):
        encode_frames(model, setup, standing={"before": "side"})


def test_heads_and_landmarks_are_fitted_on_goals_that_stand(run: Path) -> None:
    model, (_, setup) = load_model(run).requires_grad_(False), reopen(run)
    frames = encode_frames(model, setup, standing=dict(STANDING))
    moving = fit_heads(model, replace(frames, standing=None), QUICK)
    still = fit_heads(model, frames, QUICK)
    pairs = zip(moving.actor.parameters(), still.actor.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs)
    fit_actor(run, STILL)
    settings = FitLandmarksConfig(
        landmarks=8, reach_blocks=25, radius_blocks=0.1, least_seen=1, standing=STANDING, device="cpu"
    )
    found = make_landmarks(frames, still.distance.distance, settings)
    assert torch.equal(found.landmarks.latents, frames.goals[found.frames])
    assert len(fit_landmarks(run, settings).landmarks) > 1
    one, other = clone_recording(run, QUICK), clone_recording(run, STILL)
    assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_the_verbs_take_what_stands(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "run"
    shutil.copytree(run, mine)
    assert main(["actor", str(mine), "--minutes", "0.05", "--standing", "before=top", "--device", "cpu"]) == 0
    levels = ["far", str(mine), "--landmarks", "0", "--levels", "2", "--span", "2", "--minutes", "0.02"]
    assert main([*levels, "--standing", "before=top", "--device", "cpu"]) == 0
    # What is told reaches what sees the frames: a sensor that there is not is refused by each.
    for words in (["actor", str(mine)], ["far", str(mine)], levels):
        capsys.readouterr()
        assert main([*words, "--standing", "before=side"]) == 2
        assert "goals cannot stand" in capsys.readouterr().err
    for word in ("before", "before=", "before=top=side"):
        assert main(["far", str(mine), "--standing", word]) == 2
        assert "--standing cannot be understood" in capsys.readouterr().err
    assert standing_pairs(("before=top", "old=new")) == (("before", "top"), ("old", "new"))
    with pytest.raises(UsageError, match="cannot be understood"):
        standing_pairs(("before=top", "before=side"))
