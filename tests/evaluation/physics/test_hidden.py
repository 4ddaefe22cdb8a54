from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from monde.errors import ContractError, DataError
from monde.evaluation.physics.beliefs import beliefs_along, encode_films, imagined_belief
from monde.evaluation.physics.hidden import (
    BELIEF,
    CONSTANT_VELOCITY,
    FRAMEWISE,
    IMAGINED,
    LAST_SEEN,
    UNTRAINED,
    UNTRAINED_IMAGINED,
    HiddenConfig,
    read_places,
    rows_of,
    score_hidden,
    sights,
)
from monde.models import JEPA, ModelConfig, initialised, model_config
from monde.types import ActionSpec, Sensor
from monde.worlds.minimal_pairs.timing import Span
from monde.worlds.scenes import HiddenFilm, hidden_films

CAMERA = Sensor(name="top", kind="rgb", shape=(3, 64, 64), rate_hz=20.0)
NOBODY = ActionSpec(low=(), high=(), block=4, dt_seconds=0.05, unactuated=True)
CONFIG = model_config("memory", (CAMERA,), NOBODY)


def model(seed: int, config: ModelConfig = CONFIG) -> JEPA:
    return initialised(config, seed).eval()


def films(split: str, n: int) -> Iterator[HiddenFilm]:
    for event in ("bounce", "none"):
        yield from hidden_films(event, 0.5, range(n), 1, split=split)


def test_the_belief_at_the_judged_frame_is_the_one_after_the_frames_before_it() -> None:
    made = hidden_films("flight", 0.5, [0], 0)[0]
    network = model(0)
    seen = sights(network, model(1), [made], HiddenConfig())
    phase = made.judged % 4
    shown = made.film.rgb[None, phase : made.judged + 1 : 4]
    latents = encode_films(network, shown)
    plain = beliefs_along(network, latents)[:, -1]
    assert torch.allclose(seen.judged[BELIEF], plain, atol=1e-5)
    assert torch.allclose(seen.judged[FRAMEWISE], latents.values[:, -1, 0], atol=1e-5)
    # Imagined: whatever the frames from the first hidden one on show, it is not looked at.
    dark = made.film.rgb.copy()
    dark[made.hidden.start :] = 0
    changed = sights(network, model(1), [replace(made, film=replace(made.film, rgb=dark))], HiddenConfig())
    for imagined in (IMAGINED, UNTRAINED_IMAGINED):
        assert torch.equal(changed.judged[imagined], seen.judged[imagined])
    assert not torch.allclose(changed.judged[BELIEF], seen.judged[BELIEF], atol=1e-3)
    before = latents.values.shape[1] - 3  # 10 hidden frames: the last three steps
    past = replace(latents, values=latents.values[:, :before], times_seconds=latents.times_seconds[:, :before])
    assert torch.allclose(seen.judged[IMAGINED], imagined_belief(network, past, 3), atol=1e-5)


def test_floors_are_what_they_are_called() -> None:
    made = hidden_films("bounce", 0.5, range(4), 0)
    judged = sights(model(0), model(1), made, HiddenConfig())
    truth = np.stack([film.film.position[film.judged, 0] for film in made])
    last = np.stack([film.film.position[film.hidden.start - 1, 0] for film in made])
    speed = np.stack([film.film.velocity[film.hidden.start - 1, 0] for film in made])
    wide = 2 * np.array([film.film.radius[0] for film in made])
    places = judged.floors() | dict.fromkeys((BELIEF, IMAGINED, UNTRAINED, UNTRAINED_IMAGINED, FRAMEWISE), truth)
    rows = {row.metric: row for row in rows_of(judged, places, 0)}
    row = rows["error_diameters/0.5"]
    assert row.value == 0
    assert rows["skill/0.5"].value == 1
    stayed = np.linalg.norm(last - truth, axis=1) / wide
    went_on = np.linalg.norm(last + 0.5 * speed - truth, axis=1) / wide
    assert row.floors[LAST_SEEN] == pytest.approx(np.median(stayed))
    assert row.floors[CONSTANT_VELOCITY] == pytest.approx(np.median(went_on))
    assert rows["skill/0.5"].floors[LAST_SEEN] == pytest.approx(1 - np.median(stayed) / np.median(went_on))
    assert rows["skill/0.5/bounce"].n == 4
    # Who imagines is compared with who imagines.
    apart = rows_of(judged, places | {UNTRAINED_IMAGINED: last}, 0)
    floors = {row.metric: row.floors for row in apart}["error_diameters/0.5/imagined"]
    assert floors[UNTRAINED] == floors[LAST_SEEN] > 0
    assert FRAMEWISE not in floors


def test_a_readout_that_is_told_the_truth_makes_no_error_and_rows_are_kept_apart() -> None:
    learned, judged = (sights(model(0), model(1), films(split, 3), HiddenConfig()) for split in ("train", "test"))
    truth = torch.from_numpy(judged.truth).float()

    def fit(features: Tensor, values: Tensor) -> object:
        assert len(features) == len(values)
        assert bool(((values > -8) & (values < 72)).all())
        return lambda rows: truth

    rows = {row.metric: row for row in rows_of(judged, read_places(learned, judged, fit), 0)}  # type: ignore[arg-type]
    assert rows["error_diameters/0.5"].value == pytest.approx(0, abs=1e-5)
    assert rows["error_diameters/0.5/none"].n == 3
    assert rows["error_diameters/0.5/none"].floors[CONSTANT_VELOCITY] == pytest.approx(0, abs=1e-6)
    assert "skill/0.5/none" not in rows
    assert rows["skill/0.5/imagined"].value == pytest.approx(1, abs=1e-5)
    assert rows["error_diameters/0.5"].n == 3


def test_an_untrained_network_is_scored_from_end_to_end() -> None:
    rows = score_hidden(model(0), model(0), films("train", 4), films("test", 3))
    found = {row.metric: row for row in rows}
    row = found["error_diameters/0.5"]
    assert row.value == pytest.approx(row.floors[UNTRAINED])
    assert 0 < row.value < 12


def test_what_cannot_be_judged_is_refused() -> None:
    made = hidden_films("none", 0.5, [0], 0)[0]
    networks = model(0), model(1)
    with pytest.raises(DataError, match="nothing to judge"):
        sights(*networks, [], HiddenConfig())
    with pytest.raises(DataError, match="shorter than the context"):
        sights(*networks, [made], HiddenConfig(context=9))
    with pytest.raises(DataError, match="nothing is hidden"):
        sights(*networks, [replace(made, hidden=Span(made.hidden.start, made.hidden.start + 2))], HiddenConfig())
    with pytest.raises(ContractError, match="out of limits"):
        HiddenConfig(context=0)
    acted = replace(NOBODY, low=(-1.0,), high=(1.0,), unactuated=False)
    with pytest.raises(ContractError, match="told no actions"):
        sights(model(0, model_config("memory", (CAMERA,), acted)), networks[1], [made], HiddenConfig())
    forgetful = model_config("nano", (CAMERA,), NOBODY)
    with pytest.raises(ContractError, match="constant size"):
        sights(model(0, forgetful), networks[1], [made], HiddenConfig())
    slow = replace(NOBODY, dt_seconds=0.033)
    with pytest.raises(DataError, match="does not fit the model's step"):
        sights(model(0, model_config("memory", (CAMERA,), slow)), networks[1], [made], HiddenConfig())
