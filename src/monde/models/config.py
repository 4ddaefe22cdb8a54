"""The size dial: one word sets every width and depth of a model."""

from dataclasses import dataclass
from typing import Literal, get_args

from monde.dynamics import (
    MLPDynamicsConfig,
    RecurrentDynamicsConfig,
    ThingDynamicsConfig,
    TransformerDynamicsConfig,
)
from monde.dynamics.lewm_predictor import LewmPredictorConfig
from monde.errors import UsageError, unknown_name
from monde.perception import BackboneConfig, PerceptionConfig, ThingsConfig
from monde.perception.lewm_vit import LewmPerceptionConfig
from monde.types import ActionSpec, Sensor

Size = Literal["nano", "memory", "things", "tiny", "small", "base"]
SmallEncoder = Literal["conv", "focus"]
SMALL = ("nano", "memory")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """All that is needed to build a model again.

    Args:
        sensors: What it reads.
        actions: The action blocks that it is conditioned on.
        perception: Sizes of perception, or what stands in its place: a frozen encoder, LeWM's as published, or object
            files.
        dynamics: Kind and sizes of the dynamics.
    """

    sensors: tuple[Sensor, ...]
    actions: ActionSpec
    perception: PerceptionConfig | BackboneConfig | LewmPerceptionConfig | ThingsConfig
    dynamics: (
        MLPDynamicsConfig
        | RecurrentDynamicsConfig
        | TransformerDynamicsConfig
        | LewmPredictorConfig
        | ThingDynamicsConfig
    )


def model_config(
    size: str,
    sensors: tuple[Sensor, ...],
    actions: ActionSpec,
    aged: tuple[str, ...] = (),
    encoder: SmallEncoder | None = None,
) -> ModelConfig:
    """The configuration of one size for these sensors and actions.

    - nano: strided CNN and a residual MLP, D = 64, and 128 where a scan is read; trains in CPU minutes.
    - memory: pooling by attention and a GRU, D = 128: a belief that holds for seconds what is out of sight; trains in
      CPU minutes, too.
    - things: regions of like colour as object files, and one law for all of them; for films of few plain things that
      nobody acts in. Its perception has nothing to learn.
    - tiny: LeWM's 15 M (arXiv 2603.19312, section 4): ViT-tiny and a 6-block predictor, D = 192.
    - small, base: ViT-S and ViT-B with predictors to match, D = 384 and 768.

    The encoder of nano and memory is a CNN (memory's with pooling by attention) up to 128 pixels a side and a small ViT
    beyond; all others are ViTs. `encoder` sets another one for the frames of nano and memory, whatever their side.
    What one spatial sense shows depends on what another says (a depth map on the pose of its camera), so that where
    there are such an MLP takes part in fusing.

    Args:
        size: Which.
        sensors: What the model reads.
        actions: What is done in one of its steps.
        aged: Names of sensors whose samples come with ages.
        encoder: Of small frames; by default what the size says.

    Raises:
        UsageError: An unknown size, an encoder for a size that sees in a way of its own, or frames that no patch size
            divides.
    """
    if size not in get_args(Size):
        raise unknown_name("size", size, list(get_args(Size)))
    if encoder is not None and size not in SMALL:
        raise UsageError(
            f"size {size!r} sees in a way of its own",
            got=f"encoder {encoder!r}",
            remedy=f"take one of {', '.join(SMALL)}",
        )
    side = max((max(sensor.shape[1:]) for sensor in sensors if sensor.picture), default=0)
    if size == "nano":
        latent = 128 if any(sensor.kind == "scan" for sensor in sensors) else 64
        return ModelConfig(
            sensors=sensors,
            actions=actions,
            perception=_small_perception(sensors, latent, side, "conv", encoder, aged),
            dynamics=MLPDynamicsConfig(latent=latent, actions=actions.width),
        )
    if size == "memory":
        return ModelConfig(
            sensors=sensors,
            actions=actions,
            perception=_small_perception(sensors, 128, side, "focus", encoder, aged),
            dynamics=RecurrentDynamicsConfig(latent=128, actions=actions.width),
        )
    if size == "things":
        return ModelConfig(
            sensors=sensors,
            actions=actions,
            perception=ThingsConfig(),
            dynamics=ThingDynamicsConfig(actions=actions.width),
        )
    width, heads = {"tiny": (192, 3), "small": (384, 6), "base": (768, 12)}[size]
    return ModelConfig(
        sensors=sensors,
        actions=actions,
        perception=PerceptionConfig(
            latent=width,
            encoder="vit",
            patch=_patch(sensors),
            hidden=width,
            depth=12,
            heads=heads,
            fusing=_fusing(sensors),
            aged=aged,
        ),
        dynamics=TransformerDynamicsConfig(latent=width, actions=actions.width, hidden=width),
    )


def _small_perception(
    sensors: tuple[Sensor, ...],
    latent: int,
    side: int,
    small: SmallEncoder,
    wanted: SmallEncoder | None,
    aged: tuple[str, ...],
) -> PerceptionConfig:
    return PerceptionConfig(
        latent=latent,
        encoder=wanted or (small if side <= 128 else "vit"),
        patch=_patch(sensors),
        hidden=96,
        depth=4,
        heads=3,
        fusing=_fusing(sensors),
        aged=aged,
    )


def _fusing(sensors: tuple[Sensor, ...]) -> Literal["linear", "mlp"]:
    return "mlp" if any(sensor.kind not in {"rgb", "state"} for sensor in sensors) else "linear"


def _patch(sensors: tuple[Sensor, ...]) -> int:
    sides = [side for sensor in sensors if sensor.picture for side in sensor.shape[1:]]
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
