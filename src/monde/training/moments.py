"""Mean and spread of what each sense measures, over training episodes: stored in its encoder, beside the weights."""

from collections.abc import Sequence

import numpy as np
import torch

from monde.data import FrameCache
from monde.models import JEPA
from monde.perception import Perception, SenseEncoder
from monde.perception.fuse import part_name

SAMPLES = 4096
"""Most samples of a sensor whose moments are taken, spread evenly over the training episodes."""
SAMPLE_BYTES = 64 * 2**20
"""Most bytes of them."""


def standardise_senses(model: JEPA, cache: FrameCache, episodes: Sequence[int]) -> None:
    """Give each encoder of numbers the moments of what its sensor measured in some episodes."""
    if not isinstance(model.perception, Perception):
        return
    frames = np.concatenate([np.arange(*cache.offsets[episode : episode + 2]) for episode in sorted(episodes)])
    for sensor in model.sensors:
        encoder = model.perception.encoders[part_name(sensor)]
        if not isinstance(encoder, SenseEncoder) or not encoder.mean.numel():
            continue
        held, values = cache.valid(sensor.name), cache.values(sensor.name)
        there = frames if held is None else frames[held[frames]]
        most = min(SAMPLES, max(1, SAMPLE_BYTES // values[0].nbytes), len(there))
        chosen = there[np.linspace(0, len(there) - 1, most).round().astype(int)] if most else there
        samples = torch.from_numpy(values[np.unique(chosen)])
        measured = encoder.measured(samples.permute(0, 3, 1, 2) if sensor.picture else samples).double()
        if len(measured) > 1:
            encoder.standardise(measured.mean(0).float(), measured.std(0).float())
