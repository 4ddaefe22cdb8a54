"""LeWM: stable end-to-end JEPA from pixels (arXiv 2603.19312).

Encoder: each frame to one latent. Predictor: causal transformer over latents, action blocks enter by AdaLN. Loss: mean
squared error of the next latent + weight × SIGReg; no teacher, no stop-gradient, no reconstruction.
"""

from monde.models.config import model_config
from monde.models.jepa import JEPA
from monde.objectives import ObjectiveConfig
from monde.types import ActionSpec, Sensor


def lewm(sensors: tuple[Sensor, ...], actions: ActionSpec, size: str = "tiny") -> tuple[JEPA, ObjectiveConfig]:
    """The model, freshly initialised, and the objective that trains it.

    Args:
        sensors: What it reads; the paper uses one camera.
        actions: Action blocks; the paper uses blocks of 5 control steps.
        size: "nano", "tiny" (the paper's 15 M), "small" or "base".
    """
    objective = ObjectiveConfig(regulariser="sigreg", regulariser_weight=0.1)
    return JEPA(model_config(size, sensors, actions)), objective
