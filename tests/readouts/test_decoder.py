from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from monde.errors import ContractError, DataError, StoreError, TrainingError
from monde.readouts import DecoderConfig, FrameDecoder, decoder, fit_decoder, load_decoder, save_decoder


def _scene(n: int = 200, side: int = 24) -> tuple[Tensor, Tensor]:
    """A white square on a grey ground at the place that the latent tells."""
    places = torch.randint(0, side - 5, (n, 2), generator=Generator().manual_seed(0))
    frames = torch.full((n, 3, side, side), 60, dtype=torch.uint8)
    for frame, (x, y) in zip(frames, places.tolist(), strict=True):
        frame[:, y : y + 5, x : x + 5] = 250
    latents = places.float() / side * 4 - 2
    return torch.cat([latents, latents.square(), latents.prod(1, keepdim=True)], 1)[:, None], frames


def test_it_learns_to_show_where_things_are() -> None:
    latents, frames = _scene()
    seen: list[tuple[int, int]] = []
    fitted = fit_decoder(
        latents, frames, 100, Generator().manual_seed(0), lambda step, steps, loss: seen.append((step, steps))
    )
    shown = fitted.frames(latents[:50]).float()
    mean = frames.float().mean(0)
    error = (shown - frames[:50]).square().mean()
    assert error < 0.35 * (mean - frames[:50]).square().mean()
    assert seen[-1] == (100, 100)
    assert not any(parameter.requires_grad for parameter in fitted.parameters())


def test_the_same_seed_gives_the_same_decoder() -> None:
    latents, frames = _scene(32)
    first, second = (fit_decoder(latents, frames, 3, Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_time_allowed_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(decoder.time, "monotonic", lambda: float(next(clock)))
    latents, frames = _scene(16)
    steps: list[int] = []
    fit_decoder(
        latents,
        frames,
        500,
        Generator().manual_seed(0),
        lambda step, total, loss: steps.append(step),
        limit_seconds=6.0,
    )
    assert steps == [7]


@pytest.mark.parametrize(("height", "width"), [(64, 64), (30, 47), (8, 8)])
def test_frames_have_the_size_asked_for(height: int, width: int) -> None:
    config = DecoderConfig(features=6, height=height, width=width, channels=2)
    frames = FrameDecoder(config, Generator().manual_seed(0)).frames(torch.randn(2, 5, 2, 3))
    assert frames.shape == (2, 5, 3, height, width)
    assert frames.dtype == torch.uint8


def test_it_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    latents, frames = _scene(32)
    fitted = fit_decoder(latents, frames, 3, Generator().manual_seed(0))
    save_decoder(fitted, tmp_path / "decoder")
    assert torch.equal(load_decoder(tmp_path / "decoder").frames(latents), fitted.frames(latents))
    (tmp_path / "decoder" / "tensors.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(StoreError, match="pickle"):
        load_decoder(tmp_path / "decoder")


def test_what_does_not_fit_is_refused() -> None:
    latents, frames = _scene(16)
    with pytest.raises(DataError):
        fit_decoder(latents, frames[:-1], 3, Generator())
    with pytest.raises(DataError):
        fit_decoder(latents, frames, 0, Generator())
    with pytest.raises(TrainingError, match="not finite"):
        fit_decoder(latents * torch.nan, frames, 3, Generator())
    fitted = fit_decoder(latents, frames, 1, Generator())
    with pytest.raises(ContractError, match="N·D"):
        fitted(torch.zeros(2, 1, 3))
    with pytest.raises(ContractError):
        DecoderConfig(features=2, height=4, width=64)
