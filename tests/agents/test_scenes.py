from pathlib import Path

import numpy as np
import pytest

from monde.agents import record_scenes
from monde.agents.scenes import OBJECT_NAMES
from monde.data import open_recording
from monde.errors import ContractError, DataError, UsageError
from monde.models import load_model
from monde.training import TrainConfig, train
from monde.worlds.scenes import SceneConfig, films_of

SHORT = SceneConfig(seconds=1.0)


def test_scenes_are_recorded_and_resumed(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    summary = record_scenes("all", tmp_path / "a", films=5, config=SHORT, progress=lambda *now: told.append(now))
    assert (summary.episodes, summary.new_episodes) == (5, 5)
    assert told[-1] == (5, 5)
    assert record_scenes("all", tmp_path / "a", films=8, config=SHORT).new_episodes == 3
    record_scenes("all", tmp_path / "b", films=8, config=SHORT)
    first, second = open_recording(tmp_path / "a"), open_recording(tmp_path / "b")
    wanted = films_of("all", SHORT, 0, range(8))
    assert first.lengths == second.lengths == tuple(len(film.rgb) for film in wanted)
    state = next(sensor for sensor in first.sensors if sensor.name == "state")
    assert len(state.names) == 3 * len(OBJECT_NAMES) + 1
    for episode, film in enumerate(wanted):
        for recording in (first, second):
            clip = recording.read(episode, 0, len(film.rgb))
            assert np.array_equal(clip.stream("top").values[0].numpy(), film.rgb)
            values = clip.stream("state").values[0].numpy()
            assert np.allclose(values[:, -1], film.gravity)
            x = values[:, state.names.index("object1_x_px")]
            assert np.allclose(x[film.present[:, 0]], film.position[film.present[:, 0], 0, 0], atol=1e-4)
            assert not values[:, len(OBJECT_NAMES) * film.objects : -1].any()
    with pytest.raises(DataError):
        record_scenes("all", tmp_path / "a", films=9, config=SHORT, seed=1)


def test_a_model_learns_from_scenes_without_actions(tmp_path: Path) -> None:
    record_scenes("free", tmp_path / "data", films=12, config=SHORT)
    train(TrainConfig(data=str(tmp_path / "data"), run=str(tmp_path / "run"), steps=3, batch=8, block=1))
    assert load_model(tmp_path / "run").actions.unactuated


def test_what_cannot_be_recorded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown kind of scenes 'freee'"):
        record_scenes("freee", tmp_path, films=1)
    with pytest.raises(UsageError, match="films is out of limits"):
        record_scenes("free", tmp_path, films=0)
    with pytest.raises(UsageError, match="seed is out of limits"):
        record_scenes("free", tmp_path, films=1, seed=-1)
    with pytest.raises(ContractError, match="one size and rate"):
        record_scenes("gravity", tmp_path / "x", films=1, config=SceneConfig(rate_hz=10))
