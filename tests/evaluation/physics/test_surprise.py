"""Surprise is what it says: errors of the model's own predictions at the frames that they were made for."""

import numpy as np
import pytest
import torch

from monde.dynamics.base import NEGLIGIBLE
from monde.errors import ContractError, DataError
from monde.evaluation.physics import SurpriseConfig, judging, surprise
from monde.evaluation.physics.beliefs import Seen, encode_films
from monde.models import JEPA, initialised, model_config
from monde.types import ActionSpec, Clip, Latents, Sensor, Stream
from monde.worlds.scenes import make_pairs

RATE = 20.0


def a_model(block: int = 2, size: str = "memory") -> JEPA:
    camera = Sensor(name="top", kind="rgb", shape=(3, 64, 64), rate_hz=RATE)
    actions = ActionSpec(unactuated=True, dt_seconds=1 / RATE, block=block)
    model = initialised(model_config(size, (camera,), actions), seed=0).eval()
    with torch.no_grad():
        for parameter in model.dynamics.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return model


def some_films(n: int = 2, frames: int = 13) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, frames, 3, 64, 64), dtype=np.uint8)


def clip_of(film: np.ndarray) -> Clip:
    T = len(film)
    times = torch.arange(T, dtype=torch.float64)[None] / 10
    values = torch.from_numpy(np.ascontiguousarray(film))[None]
    return Clip({"top": Stream(values, times, torch.ones(1, T, dtype=torch.bool))})


@torch.no_grad()
def error_at(model: JEPA, film: np.ndarray, frame: int, horizon: int, steps: int | None) -> float:
    """The plain path: begin with what was seen, imagine, encode what came."""
    block = model.actions.block
    last = frame - horizon * block
    seen = film[last % block : last + 1 : block]
    seen = seen if steps is None else seen[-steps:]
    clip = clip_of(seen)
    belief = model.begin(clip)
    imagined = model.imagine(belief, torch.zeros(1, 1, horizon, 0)).latents[0, 0, 0, -1]
    came = model.encode(clip_of(film[frame : frame + 1])).values[0, 0]
    return float((imagined - came).square().mean().sqrt())


@pytest.mark.parametrize("size", ["memory", "nano"])
def test_each_frame_is_judged_by_the_prediction_made_for_it(size: str) -> None:
    model, films = a_model(size=size), some_films()
    found = surprise(model, films, RATE, SurpriseConfig(horizons=(1, 2), moments=(2,)))
    for horizon, frame in ((1, 2), (1, 9), (2, 8), (2, 12)):
        whole = error_at(model, films[1], frame, horizon, None)
        assert found.surprisals[horizon][1, frame] == pytest.approx(np.log(whole + NEGLIGIBLE), abs=1e-3)
        if frame - horizon * 2 >= 2:  # two steps were seen
            brief = error_at(model, films[1], frame, horizon, 2)
            ratio = (whole + NEGLIGIBLE) / (brief + NEGLIGIBLE)
            assert found.contrasts[horizon, 2][1, frame] == pytest.approx(np.log(ratio), abs=1e-3)
    assert np.isnan(found.surprisals[2][:, :4]).all()
    assert np.isfinite(found.surprisals[2][:, 4:]).all()


def test_a_film_has_one_number_and_nothing_depends_on_the_batch() -> None:
    model, films = a_model(), some_films(3)
    together = surprise(model, films, RATE, SurpriseConfig(horizons=(1, 3), moments=(1,)))
    alone = surprise(model, films[2:], RATE, SurpriseConfig(horizons=(1, 3), moments=(1,), batch=1))
    assert together.curve.shape == (3, 13)
    assert together.of_film.shape == (3,)
    np.testing.assert_allclose(together.curve[2], alone.curve[0], atol=1e-5)
    assert np.abs(together.curve).max() > 1e-3


def test_without_a_past_memory_makes_no_difference() -> None:
    found = surprise(a_model(block=1), some_films(1, 6), RATE, SurpriseConfig(horizons=(1,), moments=(1, 2)))
    assert found.contrasts[1, 1][0, 1] == pytest.approx(0, abs=1e-6)
    assert abs(found.contrasts[1, 1][0, 4]) > 1e-4


def test_what_is_not_finite_is_not_taken_for_nothing_to_tell() -> None:
    model = a_model()
    with torch.no_grad():
        next(model.dynamics.parameters()).fill_(float("nan"))
    with pytest.raises(DataError, match="not finite"):
        surprise(model, some_films(), RATE)


def test_films_that_cannot_be_judged_are_refused() -> None:
    model = a_model()
    with pytest.raises(DataError, match="shorter than the context"):
        surprise(model, some_films(1, 4), RATE)
    with pytest.raises(DataError, match="rate"):
        surprise(model, some_films(), 25.0)
    with pytest.raises(ContractError, match="another size"):
        surprise(model, np.zeros((1, 13, 3, 32, 64), dtype=np.uint8), RATE)
    camera = Sensor(name="top", kind="rgb", shape=(3, 64, 64), rate_hz=RATE)
    acting = initialised(model_config("nano", (camera,), ActionSpec(low=(-1.0,), high=(1.0,), dt_seconds=0.05)), 0)
    with pytest.raises(ContractError, match="no actions"):
        surprise(acting.eval(), some_films(), RATE)
    with pytest.raises(ContractError, match="empty"):
        SurpriseConfig(horizons=())


def a_model_of_things() -> JEPA:
    camera = Sensor(name="top", kind="rgb", shape=(3, 64, 64), rate_hz=RATE)
    actions = ActionSpec(unactuated=True, dt_seconds=1 / RATE).with_block(4)
    return initialised(model_config("things", (camera,), actions), 0).eval()


@torch.no_grad()
def test_contrasts_of_things_are_likelihoods_at_their_own_horizons() -> None:
    model, films = a_model_of_things(), make_pairs("permanence", "easy", 1, seed=1).films[0]
    found = surprise(model, films, RATE)
    assert {k for k, _ in found.contrasts} == set(judging(model).horizons) == {1, 2, 3, 4, 5}
    latents = encode_films(model, films[:, ::4])
    T = latents.values.shape[1]
    assert T == 8
    whole = model.recall_each(latents, latents.values.new_zeros(4, T - 1, 0), (6,))
    last = model.recall(
        Latents(latents.values[:, 5:6], latents.times_seconds[:, 5:6]), latents.values.new_zeros(4, 0, 0)
    )
    foreseen = [
        model.imagine(belief, latents.values.new_zeros(4, 1, 2, 0)).latents[:, 0, 0, 1] for belief in (whole, last)
    ]
    remembering, forgetful = (model.dynamics.surprisal(told, latents.values[:, 7]) for told in foreseen)
    expected = remembering - forgetful + model.dynamics.excess(foreseen[0], latents.values[:, 7])
    np.testing.assert_allclose(found.contrasts[2, 1][:, 28], expected, atol=1e-3)


def test_models_that_see_alike_look_once() -> None:
    model, films = a_model_of_things(), make_pairs("inertia", "easy", 1, seed=1).films[0]
    see = Seen(alike=True)
    assert see(model, films[:, ::4]) is see(model, films[:, ::4].copy())
    assert see(model, films[:, ::4]) is not see(model, films[:, 1::4])
    np.testing.assert_array_equal(surprise(model, films, RATE, see=see).curve, surprise(model, films, RATE).curve)
    apart = Seen(alike=False)
    assert apart(model, films[:, ::4]) is not apart(model, films[:, ::4])
