"""A small real recording, made once."""

from pathlib import Path

import pytest

from monde.agents import record


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data") / "tworoom"
    record("tworoom", out, episodes=64, steps=30, seed=1, batch=64)
    return out
