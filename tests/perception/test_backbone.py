"""Frozen encoders say what their own package makes them say, and nothing else is loaded in their place."""

import json
from dataclasses import replace
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from transformers import AutoModel

from encoders import FAMILIES, MEAN, STD, write_encoder
from monde.errors import ContractError, StoreError, UsageError
from monde.perception import Backbone, FrozenPerception, describe_backbone, find_again, tokens_name
from monde.types import Clip, Sensor, Stream

TOP = Sensor(name="top", kind="rgb", shape=(3, 32, 32), rate_hz=10)


def frames_of(count: int, side: int = 32) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_tokens_are_those_of_the_encoders_own_package(family: str, tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "encoder", family)
    config = describe_backbone(str(folder), frame=32, grid=4)
    assert (config.patches, config.latent, config.family) == (4, 16, family)
    frames = frames_of(35)  # more than one batch
    found = Backbone.load(config)(frames)
    theirs = AutoModel.from_pretrained(folder).eval()
    shown = (frames.double() / 255 - torch.tensor(MEAN).reshape(3, 1, 1)) / torch.tensor(STD).reshape(3, 1, 1)
    if family == "vjepa2":
        expected = theirs.get_vision_features(torch.stack([shown.float(), shown.float()], dim=1))
    else:
        extra = 1 + (getattr(theirs.config, "num_register_tokens", 0) or 0)
        expected = theirs(pixel_values=shown.float()).last_hidden_state[:, extra:]
    assert found.shape == (35, 4, 4, 16)
    torch.testing.assert_close(found.flatten(1, 2), expected, atol=1e-5, rtol=1e-5)
    assert float(found.std(0).mean()) > 0.01  # frames are told apart
    pooled = Backbone.load(replace(config, grid=2))(frames)
    corners = found.reshape(35, 2, 2, 2, 2, 16).mean((2, 4))
    torch.testing.assert_close(pooled, corners, atol=1e-5, rtol=1e-5)


def test_the_first_row_of_tokens_sees_the_top_of_the_frame(tmp_path: Path) -> None:
    encoder = Backbone.load(describe_backbone(str(write_encoder(tmp_path / "e")), frame=32, grid=4))
    dark = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    lit = dark.clone()
    lit[:, :, :8, 8:16] = 255
    change = (encoder(lit) - encoder(dark)).norm(dim=-1)[0]
    assert int(change.argmax()) == 1


def test_frames_of_another_side_are_resized_and_never_enlarged_beyond_a_patch(tmp_path: Path) -> None:
    folder = str(write_encoder(tmp_path / "e"))
    assert [describe_backbone(folder, frame=f, grid=1).side for f in (8, 20, 32, 224)] == [8, 24, 32, 32]
    encoder = Backbone.load(describe_backbone(folder, frame=224, grid=4))
    frames = frames_of(2, 64)
    wanted = torch.nn.functional.interpolate(
        frames.float(), (32, 32), mode="bicubic", align_corners=False, antialias=True
    ).clamp(0, 255)
    wanted = (wanted / 255 - torch.tensor(MEAN).reshape(3, 1, 1)) / torch.tensor(STD).reshape(3, 1, 1)
    torch.testing.assert_close(encoder.preprocess(frames), wanted)
    with pytest.raises(ContractError, match="uint8"):
        encoder(frames.float())
    with pytest.raises(UsageError, match="smaller --grid"):
        describe_backbone(folder, frame=20, grid=4)
    video = str(write_encoder(tmp_path / "v", "vjepa2"))
    assert describe_backbone(video, frame=20, grid=4).side == 32  # it knows one size only


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "e")
    config = describe_backbone(str(folder), frame=32, grid=4)
    assert find_again(config).folder == folder
    write_encoder(folder, seed=1)
    with pytest.raises(StoreError, match="another encoder"):
        Backbone.load(config)
    preprocessing = folder / "preprocessor_config.json"
    write_encoder(folder, seed=0)
    assert find_again(config).hash() == config.weights
    preprocessing.write_text(preprocessing.read_text().replace("0.485", "0.5"))
    with pytest.raises(StoreError, match="another encoder"):  # shown frames otherwise, it says something else
        find_again(config)


def test_what_is_no_encoder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no model folder"):
        describe_backbone(str(tmp_path / "empty"), frame=32, grid=4)
    with pytest.raises(UsageError, match="there is no encoder"):
        describe_backbone(str(tmp_path / "absent"), frame=32, grid=4)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UsageError, match="cannot be fetched now"):
        describe_backbone("nobody/nothing", frame=32, grid=4)


