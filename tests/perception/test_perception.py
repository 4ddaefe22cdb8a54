"""Encoders: what they see, what they do with a missing sense, and what they refuse."""

import pytest
import torch

from monde.errors import ContractError
from monde.perception import Perception, PerceptionConfig, ViTEncoder
from monde.types import Clip, Sensor, Stream

TOP = Sensor(name="top", kind="rgb", shape=(3, 32, 48), rate_hz=10)
STATE = Sensor(name="state", kind="state", shape=(5,), rate_hz=10)


def config(encoder: str) -> PerceptionConfig:
    kind = "conv" if encoder == "conv" else "vit"
    return PerceptionConfig(latent=16, encoder=kind, patch=8, hidden=32, depth=2, heads=2)  # type: ignore[arg-type]


def clip_of(B: int = 4, T: int = 3, seed: int = 0) -> Clip:
    generator = torch.Generator().manual_seed(seed)
    frames = torch.randint(0, 256, (B, T, 3, 32, 48), generator=generator, dtype=torch.uint8)
    return Clip({"top": Stream.regular(frames, 10), "state": Stream.regular(torch.rand(B, T, 5), 10)})


@pytest.mark.parametrize("encoder", ["conv", "vit"])
@pytest.mark.parametrize("sensors", [(TOP,), (STATE,), (TOP, STATE)])
def test_latents_have_one_token_a_frame_and_unit_spread(encoder: str, sensors: tuple[Sensor, ...]) -> None:
    torch.manual_seed(0)
    latents = Perception(sensors, config(encoder))(clip_of(B=16))
    assert latents.values.shape == (16, 3, 1, 16)
    assert latents.values.dtype == torch.float32
    torch.testing.assert_close(latents.values.flatten(0, 2).std(0, correction=0), torch.ones(16), atol=0.05, rtol=0)


@pytest.mark.parametrize("encoder", ["conv", "vit"])
def test_every_part_of_the_picture_matters(encoder: str) -> None:
    torch.manual_seed(0)
    perception = Perception((TOP,), config(encoder)).eval()
    frames = torch.full((1, 1, 3, 32, 48), 128, dtype=torch.uint8)
    plain = perception(Clip({"top": Stream.regular(frames, 10)})).values
    for y in (0, 16, 24):
        for x in (0, 24, 40):
            marked = frames.clone()
            marked[..., y : y + 8, x : x + 8] = 255
            assert not torch.equal(perception(Clip({"top": Stream.regular(marked, 10)})).values, plain), (y, x)


def test_memory_order_of_frames_does_not_matter() -> None:
    torch.manual_seed(0)
    perception = Perception((TOP,), config("conv")).eval()
    frames = clip_of().stream("top").values
    last = frames.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    results = [perception(Clip({"top": Stream.regular(f, 10)})).values for f in (frames, last)]
    torch.testing.assert_close(results[0], results[1])


def test_frames_encode_alike_alone_and_in_a_batch() -> None:
    torch.manual_seed(0)
    perception = Perception((TOP, STATE), config("vit")).eval()
    clip = clip_of()
    together = perception(clip).values
    alone = perception(clip.window(1, 2)).values
    torch.testing.assert_close(alone, together[:, 1:2])


def test_refusals() -> None:
    with pytest.raises(ContractError, match="at least one sensor"):
        Perception((), config("conv"))
    with pytest.raises(ContractError, match="30×48 with patches of 8"):
        ViTEncoder(3, 30, 48, 8, 32, 1, 2, 16)
    perception = Perception((TOP,), config("conv"))
    with pytest.raises(ContractError, match="another shape"):
        perception(Clip({"top": Stream.regular(torch.zeros(1, 1, 3, 64, 64, dtype=torch.uint8), 10)}))
    with pytest.raises(ContractError, match="uint8"):
        perception(Clip({"top": Stream.regular(torch.zeros(1, 1, 3, 32, 48), 10)}))
    with pytest.raises(ContractError, match="top"):
        perception(Clip({"state": clip_of().stream("state")}))
