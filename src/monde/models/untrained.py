"""The floor that every learned representation must beat: the same network with its first weights."""

from collections.abc import Callable, Iterable

import torch

from monde.models.config import ModelConfig
from monde.models.jepa import JEPA
from monde.nn import BatchNorm
from monde.perception import FrozenPerception
from monde.types import Clip


def initialised(config: ModelConfig, seed: int) -> JEPA:
    """A model with the first weights that `seed` gives; the caller's random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return JEPA(config)


@torch.no_grad()
def untrained(
    config: ModelConfig, seed: int, clips: Iterable[Clip], prepare: Callable[[JEPA], None] | None = None
) -> JEPA:
    """A model with its first weights whose running statistics are those of `clips`, in evaluation mode.

    Without the statistics the floor would be too easy: an untrained network whose batch norms have seen the data
    subtracts the static scene, and much more can be read from it. `prepare`, where given, is called with the model
    first, to give it the moments of what its senses measure.
    """
    model = initialised(config, seed)
    if prepare is not None:
        prepare(model)
    if isinstance(model.perception, FrozenPerception):
        # Here the floor is what the same network says before pretraining; it keeps no running statistics.
        model.perception = model.perception.untrained(seed)
        return model.eval()
    model.train()
    norms = [module for module in model.modules() if isinstance(module, BatchNorm)]
    for count, clip in enumerate(clips, start=1):
        for norm in norms:
            norm.momentum = 1 / count  # the mean over all batches so far
        model.encode(clip)
    return model.eval()
