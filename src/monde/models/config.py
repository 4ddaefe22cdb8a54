"""The size dial: one word sets every width and depth of a model."""

from dataclasses import dataclass
from typing import Literal, get_args

from monde.dynamics import MLPDynamicsConfig, RecurrentDynamicsConfig, TransformerDynamicsConfig
from monde.dynamics.lewm_predictor import LewmPredictorConfig
from monde.errors import UsageError, unknown_name
from monde.perception import BackboneConfig, PerceptionConfig
from monde.perception.lewm_vit import LewmPerceptionConfig
from monde.types import ActionSpec, Sensor

Size = Literal["nano", "memory", "tiny", "small", "base"]
SmallEncoder = Literal["conv", "focus"]
SMALL = ("nano", "memory")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """All that is needed to build a model again.

    Args:
        sensors: What it reads.
        actions: The action blocks that it is conditioned on.
        perception: Sizes of perception, or the encoder that stands in its place: frozen, or LeWM's as published.
        dynamics: Kind and sizes of the dynamics.
    """

    sensors: tuple[Sensor, ...]
    actions: ActionSpec
    perception: PerceptionConfig | BackboneConfig | LewmPerceptionConfig
    dynamics: MLPDynamicsConfig | RecurrentDynamicsConfig | TransformerDynamicsConfig | LewmPredictorConfig


def model_config(
    size: str, sensors: tuple[Sensor, ...], actions: ActionSpec, encoder: SmallEncoder | None = None
) -> ModelConfig:
    """The configuration of one size for these sensors and actions.

    - nano: strided CNN and a residual MLP, D = 64; trains in CPU minutes.
    - memory: pooling by attention and a GRU, D = 128: a belief that holds for seconds what is out of sight; trains in
      CPU minutes, too.
    - tiny: LeWM's 15 M (arXiv 2603.19312, section 4): ViT-tiny and a 6-block predictor, D = 192.
    - small, base: ViT-S and ViT-B with predictors to match, D = 384 and 768.

    The encoder of nano and memory is a CNN (memory's with pooling by attention) up to 128 pixels a side and a small ViT
    beyond; all others are ViTs. `encoder` sets another one for the frames of nano and memory, whatever their side.

    Raises:
        UsageError: An unknown size, an encoder for a size that is a ViT, or frames that no patch size divides.
    """
    if size not in get_args(Size):
        raise unknown_name("size", size, list(get_args(Size)))
    if encoder is not None and size not in SMALL:
        raise UsageError(
            f"size {size!r} sees with a ViT", got=f"encoder {encoder!r}", remedy=f"take one of {', '.join(SMALL)}"
        )
    side = max((max(sensor.shape[1:]) for sensor in sensors if sensor.kind == "rgb"), default=0)
    if size == "nano":
        return ModelConfig(
            sensors=sensors,
            actions=actions,
            perception=_small_perception(sensors, 64, side, "conv", encoder),
            dynamics=MLPDynamicsConfig(latent=64, actions=actions.width),
        )
    if size == "memory":
        return ModelConfig(
            sensors=sensors,
            actions=actions,
            perception=_small_perception(sensors, 128, side, "focus", encoder),
            dynamics=RecurrentDynamicsConfig(latent=128, actions=actions.width),
        )
    width, heads = {"tiny": (192, 3), "small": (384, 6), "base": (768, 12)}[size]
    return ModelConfig(
        sensors=sensors,
        actions=actions,
        perception=PerceptionConfig(
            latent=width, encoder="vit", patch=_patch(sensors), hidden=width, depth=12, heads=heads
        ),
        dynamics=TransformerDynamicsConfig(latent=width, actions=actions.width, hidden=width),
    )


def _small_perception(
    sensors: tuple[Sensor, ...], latent: int, side: int, small: SmallEncoder, wanted: SmallEncoder | None
) -> PerceptionConfig:
    return PerceptionConfig(
        latent=latent,
        encoder=wanted or (small if side <= 128 else "vit"),
        patch=_patch(sensors),
        hidden=96,
        depth=4,
        heads=3,
    )


def _patch(sensors: tuple[Sensor, ...]) -> int:
    sides = [side for sensor in sensors if sensor.kind == "rgb" for side in sensor.shape[1:]]
    # 8 at 64 pixels and 14 at 224, as published; whatever divides otherwise.
    for patch in (14, 16, 8, 12, 10, 4):
        large = max(sides, default=0) > 128
        if (large or patch <= 8) and all(side % patch == 0 for side in sides):
            return patch
    raise UsageError(
        "no patch size divides these frames",
        got=sides,
        expected="sides divisible by 4, 8, 14 or 16",
        remedy="choose another --frame, such as 64, 128 or 224",
    )
