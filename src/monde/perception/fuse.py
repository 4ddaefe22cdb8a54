"""All of a model's senses, fused to one token a frame; a missing sample is replaced by a learned "nothing seen"."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.nn import MLP, BatchNorm
from monde.nn.ranks import ranks
from monde.perception.age import AgeReader
from monde.perception.encoders import PerceptionConfig, check_readable, encoder_of
from monde.types import Clip, Latents, Sensor
from monde.types.checks import describe


class Perception(nn.Module):
    """Encoders by sensor name, and the map that fuses their features into a latent.

    Raises:
        ContractError: A sensor kind that has no encoder, or a clip that does not fit the sensors.
    """

    def __init__(self, sensors: tuple[Sensor, ...], config: PerceptionConfig) -> None:
        super().__init__()
        if not sensors:
            raise ContractError("a model needs at least one sensor", got="none")
        check_readable(sensors)
        self.sensors = sensors
        self.encoders = nn.ModuleDict({part_name(sensor): encoder_of(sensor, config) for sensor in sensors})
        self.missing = nn.ParameterDict({part_name(s): nn.Parameter(torch.zeros(config.latent)) for s in sensors})
        # One sensor needs no fusing: its encoder's last layer already is the map to the latent.
        several = len(sensors) > 1
        self.fuse = nn.Linear(len(sensors) * config.latent, config.latent) if several else nn.Identity()
        # As LeWM's projector ends. It starts training with latents of unit spread, which SIGReg then only has to shape;
        # from a spread near zero its gradient is too flat to lift them.
        self.norm = BatchNorm(config.latent, affine=False)
        hidden = config.state_hidden
        mixes = several and config.fusing == "mlp"
        self.mix = MLP(len(sensors) * config.latent, 2 * config.latent, config.latent) if mixes else None
        aged = {part_name(sensor): sensor.rate_hz for sensor in sensors if sensor.name in config.aged}
        self.ages = nn.ModuleDict({name: AgeReader(config.latent, hidden, rate) for name, rate in aged.items()})

    def forward(self, clip: Clip) -> Latents:
        """An aligned clip to latents [B, T, 1, D]."""
        fused = self._fused([self._features(sensor, clip) for sensor in self.sensors])
        return self._latents(clip, fused)

    def with_and_without(self, clip: Clip, hidden: Bool[Tensor, "B n"]) -> tuple[Latents, Latents]:
        """The latents of an aligned clip, and what they are when in each row some of the n sensors are hidden."""
        features = [self._features(sensor, clip) for sensor in self.sensors]
        rows = hidden.to(features[0].device).repeat_interleave(clip.steps, dim=0)
        less = [
            torch.where(rows[:, index, None], self.missing[part_name(sensor)], part)
            for index, (sensor, part) in enumerate(zip(self.sensors, features, strict=True))
        ]
        # In one batch: both are normalised alike.
        both = self._fused([torch.cat(pair) for pair in zip(features, less, strict=True)])
        whole, part = both.chunk(2)
        return self._latents(clip, whole), self._latents(clip, part)

    def _fused(self, features: list[Float[Tensor, "M d"]]) -> Float[Tensor, "M d"]:
        joined = torch.cat(features, dim=-1)
        fused = self.fuse(joined).float()
        return self.norm(fused if self.mix is None else fused + self.mix(joined).float())

    def _latents(self, clip: Clip, fused: Float[Tensor, "M d"]) -> Latents:
        times = clip.stream(self.sensors[0].name).times_seconds
        return Latents(fused.reshape(clip.batch, clip.steps, 1, -1), times)

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
        valid = stream.valid.flatten(0, 1)
        mask = None
        if sensor.kind == "points":
            mask = (values[..., :3] != 0).any(-1) if stream.mask is None else stream.mask.flatten(0, 1)
            valid = valid & mask.any(1)  # an empty cloud tells no more than a missing one
        ages = None
        if part_name(sensor) in self.ages:
            age = torch.zeros_like(stream.times_seconds) if stream.age_seconds is None else stream.age_seconds
            ages = age.flatten(0, 1)
        absent = self.missing[part_name(sensor)]
        # Padding would count in the statistics of batch norms. (Over several processes their batches must be of one
        # size, and it does count.)
        if self.training and ranks() == 1 and not bool(valid.all()):
            rows = valid.nonzero().squeeze(1)
            if len(rows) > 1:
                picked = (None if part is None else part[rows] for part in (mask, ages))
                features = self._encoded(sensor, values[rows], *picked)
                return absent.expand(len(values), -1).index_copy(0, rows, features)
        return torch.where(valid[:, None], self._encoded(sensor, values, mask, ages), absent)

    def _encoded(
        self, sensor: Sensor, values: Tensor, mask: Tensor | None, ages: Tensor | None
    ) -> Float[Tensor, "M d"]:
        encoder = self.encoders[part_name(sensor)]
        if sensor.kind == "rgb":
            if values.dtype != torch.uint8:
                raise ContractError(f"sensor {sensor.name!r} must be uint8", got=describe(values), expected="0 to 255")
            # Frames differ in memory order (channels last from the cache); encoders see one scale: -1 to 1.
            values = values.to(torch.bfloat16 if torch.is_autocast_enabled(values.device.type) else torch.float32)
            features = encoder(values / 127.5 - 1)
        else:
            features = encoder(values, mask)
        return features.float() if ages is None else self.ages[part_name(sensor)](features.float(), ages)


def part_name(sensor: Sensor) -> str:
    """What a sensor's parts are called in a model: torch takes no dots, and no name of a sensor has a slash."""
    return sensor.name.replace(".", "/")
