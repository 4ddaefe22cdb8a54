"""All of a model's senses, fused to one token a frame; a missing sample is replaced by a learned "nothing seen"."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.nn import BatchNorm
from monde.perception.conv import ConvEncoder
from monde.perception.focus import FocusEncoder
from monde.perception.state import StateEncoder
from monde.perception.vit import ViTEncoder
from monde.types import Clip, Latents, Sensor
from monde.types.checks import describe


@dataclass(frozen=True, kw_only=True)
class PerceptionConfig:
    """Sizes of perception.

    Args:
        latent: D, width of the latent.
        encoder: "conv" for small frames, "focus" for small frames of few small things, "vit" for large ones.
        conv_base: Channels of a CNN's first layer.
        foci: Poolings of "focus".
        patch: Side of a ViT patch in pixels.
        hidden: ViT token width.
        depth: ViT blocks.
        heads: ViT heads.
        state_hidden: Hidden width of the proprioception MLP.
    """

    latent: int
    encoder: Literal["conv", "focus", "vit"]
    conv_base: int = 16
    foci: int = 24
    patch: int = 8
    hidden: int = 192
    depth: int = 12
    heads: int = 3
    state_hidden: int = 128


READABLE = ("rgb", "state")
"""Kinds of sensors that have an encoder."""


def check_readable(sensors: Sequence[Sensor]) -> None:
    """Refuse sensors that no encoder reads.

    Raises:
        ContractError: Naming them and their kinds.
    """
    others = [f"{sensor.name} ({sensor.kind})" for sensor in sensors if sensor.kind not in READABLE]
    if others:
        raise ContractError(
            "a model cannot read these sensors: there is no encoder for their kind",
            got=", ".join(others),
            expected=f"sensors of kind {' or '.join(READABLE)}",
            remedy="name others with --sensors, or leave --sensors away for all cameras",
        )


class Perception(nn.Module):
    """Encoders by sensor name, and the linear map that fuses their features into a latent.

    Raises:
        ContractError: A sensor kind that has no encoder, or a clip that does not fit the sensors.
    """

    def __init__(self, sensors: tuple[Sensor, ...], config: PerceptionConfig) -> None:
        super().__init__()
        if not sensors:
            raise ContractError("a model needs at least one sensor", got="none")
        check_readable(sensors)
        self.sensors = sensors
        self.encoders = nn.ModuleDict({sensor.name: _encoder(sensor, config) for sensor in sensors})
        self.missing = nn.ParameterDict({s.name: nn.Parameter(torch.zeros(config.latent)) for s in sensors})
        # One sensor needs no fusing: its encoder's last layer already is the map to the latent.
        several = len(sensors) > 1
        self.fuse = nn.Linear(len(sensors) * config.latent, config.latent) if several else nn.Identity()
        # As LeWM's projector ends. It starts training with latents of unit spread, which SIGReg then only has to shape;
        # from a spread near zero its gradient is too flat to lift them.
        self.norm = BatchNorm(config.latent, affine=False)

    def forward(self, clip: Clip) -> Latents:
        """An aligned clip to latents [B, T, 1, D]."""
        B, T = clip.batch, clip.steps
        features = [self._features(sensor, clip) for sensor in self.sensors]
        fused = self.norm(self.fuse(torch.cat(features, dim=-1)).float())
        times = clip.stream(self.sensors[0].name).times_seconds
        return Latents(fused.reshape(B, T, 1, -1), times)

    def _features(self, sensor: Sensor, clip: Clip) -> Float[Tensor, "M d"]:
        stream = clip.stream(sensor.name)
        values = stream.values.flatten(0, 1)
        if tuple(values.shape[1:]) != sensor.shape:
            raise ContractError(
                f"sensor {sensor.name!r} has another shape than the model was made for",
                got=describe(stream.values),
                expected=f"[B, T, {', '.join(map(str, sensor.shape))}]",
                remedy="resize the frames, or train a model for this size",
            )
        if sensor.kind == "rgb":
            if values.dtype != torch.uint8:
                raise ContractError(
                    f"sensor {sensor.name!r} must be uint8", got=describe(stream.values), expected="0 to 255"
                )
            # Frames differ in memory order (channels last from the cache); encoders see one scale: -1 to 1.
            values = values.to(torch.bfloat16 if torch.is_autocast_enabled(values.device.type) else torch.float32)
            values = values / 127.5 - 1
        features = self.encoders[sensor.name](values).float()
        valid = stream.valid.flatten(0, 1)
        return torch.where(valid[:, None], features, self.missing[sensor.name])


def _encoder(sensor: Sensor, config: PerceptionConfig) -> nn.Module:
    if sensor.kind == "rgb":
        channels, height, width = sensor.shape
        if config.encoder == "conv":
            return ConvEncoder(channels, height, width, config.conv_base, config.latent)
        if config.encoder == "focus":
            base, foci, hidden = config.conv_base, config.foci, 3 * config.latent
            return FocusEncoder(channels, height, width, base, foci, hidden, config.latent)
        return ViTEncoder(
            channels, height, width, config.patch, config.hidden, config.depth, config.heads, config.latent
        )
    return StateEncoder(sensor.shape[0], config.state_hidden, config.latent)
