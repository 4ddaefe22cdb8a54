"""Landmarks of a real, barely trained run: kept beside it, bound to it, used by name."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from monde.cli import main
from monde.errors import StoreError, TrainingError, UsageError
from monde.evaluation import describe_strategy
from monde.models import weights_hash
from monde.planning import ChoosingGuide, LandmarkGuide
from monde.recipes import strategy
from monde.scorecard import Scorecard
from monde.store import RunFolder, content_hash, read_json, remove_artefact
from monde.training import FitActorConfig, FitLandmarksConfig, TrainConfig, fit_actor, fit_landmarks, train

QUICK = FitActorConfig(minutes=None, steps=400, frames=16, goals_each=4, recorded=4, hidden=64, depth=2, device="cpu")
FEW = FitLandmarksConfig(landmarks=24, reach_blocks=6.0, least_seen=1, device="cpu")


@pytest.fixture(scope="module")
def run(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "far"
    train(TrainConfig(data=str(recording), run=str(folder), steps=40, batch=32, device="cpu"))
    with pytest.raises(UsageError, match="joined by a learned time"):
        fit_landmarks(folder, FEW)
    fit_actor(folder, QUICK)
    return folder


def test_they_are_made_kept_and_used_by_name(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="needs landmarks"):
        strategy("landmarks", run)
    assert strategy("auto", run, device="cpu").guide is None
    words = ["far", str(run), "--landmarks", "24", "--reach", "6", "--json", str(tmp_path / "far.json")]
    assert main(words) == 0
    assert "landmarks" in capsys.readouterr().out
    document = read_json(tmp_path / "far.json")
    assert document["verb"] == "far"
    led = strategy("landmarks", run, device="cpu")
    assert isinstance(led.guide, LandmarkGuide)
    assert len(led.guide.landmarks) == document["landmarks"]
    assert describe_strategy(led)["guide"] == "landmarks"
    assert isinstance(strategy("auto", run, device="cpu").guide, ChoosingGuide)
    assert strategy("flat", run, device="cpu").guide is None
    assert strategy("hybrid", run, device="cpu").guide is None
    assert strategy("cem", run, device="cpu").guide is None
    told: list[str] = []
    summary = fit_landmarks(run, FEW, lambda done, whole, what: told.append(what))
    assert told[0] == "encoding frames"
    again = fit_landmarks(run, FEW)
    assert torch.equal(again.landmarks.latents, summary.landmarks.latents)
    score = ["plan", str(run), "--planner", "landmarks", "--episodes", "2", "--budget", "10", "--json"]
    assert main([*score, str(tmp_path / "plan.json")]) == 0
    protocol = read_json(tmp_path / "plan.json")["protocol"]
    assert isinstance(protocol, dict)
    assert protocol["planner"]["guide"] == "landmarks"
    # Landmarks of which none is like anything that is seen: that is said, and counted.
    graph, place, head = summary.landmarks, RunFolder(run).landmarks, RunFolder(run).temporal_distance
    remove_artefact(place)
    replace(graph, latents=graph.latents + 1e3).save(place, weights_hash(run), content_hash(head))
    capsys.readouterr()
    assert main([*score, str(tmp_path / "lost.json")]) == 0
    why = "2 of 2: the goal cannot be reached, because what is seen is near nothing that was visited"
    assert f"no way: {why}" in capsys.readouterr().out
    lost = Scorecard.from_json(read_json(tmp_path / "lost.json"))["no_way"]
    assert lost.value == 1.0
    assert lost.note.startswith(why)


def test_those_of_another_model_or_another_distance_are_refused(run: Path, recording: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(run, tmp_path / "run"))
    fit_landmarks(run, FEW)
    kept = tmp_path / "kept"
    RunFolder(run).landmarks.rename(kept)
    fit_actor(run, QUICK)
    kept.rename(RunFolder(run).landmarks)
    assert strategy("landmarks", run, device="cpu").guide is not None  # fitted alike: the same weights
    fit_actor(run, replace(QUICK, steps=1))
    with pytest.raises(StoreError, match="another temporal distance"):
        strategy("landmarks", run, device="cpu")
    other = tmp_path / "other"
    train(TrainConfig(data=str(recording), run=str(other), steps=2, batch=32, seed=5, device="cpu"))
    fit_actor(other, replace(QUICK, steps=1))
    RunFolder(run).landmarks.rename(RunFolder(other).landmarks)
    with pytest.raises(StoreError, match="latents of another model"):
        strategy("auto", other, device="cpu")


def test_memory_for_too_few_landmarks_is_told(run: Path) -> None:
    with pytest.raises(TrainingError, match=r"no two landmarks.*allow more memory than 0\.003 MB, which hold 2"):
        fit_landmarks(run, replace(FEW, most_bytes=3_000, landmarks=500))
    with pytest.raises(UsageError, match="no room for landmarks"):
        fit_landmarks(run, replace(FEW, most_bytes=10))
