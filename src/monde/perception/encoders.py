"""One encoder for each kind of sensor, and the sizes of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from monde.errors import ContractError
from monde.perception.cloud import CloudEncoder
from monde.perception.conv import ConvEncoder
from monde.perception.depth import DepthEncoder
from monde.perception.focus import FocusEncoder
from monde.perception.grid import GridEncoder
from monde.perception.scan import ScanEncoder
from monde.perception.state import StateEncoder
from monde.perception.vit import ViTEncoder
from monde.types import Sensor
from monde.types.geometry import ScanGeometry


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
        state_hidden: Hidden width of MLPs on vectors (proprioception, poses, velocities).
        cloud_width: Width of the MLP on every point of a cloud.
        cloud_foci: Weighted centroids of a cloud.
        scan_base: Channels of the first convolution over a scan's beams.
        fusing: How several senses become one latent: a "linear" map, or an "mlp" beside it, which can take what one
            sensor shows to where another says that it stands.
        aged: Names of sensors whose samples come with ages, which are then part of what is seen.
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
    cloud_width: int = 64
    cloud_foci: int = 16
    scan_base: int = 32
    fusing: Literal["linear", "mlp"] = "linear"
    aged: tuple[str, ...] = ()


READABLE = ("rgb", "depth", "points", "scan", "state", "pose", "twist", "imu", "gnss", "grid")
"""Kinds of sensors that have an encoder."""


def check_readable(sensors: Sequence[Sensor]) -> None:
    """Refuse sensors that no encoder reads.

    Raises:
        ContractError: Naming them and their kinds; or depth of which no unit is known.
    """
    others = [f"{sensor.name} ({sensor.kind})" for sensor in sensors if sensor.kind not in READABLE]
    if others:
        raise ContractError(
            "a model cannot read these sensors: there is no encoder for their kind",
            got=", ".join(others),
            expected=f"sensors of kind {', '.join(READABLE[:-1])} or {READABLE[-1]}",
            remedy="name others with --sensors, or leave --sensors away for all cameras",
        )
    unknown = [
        f"{sensor.name} (unit {sensor.unit!r})" for sensor in sensors if sensor.kind == "depth" and sensor.unit != "m"
    ]
    if unknown:
        raise ContractError(
            "a model reads depth in metres only: without a unit, 1000 may be a metre or a kilometre",
            got=", ".join(unknown),
            expected="unit 'm'",
            remedy="say the unit where the data is: Sensor(unit='m'), or depth_unit 'm' or 'mm' in a LeRobot feature",
        )


def encoder_of(sensor: Sensor, config: PerceptionConfig) -> nn.Module:
    """The encoder of a sensor, by its kind.

    Raises:
        ContractError: Frames that no patch size divides.
    """
    if sensor.kind == "rgb":
        return _pictures(sensor, 3, config)
    if sensor.kind == "depth":
        return DepthEncoder(_pictures(sensor, 2, config))
    if sensor.kind == "grid":
        _, height, width = sensor.shape
        return GridEncoder(ConvEncoder(2, height, width, config.conv_base, config.latent))
    if sensor.kind == "points":
        hidden = 2 * config.latent
        return CloudEncoder(sensor.shape[1], config.cloud_width, config.cloud_foci, hidden, config.latent)
    if sensor.kind == "scan" and isinstance(sensor.geometry, ScanGeometry):
        return ScanEncoder(sensor.shape[0], sensor.geometry, config.scan_base, config.latent)
    form: Literal["vector", "pose"] = "pose" if sensor.kind == "pose" else "vector"
    return StateEncoder(sensor.shape[0], config.state_hidden, config.latent, form)


def _pictures(sensor: Sensor, channels: int, config: PerceptionConfig) -> nn.Module:
    _, height, width = sensor.shape
    if config.encoder == "conv":
        return ConvEncoder(channels, height, width, config.conv_base, config.latent)
    if config.encoder == "focus":
        base, foci, hidden = config.conv_base, config.foci, 3 * config.latent
        return FocusEncoder(channels, height, width, base, foci, hidden, config.latent, colours=channels == 3)
    return ViTEncoder(channels, height, width, config.patch, config.hidden, config.depth, config.heads, config.latent)
