"""What the untrained encoder told is kept: as a term of the loss, over a resumption, and without changing itself."""

import json
import math
import shutil
from pathlib import Path

import pytest

from monde.errors import ContractError
from monde.objectives import ObjectiveConfig
from monde.store import RunFolder, load_artefact
from monde.training import TrainConfig, train


def config_of(recording: Path, run: Path, steps: int = 6, checkpoint_seconds: float = 60.0) -> TrainConfig:
    return TrainConfig(
        data=str(recording),
        run=str(run),
        steps=steps,
        batch=16,
        window=3,
        log_seconds=0.0,
        checkpoint_seconds=checkpoint_seconds,
        warmup_steps=2,
        precision="fp32",
        device="cpu",
        objective=ObjectiveConfig(kept_weight=1.0),
    )


def test_what_is_kept_is_a_target_that_never_moves_and_goes_on_after_a_stop(recording: Path, tmp_path: Path) -> None:
    train(config_of(recording, tmp_path / "whole"))
    train(config_of(recording, tmp_path / "parts", checkpoint_seconds=0.0))
    parts, whole = RunFolder(tmp_path / "parts"), RunFolder(tmp_path / "whole")
    first = load_artefact(parts.checkpoint(5), "checkpoint").tensors
    shutil.rmtree(parts.checkpoint(6))
    train(config_of(recording, tmp_path / "parts"), resume=True)
    after, straight = (load_artefact(run.checkpoint(6), "checkpoint").tensors for run in (parts, whole))
    assert all(after[name].equal(straight[name]) for name in straight)
    targets = [name for name in first if name.startswith("first.") and name.endswith("weight")]
    assert targets
    assert all(first[name].equal(after[name]) for name in targets)
    assert not any(name.startswith("optimiser.first.") for name in after)
    moved = [name for name in first if name.startswith("model.perception.") and name.endswith("weight")]
    assert not all(first[name].equal(after[name]) for name in moved)
    told = [json.loads(line)["loss/kept"] for line in whole.metrics.read_text().splitlines() if "loss/kept" in line]
    assert told
    assert min(told) > 0


@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_what_is_no_weight_is_refused(weight: float) -> None:
    with pytest.raises(ContractError, match="kept_weight is no weight"):
        ObjectiveConfig(kept_weight=weight)
