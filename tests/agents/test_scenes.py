from pathlib import Path

import numpy as np
import pytest

from monde.agents import record_scenes
from monde.agents.scenes import OBJECT_NAMES, OBJECT_NAMES_3D, SCENE_NAMES_3D
from monde.data import open_recording
from monde.errors import ContractError, DataError, UsageError
from monde.models import load_model
from monde.training import TrainConfig, train
from monde.worlds import scenes3d
from monde.worlds.scenes import SceneConfig, films_of
from monde.worlds.scenes3d import SceneConfig3D, engine

SHORT = SceneConfig(seconds=1.0)
SHORT_3D = SceneConfig3D(seconds=1.0)
needs_renderer = pytest.mark.skipif(engine.backend() is None, reason=f"no renderer: {engine.APT}")


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


@needs_renderer
def test_scenes_in_space_are_recorded_and_resumed(tmp_path: Path) -> None:
    wanted = scenes3d.films_of("all", SHORT_3D, 0, range(4))
    told = ("top", "state", "depth")
    assert record_scenes("all", tmp_path / "a", films=2, space="3d", config=SHORT_3D, sensors=told).new_episodes == 2
    summary = record_scenes("all", tmp_path / "a", films=4, space="3d", config=SHORT_3D, sensors=told)
    assert (summary.world, summary.new_episodes) == ("scenes/3d/all", 2)
    recording = open_recording(tmp_path / "a")
    assert recording.lengths == tuple(len(film.rgb) for film in wanted)
    state = next(sensor for sensor in recording.sensors if sensor.name == "state")
    assert len(state.names) == 3 * len(OBJECT_NAMES_3D) + len(SCENE_NAMES_3D)
    for episode, film in enumerate(wanted):
        clip = recording.read(episode, 0, len(film.rgb))
        assert np.array_equal(clip.stream("top").values[0].numpy(), film.rgb)
        assert np.array_equal(clip.stream("depth").values[0].numpy(), film.depth)
        values = clip.stream("state").values[0].numpy()
        assert np.allclose(values[:, -1], film.gravity)
        first = state.names.index("object1_x_m")
        there = film.present[:, 0]
        assert np.allclose(values[there, first : first + 7], film.poses[there, 0], atol=1e-5)
        camera = np.append(values[0, state.names.index("camera_x_m") :][:3], 1.0)
        assert np.allclose(film.extrinsics @ camera, [0, 0, 0, 1], atol=1e-4)
    with pytest.raises(DataError):
        record_scenes("all", tmp_path / "a", films=5, space="3d", config=SHORT_3D, sensors=told, seed=1)


def test_what_cannot_be_recorded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown kind of scenes 'freee'"):
        record_scenes("freee", tmp_path, films=1)
    with pytest.raises(UsageError, match="films is out of limits"):
        record_scenes("free", tmp_path, films=0)
    with pytest.raises(UsageError, match="seed is out of limits"):
        record_scenes("free", tmp_path, films=1, seed=-1)
    with pytest.raises(ContractError, match="one size and rate"):
        record_scenes("gravity", tmp_path / "x", films=1, config=SceneConfig(rate_hz=10))
    with pytest.raises(UsageError, match="unknown space '4d'"):
        record_scenes("free", tmp_path / "y", films=1, space="4d")
    with pytest.raises(UsageError, match="config is not of this space"):
        record_scenes("free", tmp_path / "y", films=1, space="3d", config=SHORT)
    with pytest.raises(UsageError, match="unknown sensor of scenes 'lidar'"):
        record_scenes("free", tmp_path / "y", films=1, sensors=("lidar",))
    with pytest.raises(ContractError, match="depth of scenes in space only"):
        record_scenes("free", tmp_path / "y", films=1, sensors=("top", "depth"))
    assert not (tmp_path / "y").exists()
