"""Frames of a question into latents of a model that reads one sensor, of whatever kind."""

import numpy as np
import torch
from jaxtyping import Shaped

from monde.models import JEPA
from monde.types import Clip, Latents, Stream


def clip_of(model: JEPA, frames: Shaped[np.ndarray, "n T *frame"]) -> Clip:
    """Films at the model's step as it reads them; nothing is done in them.

    Raises:
        ContractError: Frames of another shape than its sensor's.
    """
    (sensor,) = model.sensors
    n, T = frames.shape[:2]
    times = (torch.arange(T, dtype=torch.float64) * model.actions.block_seconds).expand(n, T)
    values = torch.from_numpy(np.ascontiguousarray(frames))
    return Clip({sensor.name: Stream(values, times, torch.ones(n, T, dtype=torch.bool))})


@torch.no_grad()
def encoded(model: JEPA, frames: Shaped[np.ndarray, "n T *frame"]) -> Latents:
    """Their latents."""
    return model.encode(clip_of(model, frames))
