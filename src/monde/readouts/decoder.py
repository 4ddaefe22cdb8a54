"""A small convolutional decoder from a latent to an RGB frame. For looking only: nothing learns or plans through it."""

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor, nn

from monde.errors import ContractError, DataError, StoreError, TrainingError
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.store import load_artefact, save_artefact
from monde.types.checks import describe

HIDDEN = 256
"""Width of the hidden layer before the seed of the picture."""

Progress = Callable[[int, int, float], None]
"""Told the steps done, the steps wanted and the current loss."""


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    """Shape of a `FrameDecoder`.

    Args:
        features: N·D, numbers in the latent of one frame.
        height: h of the frames, in pixels.
        width: w of the frames, in pixels.
        channels: Channels at full size; they double at every halving of the size, up to eight times.

    Raises:
        ContractError: Sizes out of limits.
    """

    features: int
    height: int
    width: int
    channels: int = 8

    def __post_init__(self) -> None:
        if self.features < 1 or self.channels < 1:
            raise ContractError("DecoderConfig is empty", got=self, expected="features and channels ≥ 1")
        if not 8 <= min(self.height, self.width) <= max(self.height, self.width) <= MAX_FRAME_SIDE_PIXELS:
            raise ContractError(
                "DecoderConfig has no usable frame size",
                got=f"{self.height}×{self.width}",
                expected=f"8 to {MAX_FRAME_SIDE_PIXELS} pixels",
            )

    @property
    def doublings(self) -> int:
        """Times that the picture doubles from its seed of about 4 pixels."""
        return max(1, int(math.log2(min(self.height, self.width) / 4)))


class FrameDecoder(nn.Module):
    """Latent to frame: a small MLP makes a seed, then come nearest-neighbour doublings with 3×3 convolutions.

    It predicts the deviation from the mean frame of the training data, so what never moves costs it nothing.

    Args:
        config: Its shape.
        generator: CPU generator of the first weights, or none to leave them for loading.
    """

    mean_frame: Tensor
    centre: Tensor
    scale: Tensor

    def __init__(self, config: DecoderConfig, generator: Generator | None = None) -> None:
        super().__init__()
        self.config = config
        widths = [config.channels * min(8, 2**i) for i in range(config.doublings, -1, -1)]
        scale = 2**config.doublings
        self.seed_shape = (widths[0], math.ceil(config.height / scale), math.ceil(config.width / scale))
        self.seed = nn.Sequential(
            nn.Linear(config.features, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, math.prod(self.seed_shape))
        )
        layers: list[nn.Module] = []
        for wide, narrow in itertools.pairwise(widths):
            layers += [nn.GELU(), nn.Upsample(scale_factor=2), nn.Conv2d(wide, narrow, 3, padding=1)]
        last = nn.Conv2d(widths[-1], 3, 3, padding=1)
        self.body = nn.Sequential(*layers, nn.GELU(), last)
        self.register_buffer("mean_frame", torch.zeros(3, config.height, config.width))
        self.register_buffer("centre", torch.zeros(config.features))
        self.register_buffer("scale", torch.ones(config.features))
        if generator is not None:
            self._draw_weights(generator)
            # The first picture is the mean frame.
            nn.init.zeros_(last.weight)

    def _draw_weights(self, generator: Generator) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, latents: Float[Tensor, "n N D"]) -> Float[Tensor, "n 3 h w"]:
        """Frames in 0 to 1 (not clipped) from latents.

        Raises:
            ContractError: Latents of another size.
        """
        flat = latents.flatten(1).to(self.mean_frame.dtype)
        if flat.shape[1] != self.config.features:
            raise ContractError(
                "the decoder does not fit these latents",
                got=describe(latents),
                expected=f"N·D = {self.config.features}",
                remedy="use the decoder that was fitted on this model",
            )
        standard = (flat - self.centre) / self.scale
        picture = self.body(self.seed(standard).reshape(-1, *self.seed_shape))
        deviation: Tensor = picture[..., : self.config.height, : self.config.width]
        return deviation + self.mean_frame

    def frames(self, latents: Float[Tensor, "*lead N D"]) -> UInt8[Tensor, "*lead 3 h w"]:
        """Frames to look at, uint8, from latents [..., N, D]; 256 at a time."""
        lead = latents.shape[:-2]
        flat = latents.reshape(-1, *latents.shape[-2:])
        with torch.no_grad():
            parts = [self(flat[start : start + 256]) for start in range(0, len(flat), 256)]
        picture = (torch.cat(parts).clamp(0, 1) * 255).round().to(torch.uint8)
        return picture.reshape(*lead, *picture.shape[1:])


