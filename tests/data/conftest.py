"""Small recordings, really written."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from monde.data import EpisodeData, RecordingWriter
from monde.types import ActionSpec, Sensor

SENSORS = (
    Sensor(name="top", kind="rgb", shape=(3, 12, 16), rate_hz=10.0),
    Sensor(name="state", kind="state", shape=(2,), unit="px", rate_hz=10.0, names=("x", "y")),
    Sensor(name="load", kind="state", shape=(1,), unit="N", rate_hz=10.0),
    Sensor(name="map", kind="tokens", shape=(2, 3, 4), rate_hz=10.0),
)
ACTIONS = ActionSpec(low=(-1.0, -2.0), high=(1.0, 2.0), dt_seconds=0.1, names=("dx", "dy"))


def episode(length: int, seed: int = 0, task: str = "go", sensors: Sequence[Sensor] = SENSORS) -> EpisodeData:
    rng = np.random.default_rng([seed, length])
    values = {
        sensor.name: rng.integers(0, 256, (length, *sensor.shape), dtype=np.uint8)
        if sensor.kind == "rgb"
        else rng.normal(size=(length, *sensor.shape)).astype(np.float32)
        for sensor in sensors
    }
    times = np.cumsum(rng.uniform(0.09, 0.11, length))
    return EpisodeData(values, times, rng.uniform(-1, 1, (length - 1, 2)).astype(np.float32), task)


@pytest.fixture(scope="session")
def make_episode() -> Callable[..., EpisodeData]:
    return episode


@pytest.fixture(scope="session")
def open_writer() -> Callable[..., RecordingWriter]:
    def opened(root: Path, **changes: object) -> RecordingWriter:
        parts: dict[str, object] = {"sensors": SENSORS, "actions": ACTIONS, "source": {"world": "test", "seed": 0}}
        return RecordingWriter(root, **(parts | changes))  # type: ignore[arg-type]

    return opened


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., list[EpisodeData]]:
    def made(root: Path, *batches: Sequence[int]) -> list[EpisodeData]:
        """One append per batch of lengths; returns what was written."""
        written: list[EpisodeData] = []
        with RecordingWriter(root, sensors=SENSORS, actions=ACTIONS, source={"world": "test", "seed": 0}) as writer:
            for lengths in batches:
                part = [episode(length, seed=len(written) + i) for i, length in enumerate(lengths)]
                writer.append(part)
                written += part
        return written

    return made


@pytest.fixture(autouse=True)
def _no_cache_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONDE_CACHE", raising=False)
