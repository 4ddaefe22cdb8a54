"""A real run of a few steps: what it weighs does not matter, what comes of it elsewhere does."""

from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest

from monde.agents import record
from monde.training import FitActorConfig, TrainConfig, fit_actor, train
from tests.export.hub_server import Hub, serving


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export")
    record("tworoom", out / "recording", episodes=16, steps=20, seed=1, batch=16)
    train(TrainConfig(data=str(out / "recording"), run=str(out / "run"), steps=3, batch=8, precision="fp32"))
    fit_actor(out / "run", FitActorConfig(minutes=None, steps=2))
    return out / "run"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as served:
        monkeypatch.setenv("HF_ENDPOINT", served.endpoint)
        monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        # The other way of uploading speaks to a storage service of its own.
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
        yield served
