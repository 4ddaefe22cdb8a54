"""Published LeWM: the names and shapes of two packages, both ways, and the verbs of the imported model."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from monde.dynamics.lewm_predictor import LewmPredictor
from monde.errors import ContractError, StoreError, UsageError
from monde.models import JEPA, check_model, export_lewm, import_lewm, lewm, save_lewm
from monde.models.config import ModelConfig
from monde.models.lewm_names import LAYOUTS, Layout, modern
from monde.protocols import WorldModel
from monde.store.typed import from_json, to_json
from monde.types import ActionSpec, Clip, Sensor, Stream

GOLDEN = json.loads((Path(__file__).parent / "lewm_layouts.json").read_text())
TOP = Sensor(name="top", kind="rgb", shape=(3, 16, 16), rate_hz=10)
ACTIONS = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=5, dt_seconds=0.1)
HEADS = {"encoder_heads": 2, "predictor_heads": 2}


def theirs(layout: Layout, seed: int = 0) -> dict[str, Tensor]:
    """Random tensors with the names and shapes that the package's own model has."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {n: 0.3 * torch.randn(shape, generator=generator) for n, shape in GOLDEN[layout].items()}
    for name in tensors:
        if name.endswith("running_var"):
            tensors[name] = tensors[name].abs() + 0.5
        elif name.endswith("num_batches_tracked"):
            tensors[name] = torch.tensor(0)
    return tensors


def imported(layout: Layout, tensors: dict[str, Tensor] | None = None, camera: Sensor = TOP) -> JEPA:
    return import_lewm(tensors or theirs(layout), layout, camera=camera, actions=ACTIONS, **HEADS)


def clip_of(T: int, side: int = 16, B: int = 2) -> Clip:
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (B, T, 3, side, side), dtype=torch.uint8, generator=generator)
    blocks = torch.rand(B, T - 1, ACTIONS.width, generator=generator) * 2 - 1
    return Clip({"top": Stream.regular(frames, 2)}, Stream.regular(blocks, 2) if T > 1 else None)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_their_tensors_survive_the_round_trip(layout: Layout) -> None:
    given = theirs(layout)
    back = export_lewm(imported(layout, given), layout)
    assert {name: list(tensor.shape) for name, tensor in back.items()} == GOLDEN[layout]
    for name, tensor in back.items():
        if not name.startswith("sigreg."):  # theirs to train with: written as a fresh model has them
            assert torch.equal(tensor, given[name]), name


