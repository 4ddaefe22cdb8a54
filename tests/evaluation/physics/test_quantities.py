from pathlib import Path

import numpy as np
import pytest
import torch

from monde.agents import record_scenes
from monde.agents.scenes_telling import OBJECT_NAMES_3D, SCENE_NAMES_3D
from monde.data import open_recording
from monde.errors import ContractError, DataError
from monde.evaluation.physics.beliefs import beliefs_along, encode_films
from monde.evaluation.physics.quantities import QuantitiesConfig, look_at, score_quantities
from monde.evaluation.physics.told import QUANTITIES, Told, told
from monde.models import JEPA, initialised, model_config
from monde.protocols import Recording
from monde.types import ActionSpec, Sensor
from monde.worlds.scenes import SceneConfig

CAMERA = Sensor(name="top", kind="rgb", shape=(3, 64, 64), rate_hz=20.0)
NOBODY = ActionSpec(low=(), high=(), block=4, dt_seconds=0.05, unactuated=True)
FILMS = 60


def model(seed: int) -> JEPA:
    return initialised(model_config("memory", (CAMERA,), NOBODY), seed).eval()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    out = tmp_path_factory.mktemp("free") / "films"
    record_scenes("free", out, films=FILMS, config=SceneConfig(seconds=2.0, objects=(1, 2)))
    return open_recording(out)


def states(recording: Recording, episode: int) -> Told:
    clip = recording.read(episode, 0, recording.lengths[episode], ("state",))
    return told(recording.sensors, clip.stream("state").values[0].double().numpy(), 8)


def test_quantities_are_asked_for_only_where_they_could_be_known(recording: Recording) -> None:
    asked = dict.fromkeys(QUANTITIES, 0)
    for episode in range(FILMS):
        film = states(recording, episode)
        count = int(film.each("present")[0].sum())
        for name, quantity in QUANTITIES.items():
            answer = quantity.of(film)
            if answer is None:
                continue
            truth, where = answer
            asked[name] += int(where.sum())
            assert len(truth) == len(where) == 40
            if name == "depth_order":
                assert count == 2
                nearer = int(np.argmin(film.each("depth_order")[0]))
                assert (truth[where] == float(nearer == np.argmax(film.each("radius_px")[0]))).all()
            elif name != "contact":
                assert count == 1
            if name in {"friction", "restitution", "gravity"}:
                assert not where[:7].any(), "nothing can be known of it before the context"
            if name == "friction":
                assert film.gravity()[0] > 0 or not where.any()
            if name == "restitution" and where.any():
                assert film.touches()[: int(where.argmax())].any()
    assert min(asked.values()) > 0, asked


def test_in_space_the_camera_is_no_object() -> None:
    names = (*(f"object{k}_{name}" for k in (1, 2) for name in OBJECT_NAMES_3D), *SCENE_NAMES_3D)
    film = Told(names, np.arange(len(names), dtype=np.float64)[None], 8)
    wide = len(OBJECT_NAMES_3D)
    assert film.each("x_m").tolist() == [[1, 1 + wide]]
    assert film.vector("velocity", 1).tolist() == [[wide + 8, wide + 9, wide + 10]]
    away = (np.arange(1, 4) + wide - np.arange(3) - 2 * wide) @ (np.arange(3, 6) + 2 * wide)
    assert film.nearness(1).tolist() == [away]


def test_readouts_are_scored_beside_their_floors(recording: Recording) -> None:
    config = QuantitiesConfig(mlp=False, least_films=3)
    score = score_quantities(model(0), model(0), recording, range(44), range(44, FILMS), config)
    rows = {row.metric: row for row in score.rows}
    learned = {metric.removeprefix("learned/"): rows.pop(metric) for metric in list(rows) if "learned/" in metric}
    assert {f"quantity/{name}" for name in {*learned, *score.missing}} == {f"quantity/{name}" for name in QUANTITIES}
    assert set(rows) == {f"quantity/{name}" for name in learned}
    assert {row.value for row in learned.values()} == {0}
    assert {"quantity/position", "quantity/contact"} <= set(rows)
    for row in rows.values():
        assert row.value == pytest.approx(row.floors["untrained"]), "both are the same network here"
        assert row.interval is not None
        assert row.interval[0] <= row.value <= row.interval[1]
    assert 0 <= rows["quantity/contact"].value <= 1
    assert "area under" in rows["quantity/contact"].note


def test_features_are_those_of_the_frames_that_are_asked_for(recording: Recording) -> None:
    network = model(0)
    looked = look_at(network, model(1), recording, [3], QuantitiesConfig(context=3))[0]
    clip = recording.read(3, 0, 40, ("top", "state"))
    frames = clip.stream("top").values.numpy()
    assert looked.frames.tolist() == list(range(8, 40, 4))
    for row, frame in enumerate(looked.frames):
        last = [frames[0, max(0, frame - 4 * back)] for back in range(4)]
        small = np.stack([f.reshape(3, 8, 8, 8, 8).mean((2, 4)) for f in last])
        assert np.allclose(looked.features["pixels"][row].numpy(), small.reshape(-1), atol=1e-3)
        plain = beliefs_along(network, encode_films(network, frames[:, : frame + 1 : 4]))[0, -1]
        assert torch.allclose(looked.features["belief"][row], plain, atol=1e-5)
        touched = states(recording, 3).each("touches_surroundings")[frame - 3 : frame + 1].max(axis=0)
        assert (looked.told.each("touches_surroundings")[frame] == touched).all()


def test_a_quantity_that_nothing_tells_is_named(recording: Recording) -> None:
    score = score_quantities(
        model(0), model(1), recording, range(12), range(12, 16), QuantitiesConfig(mlp=False, least_films=20)
    )
    assert score.rows == ()
    assert set(score.missing) == set(QUANTITIES)


def test_what_cannot_be_read_is_refused(recording: Recording, tmp_path: Path) -> None:
    networks = model(0), model(1)
    with pytest.raises(DataError, match="judged on that readouts were fitted on"):
        score_quantities(*networks, recording, range(4), range(3, 6))
    with pytest.raises(DataError, match="long enough for the context"):
        score_quantities(*networks, recording, range(4), range(4, 6), QuantitiesConfig(context=30))
    with pytest.raises(ContractError, match="out of limits"):
        QuantitiesConfig(context=0)
    with pytest.raises(DataError, match="does not tell what its objects are"):
        told((CAMERA,), np.zeros((2, 3)), 4)
