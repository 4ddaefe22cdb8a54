"""DINO-WM: world models on pretrained visual features (arXiv 2411.04983).

Encoder: a frozen pretrained network, its patch tokens (N > 1) as latents. Predictor: transformer over the tokens of
recent frames, frame-causal (section 3.1); action blocks enter by AdaLN, where the paper appends them to each token.
Loss: mean squared error of the next tokens. Targets do not move, so nothing can collapse and nothing is regularised.
"""

from monde.dynamics import TransformerDynamicsConfig
from monde.errors import unknown_name
from monde.models.config import ModelConfig
from monde.models.jepa import JEPA
from monde.objectives import ObjectiveConfig
from monde.perception import BackboneConfig, check_cameras
from monde.types import ActionSpec, Sensor

# Width, depth, heads and width of a head. DINO-WM's predictor is 384-wide with 6 blocks of 16 heads ("small").
_SIZES = {"nano": (128, 2, 4, 32), "tiny": (192, 6, 3, 64), "small": (384, 6, 16, 64), "base": (768, 6, 16, 64)}


def dino_wm_config(
    sensors: tuple[Sensor, ...], actions: ActionSpec, backbone: BackboneConfig, size: str = "nano"
) -> ModelConfig:
    """The configuration: `size` sets the dynamics, `backbone` all else.

    Raises:
        UsageError: An unknown size.
        ContractError: A sensor that is no camera.
    """
    check_cameras(sensors)
    if size not in _SIZES:
        raise unknown_name("size", size, list(_SIZES))
    hidden, depth, heads, head_width = _SIZES[size]
    return ModelConfig(
        sensors=sensors,
        actions=actions,
        perception=backbone,
        dynamics=TransformerDynamicsConfig(
            latent=backbone.latent,
            actions=actions.width,
            tokens=len(sensors) * backbone.grid**2,
            window=3,
            hidden=hidden,
            depth=depth,
            heads=heads,
            head_width=head_width,
        ),
    )


def dino_wm(
    sensors: tuple[Sensor, ...], actions: ActionSpec, backbone: BackboneConfig, size: str = "small"
) -> tuple[JEPA, ObjectiveConfig]:
    """The model, its dynamics freshly initialised, and the objective that trains it.

    Args:
        sensors: Cameras.
        actions: Action blocks; the paper uses blocks of 5 control steps.
        backbone: Which encoder (`monde.perception.describe_backbone`).
        size: "nano", "tiny", "small" (the paper's) or "base".

    Raises:
        UsageError: An unknown size.
        ContractError: A sensor that is no camera.
    """
    return JEPA(dino_wm_config(sensors, actions, backbone, size)), ObjectiveConfig(regulariser_weight=0.0)
