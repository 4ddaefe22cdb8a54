"""Perception by a frozen encoder: several tokens a frame, standardised with stored moments."""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from monde.errors import ContractError
from monde.perception.backbone import Backbone, BackboneConfig, shared_backbone
from monde.types import Clip, Latents, Sensor, Stream
from monde.types.checks import describe


def tokens_name(camera: str) -> str:
    """Name of the stream that holds a camera's tokens, encoded before (`monde.training.latent_cache`)."""
    return f"{camera[:180]}.tokens"


def check_cameras(sensors: tuple[Sensor, ...]) -> None:
    """Refuse what a frozen encoder cannot read.

    Raises:
        ContractError: A sensor that is no camera, or none at all.
    """
    others = [sensor.name for sensor in sensors if sensor.kind != "rgb"]
    if others or not sensors:
        raise ContractError(
            "a frozen encoder reads cameras only",
            got=others or "no sensor",
            remedy="name cameras with --sensors, or train without --backbone",
        )


class FrozenPerception(nn.Module):
    """Patch tokens of a frozen encoder as latents, N = cameras × grid² (DINO-WM, arXiv 2411.04983, section 3.1).

    The encoder's weights are no part of this module: not trained, not moved, not stored. They are loaded when a clip
    first comes without the tokens of its frames.

    Args:
        sensors: Cameras only.
        config: Which encoder.
        encoder: The encoder, already loaded; it is then asked even where tokens are given. None to load it when needed.

    Raises:
        ContractError: A sensor that is no camera, or none at all.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, sensors: tuple[Sensor, ...], config: BackboneConfig, encoder: Backbone | None = None) -> None:
        super().__init__()
        check_cameras(sensors)
        self.sensors, self.config = sensors, config
        self._encoder = encoder
        self._given = encoder is not None
        self.register_buffer("mean", torch.zeros(config.latent))
        self.register_buffer("std", torch.ones(config.latent))

    @property
    def tokens(self) -> int:
        """N, tokens a frame of all cameras."""
        return len(self.sensors) * self.config.grid**2

    def standardise(self, mean: Float[Tensor, " D"], std: Float[Tensor, " D"]) -> None:
        """Take the moments of training tokens; a dimension that never varies keeps its scale."""
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > 1e-6, std, torch.ones_like(std)))

    def untrained(self, seed: int) -> "FrozenPerception":
        """The same with random weights in place of the pretrained ones."""
        return FrozenPerception(self.sensors, self.config, Backbone.untrained(self.config, seed)).to(self.mean.device)

    def forward(self, clip: Clip) -> Latents:
        """An aligned clip to latents [B, T, N, D]; frames that are missing become the mean token.

        Raises:
            ContractError: Frames or tokens of another shape than the model was made for.
        """
        parts = [self._tokens(sensor, clip) for sensor in self.sensors]
        times = self._stream(self.sensors[0], clip)[0].times_seconds
        return Latents(torch.cat(parts, dim=2), times)

    def _stream(self, sensor: Sensor, clip: Clip) -> tuple[Stream, bool]:
        name = tokens_name(sensor.name)
        cached = name in clip.streams and not self._given
        return clip.stream(name if cached else sensor.name), cached

    def _tokens(self, sensor: Sensor, clip: Clip) -> Float[Tensor, "B T n D"]:
        stream, cached = self._stream(sensor, clip)
        g, D = self.config.grid, self.config.latent
        expected = (g, g, D) if cached else sensor.shape
        if tuple(stream.values.shape[2:]) != expected:
            raise ContractError(
                f"sensor {sensor.name!r} has another shape than the model was made for",
                got=describe(stream.values),
                expected=f"[B, T, {', '.join(map(str, expected))}]",
                remedy="resize the frames, or train a model for this size",
            )
        values = stream.values.float() if cached else self._encode(stream.values)
        standard = (values.flatten(2, 3) - self.mean) / self.std
        return torch.where(stream.valid[:, :, None, None], standard, torch.zeros_like(standard))

    def _encode(self, frames: Shaped[Tensor, "B T 3 h w"]) -> Float[Tensor, "B T g g D"]:
        encoder = self._encoder or shared_backbone(self.config)
        return encoder.to(frames.device)(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