def test_pickles_are_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "e")
    weights = folder / "model.safetensors"
    torch.save({"a": torch.zeros(1)}, folder / "pytorch_model.bin")
    describe_backbone(str(folder), frame=32, grid=4)
    weights.unlink()
    with pytest.raises(UsageError, match=r"pytorch_model\.bin, which may run any code"):
        describe_backbone(str(folder), frame=32, grid=4)


def test_networks_of_another_kind_and_missing_weights_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = write_encoder(tmp_path / "e")
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith("encoder.layer.1.")}
    assert len(kept) < len(weights)
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    config = describe_backbone(str(folder), frame=32, grid=4)
    with pytest.raises(StoreError, match="lacks weights"):
        Backbone.load(config)
    document = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(document | {"model_type": "bert"}))
    with pytest.raises(UsageError, match="kind of encoder 'bert'"):
        describe_backbone(str(folder), frame=32, grid=4)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(StoreError, match="how its encoder is shown frames"):
        describe_backbone(str(folder), frame=32, grid=4)


@torch.no_grad()
def test_tokens_given_and_tokens_made_are_the_same_latents(tmp_path: Path) -> None:
    config = describe_backbone(str(write_encoder(tmp_path / "e")), frame=32, grid=2)
    sensors = (TOP, replace(TOP, name="side"))
    perception = FrozenPerception(sensors, config)
    assert perception.tokens == 8
    assert not list(perception.parameters())
    assert set(perception.state_dict()) == {"mean", "std"}
    frames = {s.name: frames_of(6).roll(i, 0).unflatten(0, (2, 3)) for i, s in enumerate(sensors)}
    clip = Clip({name: Stream.regular(values, 10) for name, values in frames.items()})
    plain = perception(clip).values
    assert plain.shape == (2, 3, 8, 16)
    perception.standardise(plain.flatten(0, 2).mean(0), plain.flatten(0, 2).std(0))
    latents = perception(clip).values
    torch.testing.assert_close(latents.flatten(0, 2).mean(0), torch.zeros(16), atol=1e-4, rtol=0)
    encoder = Backbone.load(config)
    given = {
        tokens_name(n): Stream.regular(encoder(v.flatten(0, 1)).unflatten(0, (2, 3)), 10) for n, v in frames.items()
    }
    torch.testing.assert_close(perception(Clip(given)).values, latents)
    absent = replace(clip.streams["top"], valid=torch.zeros(2, 3, dtype=torch.bool))
    unseen = perception(Clip({**clip.streams, "top": absent})).values
    assert float(unseen[:, :, :4].abs().max()) == 0
    torch.testing.assert_close(unseen[:, :, 4:], latents[:, :, 4:])
    blank = perception.untrained(0)
    assert not torch.allclose(blank(Clip({**clip.streams, **given})).values, plain)  # it never takes what is given
    with pytest.raises(ContractError, match="cameras only"):
        FrozenPerception((Sensor(name="state", kind="state", shape=(2,), rate_hz=10),), config)
    with pytest.raises(ContractError, match="another shape"):
        perception(
            Clip({"top": Stream.regular(frames_of(2, 16)[:, None], 10), "side": clip.streams["side"].window(0, 1)})
        )


def test_a_name_on_the_hub_is_pinned_to_its_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a connection, from the hub's own cache: two revisions, the newer of which is `main`."""
    commits = {"a" * 40: 0, "b" * 40: 1}
    repository = tmp_path / "hub/models--lab--encoder"
    for commit, seed in commits.items():
        write_encoder(repository / "snapshots" / commit, seed=seed)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text("a" * 40)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    config = describe_backbone("lab/encoder", frame=32, grid=4)
    assert (config.name, config.revision) == ("lab/encoder", "a" * 40)
    (repository / "refs/main").write_text("b" * 40)  # the hub moves on; the run's own revision is still found
    assert find_again(config).revision == "a" * 40
    newer = describe_backbone("lab/encoder", frame=32, grid=4)
    assert newer.weights != config.weights
    assert describe_backbone(f"lab/encoder@{'a' * 40}", frame=32, grid=4) == config
    with pytest.raises(UsageError, match="cannot be fetched now"):
        describe_backbone("lab/other", frame=32, grid=4)
    assert torch.isfinite(Backbone.load(config)(frames_of(1))).all()
