"""Training on a frozen encoder: windows show its cached tokens where they would show frames.

The windows themselves are `monde.data.Windows`: the cache that holds the tokens is a frame cache with more in it.
"""

from monde.data import FrameCache
from monde.models import JEPA, ModelConfig, dino_wm_config
from monde.perception import BackboneConfig, FrozenPerception, describe_backbone, find_again
from monde.training.config import TrainConfig
from monde.training.device import choose_device
from monde.training.latent_cache import Progress, open_or_encode, token_moments
from monde.types import ActionSpec, Sensor


def on_frozen_encoder(
    config: TrainConfig,
    cache: FrameCache,
    sensors: tuple[Sensor, ...],
    actions: ActionSpec,
    backbone: BackboneConfig | None,
    progress: Progress | None,
) -> tuple[ModelConfig, FrameCache]:
    """The model on top of the encoder, and the cache that also holds its tokens.

    Args:
        config: What is trained.
        cache: Decoded frames.
        sensors: What the model reads.
        actions: Action blocks.
        backbone: The encoder as a run knows it; none to take what `config.backbone` names now.
        progress: Told while frames are encoded.

    Raises:
        UsageError: There is no such encoder.
        StoreError: It is not the one that the run knows.
        ContractError: A sensor that is no camera.
        CacheError: No room for the tokens.
    """
    if backbone is None:
        backbone = describe_backbone(config.backbone or "", frame=config.frame, grid=config.grid)
    else:
        find_again(backbone)
    model = dino_wm_config(sensors, actions, backbone, config.size)
    tokens = open_or_encode(cache, sensors, backbone, config.tokens, choose_device(config.device), progress)
    return model, tokens


def standardise_tokens(model: JEPA, cache: FrameCache, episodes: tuple[int, ...]) -> None:
    """Give a model on a frozen encoder the moments of its training tokens; other models learn theirs."""
    if isinstance(model.perception, FrozenPerception):
        model.perception.standardise(*token_moments(cache, model.sensors, episodes))
