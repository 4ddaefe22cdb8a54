"""The verbs of the model: each fast path against the plain one, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from monde.errors import ContractError, StoreError, UsageError
from monde.models import JEPA, lewm, load_model, model_config
from monde.models.config import ModelConfig
from monde.protocols import WorldModel
from monde.store import save_artefact, write_json
from monde.store.typed import from_json, to_json
from monde.types import ActionSpec, Clip, Sensor, Stream

TOP = Sensor(name="top", kind="rgb", shape=(3, 32, 32), rate_hz=10)
STATE = Sensor(name="state", kind="state", shape=(4,), unit="rad", rate_hz=10)
ACTIONS = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=2, dt_seconds=0.1)


def model_of(size: str, sensors: tuple[Sensor, ...] = (TOP,)) -> JEPA:
    torch.manual_seed(0)
    config = model_config(size, sensors, ACTIONS)
    if size == "memory":
        config = replace(config, dynamics=replace(config.dynamics, hidden=24, head=24))
    elif size != "nano":  # the real architecture at a width that tests can afford
        config = replace(
            config,
            perception=replace(config.perception, hidden=24, depth=2, heads=2, latent=16),
            dynamics=replace(config.dynamics, latent=16, hidden=24, depth=2, heads=2, head_width=8),
        )
    model = JEPA(config).eval()
    for parameter in model.dynamics.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model


def clip_of(T: int, sensors: tuple[Sensor, ...] = (TOP,), B: int = 2, seed: int = 0) -> Clip:
    generator = torch.Generator().manual_seed(seed)
    streams = {}
    for sensor in sensors:
        if sensor.kind == "rgb":
            values = torch.randint(0, 256, (B, T, *sensor.shape), dtype=torch.uint8, generator=generator)
        else:
            values = torch.randn(B, T, *sensor.shape, generator=generator)
        streams[sensor.name] = Stream.regular(values, 5)
    actions = Stream.regular(torch.rand(B, T - 1, ACTIONS.width, generator=generator) * 2 - 1, 5) if T > 1 else None
    return Clip(streams, actions)


@pytest.mark.parametrize("size", ["nano", "memory", "tiny"])
@pytest.mark.parametrize("sensors", [(TOP,), (TOP, STATE), (STATE,)], ids=["camera", "camera+state", "state"])
def test_begin_equals_updates(size: str, sensors: tuple[Sensor, ...]) -> None:
    model = model_of(size, sensors)
    assert isinstance(model, WorldModel)
    clip = clip_of(5, sensors)
    whole = model.begin(clip)
    belief = model.begin(clip.window(0, 1))
    assert clip.actions is not None
    for t in range(1, 5):
        belief = model.update(belief, clip.window(t, t + 1), clip.actions.values[:, t - 1])
    actions = torch.rand(2, 3, 4, ACTIONS.width)
    with torch.no_grad():
        torch.testing.assert_close(
            model.imagine(belief, actions).latents, model.imagine(whole, actions).latents, atol=2e-5, rtol=1e-4
        )
    torch.testing.assert_close(belief.times_seconds, whole.times_seconds)


@pytest.mark.parametrize("size", ["nano", "memory", "tiny"])
@torch.no_grad()
def test_imagination_can_be_chained(size: str) -> None:
    """Imagining 3 + 2 blocks through the returned beliefs equals imagining 5."""
    model = model_of(size)
    belief = model.begin(clip_of(3))
    actions = torch.rand(2, 4, 5, ACTIONS.width) * 2 - 1
    for hypotheses in (1, 2):
        whole = model.imagine(belief, actions, hypotheses)
        first = model.imagine(belief, actions[:, :, :3], hypotheses, beliefs=True)
        assert first.beliefs is not None
        assert first.beliefs.batch == 2 * 4 * hypotheses
        if hypotheses > 1:
            continue  # continuing takes the ensemble's mean again, which is another future
        rest = actions[:, :, 3:].reshape(8, 1, 2, -1)
        second = model.imagine(first.beliefs, rest).latents.reshape(2, 4, 1, 2, 1, -1)
        torch.testing.assert_close(torch.cat([first.latents, second], 3), whole.latents, atol=2e-5, rtol=1e-4)
        expected = belief.times_seconds.repeat_interleave(4) + 3 * ACTIONS.block_seconds
        torch.testing.assert_close(first.beliefs.times_seconds, expected)


@torch.no_grad()
@pytest.mark.parametrize("size", ["nano", "memory", "tiny"])
def test_futures_that_are_learned_from_are_those_of_beginning_there(size: str) -> None:
    model, clip = model_of(size), clip_of(8)
    assert clip.actions is not None
    latents, actions = model.encode(clip), clip.actions.values
    found = model.predict(latents, model.normalise(actions), (2, 6), steps=4, alone=(3,))
    torch.testing.assert_close(found.one_step, model.predict(latents, model.normalise(actions)).one_step)
    assert [(roll.seen, roll.latents.shape[1]) for roll in found.rollouts] == [(2, 4), (6, 2), (3, 4)]
    for first, roll in zip((0, 0, 2), found.rollouts, strict=True):
        belief, steps = model.begin(clip.window(first, roll.seen)), roll.latents.shape[1]
        wanted = model.imagine(belief, actions[:, None, roll.seen - 1 : roll.seen - 1 + steps]).latents[:, 0, 0]
        torch.testing.assert_close(roll.latents, wanted, atol=2e-5, rtol=1e-4)
    for starts, told in (((8,), "too short"), ((0, 2), "a frame that was seen")):
        with pytest.raises(ContractError, match=told):
            model.predict(latents, model.normalise(actions), starts)
    each = model.recall_each(latents, actions, (2, 6))
    assert each.batch == 4
    torch.testing.assert_close(each.rows(slice(2, 4)).newest, model.begin(clip.window(0, 6)).newest)
    with pytest.raises(ContractError, match="no such length"):
        model.recall_each(latents, actions, (9,))


def test_a_missing_sample_is_not_read() -> None:
    model = model_of("nano", (TOP, STATE))
    clip = clip_of(2, (TOP, STATE))
    state = clip.stream("state")
    gone = replace(state, valid=torch.zeros_like(state.valid))
    other = replace(gone, values=state.values + 1)
    a = model.encode(replace(clip, streams=dict(clip.streams) | {"state": gone})).values
    b = model.encode(replace(clip, streams=dict(clip.streams) | {"state": other})).values
    torch.testing.assert_close(a, b)
    assert not torch.allclose(a, model.encode(clip).values)


def test_sizes() -> None:
    sensors = (replace(TOP, shape=(3, 224, 224)),)
    with torch.device("meta"):
        tiny = JEPA(model_config("tiny", sensors, ACTIONS.with_block(5)))
        nano = JEPA(model_config("nano", (replace(TOP, shape=(3, 64, 64)),), ACTIONS))
    assert 13e6 < tiny.parameters_total < 17e6  # LeWM's 15 M
    assert nano.parameters_total < 3e6
    model, objective = lewm((TOP,), ACTIONS, "nano")
    assert objective.regulariser == "sigreg"
    assert model.latent == 64
    with pytest.raises(UsageError, match="tiny"):
        model_config("tinny", sensors, ACTIONS)


def test_small_sizes_take_another_encoder() -> None:
    config = model_config("nano", (TOP,), ACTIONS, encoder="focus")
    assert config.perception == replace(model_config("nano", (TOP,), ACTIONS).perception, encoder="focus")
    assert JEPA(config).encode(clip_of(3)).values.shape == (2, 3, 1, 64)
    assert model_config("memory", (TOP,), ACTIONS, encoder="focus") == model_config("memory", (TOP,), ACTIONS)
    with pytest.raises(UsageError, match="way of its own"):
        model_config("tiny", (TOP,), ACTIONS, encoder="conv")


def test_config_survives_json() -> None:
    for size in ("nano", "memory", "tiny"):
        config = model_config(size, (TOP, STATE), ACTIONS)
        document = to_json(config)
        assert from_json(ModelConfig, document) == config
    assert isinstance(document, dict)
    with pytest.raises(StoreError, match="surprise"):
        from_json(ModelConfig, document | {"surprise": 1})
    broken = document | {"actions": {**document["actions"], "block": "two"}}
    with pytest.raises(StoreError, match=r"actions\.block"):
        from_json(ModelConfig, broken)


def test_refusals() -> None:
    model = model_of("nano")
    clip = clip_of(3)
    with pytest.raises(ContractError, match="needs the actions between"):
        model.begin(replace(clip, actions=None))
    with pytest.raises(ContractError, match="another width"):
        model.imagine(model.begin(clip), torch.zeros(2, 1, 1, 3))
    with pytest.raises(ContractError, match="one step at a time"):
        model.update(model.begin(clip), clip, torch.zeros(2, 4))
    with pytest.raises(ContractError, match="another shape"):
        model.encode(Clip({"top": Stream.regular(torch.zeros(1, 1, 3, 16, 16, dtype=torch.uint8), 5)}))
    with pytest.raises(ContractError, match="must be uint8"):
        model.encode(Clip({"top": Stream.regular(torch.zeros(1, 1, 3, 32, 32), 5)}))
    with pytest.raises(ContractError, match="unknown sensor 'top'"):
        model.encode(Clip({"side": Stream.regular(torch.zeros(1, 1, 3, 32, 32, dtype=torch.uint8), 5)}))


def save_run(run: Path, model: JEPA) -> Path:
    write_json(run / "run.json", {"model": to_json(model.config)})
    checkpoint = run / "checkpoints" / "step-00000001"
    save_artefact(checkpoint, "checkpoint", {f"model.{n}": t for n, t in model.state_dict().items()}, {})
    return checkpoint / "tensors.safetensors"


@torch.no_grad()
def test_load_model(tmp_path: Path) -> None:
    model = model_of("nano")
    save_run(tmp_path / "run", model)
    clip = clip_of(2)
    torch.testing.assert_close(load_model(tmp_path / "run").encode(clip).values, model.encode(clip).values)


def test_load_refuses_what_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not a run"):
        load_model(tmp_path)
    path = save_run(tmp_path / "bits", model_of("nano"))
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match="altered"):
        load_model(tmp_path / "bits")
    path.write_bytes(b"\x80\x04\x95pickled")
    with pytest.raises(StoreError, match="a pickle"):
        load_model(tmp_path / "bits")
    small, large = model_of("nano"), model_of("nano", (replace(TOP, shape=(3, 64, 64)),))
    save_run(tmp_path / "shape", small)
    # 32 and 64 pixels differ by one convolution: other keys
    write_json(tmp_path / "shape" / "run.json", {"model": to_json(large.config)})
    with pytest.raises(StoreError, match="missing"):
        load_model(tmp_path / "shape")
    wider = replace(small.config, dynamics=replace(small.config.dynamics, hidden=128))
    write_json(tmp_path / "shape" / "run.json", {"model": to_json(wider)})
    with pytest.raises(StoreError, match=r"tensor 'dynamics\..*does not fit"):
        load_model(tmp_path / "shape")
