"""A real run of a few steps: what it weighs does not matter, what comes of it elsewhere does."""

from pathlib import Path

import pytest

from monde.agents import record
from monde.training import FitActorConfig, TrainConfig, fit_actor, train


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export")
    record("tworoom", out / "recording", episodes=16, steps=20, seed=1, batch=16)
    train(TrainConfig(data=str(out / "recording"), run=str(out / "run"), steps=3, batch=8, precision="fp32"))
    fit_actor(out / "run", FitActorConfig(minutes=None, steps=2))
    return out / "run"