def fit_decoder(
    latents: Float[Tensor, "n N D"],
    frames: UInt8[Tensor, "rows 3 h w"],
    steps: int,
    generator: Generator,
    progress: Progress | None = None,
    *,
    batch: int = 32,
    learning_rate: float = 2e-3,
    limit_seconds: float = 600.0,
) -> FrameDecoder:
    """Fit a decoder on frozen latents, on their device; stops after `steps` or `limit_seconds`, whichever comes first.

    The squared error of a pixel weighs more the more that pixel varies over the data: otherwise a small moving thing
    before a large still background is the last to be learned.

    Args:
        latents: [n, N, D], of single frames.
        frames: [n, 3, h, w], the frames they came from (may stay on the CPU).
        steps: Gradient steps (AdamW, cosine schedule).
        generator: CPU generator of first weights and batches.
        progress: Called every 25 steps and at the end.
        batch: Frames in one step.
        learning_rate: Highest learning rate.
        limit_seconds: Wall time allowed.

    Raises:
        DataError: No frames, or not one per latent.
        TrainingError: The loss is not finite.
    """
    if len(latents) != len(frames) or len(frames) == 0 or steps < 1:
        raise DataError(
            "a decoder cannot be fitted",
            got=f"{len(latents)} latents, {len(frames)} frames, {steps} steps",
            expected="one frame per latent, at least one step",
        )
    config = DecoderConfig(features=latents[0].numel(), height=frames.shape[2], width=frames.shape[3])
    decoder = FrameDecoder(config, generator).to(latents.device)
    mean, weight = _pixel_statistics(frames)
    flat = latents.detach().flatten(1).float()
    decoder.mean_frame.copy_(mean)
    decoder.centre.copy_(flat.mean(0))
    decoder.scale.copy_(flat.std(0, unbiased=False).clamp_min(1e-6))
    weight = weight.to(latents.device)
    optimiser = torch.optim.AdamW(decoder.parameters(), lr=learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    started = time.monotonic()
    for step in range(1, steps + 1):
        index = torch.randint(len(frames), (batch,), generator=generator)
        wanted = frames[index.to(frames.device)].to(latents.device).float() / 255
        loss = (weight * (decoder(latents[index.to(latents.device)].detach()) - wanted).square()).mean()
        if not bool(torch.isfinite(loss)):
            raise TrainingError("the decoder's loss is not finite", got=loss.item(), remedy="look for NaN in latents")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        last = step == steps or time.monotonic() - started > limit_seconds
        if progress is not None and (last or step % 25 == 0):
            progress(step, steps, loss.item())
        if last:
            break
    return decoder.eval().requires_grad_(False)


def save_decoder(decoder: FrameDecoder, folder: Path) -> None:
    """Write a decoder as an artefact of kind "readout"; raises StoreError if `folder` exists."""
    save_artefact(folder, "readout", decoder.state_dict(), {"type": "decoder"} | asdict(decoder.config))


def load_decoder(folder: Path) -> FrameDecoder:
    """Read a decoder back; raises StoreError if it is missing, altered or another type of readout."""
    artefact = load_artefact(folder, "readout")
    if artefact.meta.get("type") != "decoder":
        raise StoreError(f"{folder} is no decoder", got=artefact.meta.get("type"), expected="decoder")
    sizes = {}
    for name in ("features", "height", "width", "channels"):
        size = artefact.meta.get(name)
        if not isinstance(size, int):
            raise StoreError(f"{folder} lacks a usable {name!r}", got=repr(size), expected="an integer")
        sizes[name] = size
    decoder = FrameDecoder(DecoderConfig(**sizes))
    load_artefact(folder, "readout", decoder.state_dict())
    decoder.load_state_dict(dict(artefact.tensors))
    return decoder.eval().requires_grad_(False)


def _pixel_statistics(frames: UInt8[Tensor, "n 3 h w"]) -> tuple[Tensor, Tensor]:
    """Mean frame [3, h, w] in 0 to 1, and weights [1, h, w] of mean 1 that grow with a pixel's standard deviation."""
    sample = frames[:: max(1, len(frames) // 1024)].float() / 255
    spread = sample.std(0, unbiased=False).mean(0, keepdim=True)
    if float(spread.max()) == 0:
        return sample.mean(0), torch.ones_like(spread)
    weight = 0.1 + spread / spread.max()
    return sample.mean(0), weight / weight.mean()