@pytest.mark.parametrize("layout", LAYOUTS)
@torch.no_grad()
def test_our_model_survives_the_round_trip(layout: Layout, tmp_path: Path) -> None:
    model = imported(layout)
    save_lewm(model, tmp_path / "weights.safetensors", layout)
    again = import_lewm(tmp_path, layout, camera=TOP, actions=ACTIONS, **HEADS)
    assert again.config == model.config
    clip, actions = clip_of(3), torch.rand(2, 3, 4, ACTIONS.width)
    assert torch.equal(again.encode(clip).values, model.encode(clip).values)
    assert torch.equal(
        again.imagine(again.begin(clip), actions).latents, model.imagine(model.begin(clip), actions).latents
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_verbs_agree(layout: Layout) -> None:
    model = imported(layout)
    assert isinstance(model, WorldModel)
    assert check_model(model, steps=5, horizon=5) == []
    config = from_json(ModelConfig, to_json(model.config))
    assert config == model.config
    assert JEPA(config).state_dict().keys() == model.state_dict().keys()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("history", [1, 2, 3, 5])
@torch.no_grad()
def test_imagination_equals_the_windowed_predictor(layout: Layout, history: int) -> None:
    """Shared history and kept keys change nothing: each step is one teacher-forced pass over the last frames."""
    model = imported(layout)
    clip, S, H, W = clip_of(history), 3, 5, 3
    actions = torch.rand(2, S, H, ACTIONS.width) * 2 - 1
    found = model.imagine(model.begin(clip), actions).latents[:, :, 0]
    past = torch.zeros(2, 0, ACTIONS.width) if clip.actions is None else clip.actions.values
    for s in range(S):
        z, taken = model.encode(clip).values, torch.cat([past, actions[:, s]], dim=1)
        for h in range(H):
            end = history + h
            window = slice(max(0, end - W), end)
            z = torch.cat([z, model.dynamics(z[:, window], taken[:, window])[0, :, -1:]], dim=1)
        torch.testing.assert_close(found[:, s], z[:, history:], atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_a_long_clip_is_predicted_window_by_window() -> None:
    model = imported("stable-worldmodel")
    z, actions = torch.randn(2, 6, 1, 16), torch.randn(2, 6, ACTIONS.width)
    whole = model.dynamics(z, actions)[0]
    assert whole.shape == z.shape
    for t in range(6):
        window = slice(max(0, t - 2), t + 1)
        torch.testing.assert_close(whole[:, t], model.dynamics(z[:, window], actions[:, window])[0, :, -1])


@torch.no_grad()
def test_histories_of_several_lengths_share_a_batch() -> None:
    model = imported("torch-world")
    short, long = model.begin(clip_of(1, B=1)), model.begin(clip_of(3, B=1))
    both = replace(
        short,
        latents=torch.cat([short.latents, long.latents]),
        valid=torch.cat([short.valid, long.valid]),
        memory=tuple(torch.cat(pair) for pair in zip(short.memory, long.memory)),
        times_seconds=torch.cat([short.times_seconds, long.times_seconds]),
    )
    actions = torch.rand(2, 3, 4, ACTIONS.width)
    apart = [model.imagine(belief, actions[i : i + 1]).latents for i, belief in enumerate((short, long))]
    torch.testing.assert_close(model.imagine(both, actions).latents, torch.cat(apart), atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_imagination_can_be_chained() -> None:
    model = imported("stable-worldmodel")
    belief, actions = model.begin(clip_of(2)), torch.rand(2, 3, 5, ACTIONS.width)
    first = model.imagine(belief, actions[:, :, :2], beliefs=True)
    assert first.beliefs is not None
    second = model.imagine(first.beliefs, actions[:, :, 2:].flatten(0, 1)[:, None]).latents
    whole = model.imagine(belief, actions).latents
    torch.testing.assert_close(second.reshape(2, 3, 1, 3, 1, -1), whole[:, :, :, 2:], atol=2e-5, rtol=1e-4)
    with pytest.raises(ContractError, match="hypotheses"):
        model.imagine(belief, actions, hypotheses=2)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_weight_is_trained(layout: Layout) -> None:
    model = imported(layout).train()
    clip = clip_of(4, B=4)
    assert clip.actions is not None
    latents = model.encode(clip)
    target = latents.values[:, 1:]
    predicted = model.predict(latents, model.normalise(clip.actions.values)).one_step
    (predicted - target).square().mean().backward()
    without = [name for name, weight in model.named_parameters() if weight.grad is None or not bool(weight.grad.any())]
    assert without == []
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert any(not torch.equal(before[name], weight) for name, weight in model.named_parameters())


@torch.no_grad()
def test_actions_are_standardised_with_given_moments() -> None:
    plain, mean, std = imported("torch-world"), torch.arange(10.0), torch.full((10,), 2.0)
    scaled = import_lewm(
        theirs("torch-world"), "torch-world", camera=TOP, actions=ACTIONS, action_mean=mean, action_std=std, **HEADS
    )
    belief, actions = plain.begin(clip_of(1)), torch.randn(2, 3, 4, 10)
    expected = plain.imagine(belief, actions).latents
    torch.testing.assert_close(scaled.imagine(belief, actions * std + mean).latents, expected, atol=1e-4, rtol=1e-4)
    for moments in ({"action_std": torch.zeros(10)}, {"action_mean": torch.zeros(3)}):
        with pytest.raises(ContractError, match=next(iter(moments))):
            import_lewm(theirs("torch-world"), "torch-world", camera=TOP, actions=ACTIONS, **moments, **HEADS)


@torch.no_grad()
def test_frames_of_another_size() -> None:
    """Learned positions are interpolated (theirs, bicubic), fixed ones made anew."""
    for layout in LAYOUTS:
        large = imported(layout, camera=replace(TOP, shape=(3, 32, 24)))
        clip = Clip({"top": Stream.regular(torch.zeros(1, 1, 3, 32, 24, dtype=torch.uint8), 2)})
        assert large.encode(clip).values.shape == (1, 1, 1, 16)
        for name, tensor in export_lewm(large, layout).items():
            assert list(tensor.shape) == GOLDEN[layout][name]
    with pytest.raises(ContractError, match="whole number of patches"):
        imported("torch-world", camera=replace(TOP, shape=(3, 20, 20)))


@torch.no_grad()
def test_a_missing_frame_is_not_read() -> None:
    model, clip = imported("stable-worldmodel"), clip_of(2)
    stream = clip.stream("top")
    gone = replace(stream, valid=torch.tensor([[True, False]] * 2))
    found = model.encode(replace(clip, streams={"top": gone})).values
    assert torch.equal(found[:, 0], model.encode(clip).values[:, 0])
    assert not found[:, 1].any()


def drop(tensors: dict[str, Tensor], name: str) -> None:
    del tensors[name]


def widen(tensors: dict[str, Tensor], name: str) -> None:
    tensors[name] = torch.cat([tensors[name], tensors[name]])


def spoil(tensors: dict[str, Tensor], name: str) -> None:
    tensors[name].view(-1)[0] = torch.nan


def add(tensors: dict[str, Tensor], name: str) -> None:
    tensors[name + "_2"] = torch.zeros(1)


@pytest.mark.parametrize("damage", [drop, widen, spoil, add])
@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("stable-worldmodel", "predictor.transformer.layers.1.attn.to_out.0.weight"),
        ("stable-worldmodel", "encoder.layers.0.attention.k_proj.bias"),
        ("torch-world", "encoder.vit.transformer.norm.bias"),
        ("torch-world", "pred_proj.1.running_mean"),
    ],
)
def test_damaged_weights_are_refused(
    damage: Callable[[dict[str, Tensor], str], None], layout: Layout, name: str
) -> None:
    tensors = theirs(layout)
    damage(tensors, name)
    with pytest.raises(StoreError, match=re.escape(name)):
        imported(layout, tensors)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    for layout, other in (LAYOUTS, LAYOUTS[::-1]):
        with pytest.raises(StoreError, match="layout of the package"):
            imported(other, theirs(layout))
        with pytest.raises(ContractError, match=f"not built as the LeWM of {other}"):
            export_lewm(imported(layout), other)
    with pytest.raises(UsageError, match="torch-world"):
        export_lewm(imported("torch-world"), "torch-wrld")
    with pytest.raises(ContractError, match="another width"):
        import_lewm(theirs("torch-world"), "torch-world", camera=TOP, actions=ACTIONS.with_block(1), **HEADS)
    with pytest.raises(ContractError, match="predictor_heads"):
        import_lewm(theirs("torch-world"), "torch-world", camera=TOP, actions=ACTIONS, predictor_heads=3)
    with pytest.raises(ContractError, match="only LeWM as published"):
        export_lewm(lewm((TOP,), ACTIONS, "nano")[0])
    with pytest.raises(ContractError, match="one camera"):
        imported("torch-world", camera=Sensor(name="state", kind="state", shape=(16,), rate_hz=10))
    dynamics = imported("torch-world").dynamics
    assert isinstance(dynamics, LewmPredictor)
    with pytest.raises(ContractError, match="one token"):
        dynamics(torch.zeros(1, 2, 2, 16), torch.zeros(1, 2, 10))


def test_files(tmp_path: Path) -> None:
    tensors = theirs("stable-worldmodel")
    arguments = {"camera": TOP, "actions": ACTIONS}
    expected = imported("stable-worldmodel").state_dict()
    folder = tmp_path / "published"
    folder.mkdir()
    with pytest.raises(StoreError, match="one file of weights"):
        import_lewm(folder, **arguments)
    torch.save(tensors, folder / "weights.pt")
    (folder / "config.json").write_text(json.dumps({"encoder": {"size": "large"}, "predictor": {"heads": 2}}))
    model = import_lewm(folder, encoder_heads=2, **arguments)  # what is given goes before what is read
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in expected.items())
    assert import_lewm(folder, **arguments).config != model.config
    torch.save({"epoch": 3, "state_dict": tensors}, tmp_path / "trainer.pt")
    with pytest.raises(StoreError, match="more than tensors"):
        import_lewm(tmp_path / "trainer.pt", **arguments)
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pt")
    with pytest.raises(StoreError, match="can run any code"):
        import_lewm(tmp_path / "model.pt", **arguments)
    save_file(tensors, tmp_path / "weights.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "weights.safetensors").read_bytes()[:-9])
    with pytest.raises(StoreError, match=r"cut\.safetensors cannot be read"):
        import_lewm(tmp_path / "cut.safetensors", **arguments)
    with pytest.raises(StoreError, match="does not exist"):
        import_lewm(tmp_path / "none.pt", **arguments)


def test_names_of_an_older_transformers() -> None:
    """The weights on the hub were written with version 4 (the authors' load_weights.py)."""
    old = {
        "encoder.encoder.layer.0.attention.attention.query.weight": "encoder.layers.0.attention.q_proj.weight",
        "encoder.encoder.layer.11.attention.attention.key.bias": "encoder.layers.11.attention.k_proj.bias",
        "encoder.encoder.layer.1.attention.attention.value.bias": "encoder.layers.1.attention.v_proj.bias",
        "encoder.encoder.layer.1.attention.output.dense.weight": "encoder.layers.1.attention.o_proj.weight",
        "encoder.encoder.layer.1.intermediate.dense.bias": "encoder.layers.1.mlp.fc1.bias",
        "encoder.encoder.layer.1.output.dense.bias": "encoder.layers.1.mlp.fc2.bias",
        "encoder.encoder.layer.1.layernorm_before.bias": "encoder.layers.1.layernorm_before.bias",
    }
    assert {name: modern(name) for name in old} == old
    assert all(modern(name) == name for name in GOLDEN["stable-worldmodel"])
