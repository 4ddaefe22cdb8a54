"""What is adapted and by which loss: the encoder, where the world looks otherwise; the dynamics, where it moves so."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from monde.data import Windows
from monde.models import JEPA
from monde.training.adapting.adapt_sources import LookedFrames, NewClips, OldFrames
from monde.training.adapting.adapt_step import DynamicsStep, LookStep
from monde.training.setup import Setup


@dataclass(frozen=True, kw_only=True)
class AdaptTask:
    """One way of adapting.

    Args:
        module: Holds the adapted model, as a checkpoint does.
        model: It.
        trained: The part of it whose weights change.
        loss: Draws a batch; the loss and its parts.
    """

    module: nn.Module
    model: JEPA
    trained: nn.Module
    loss: Callable[[Generator], tuple[Tensor, Mapping[str, Tensor]]]


def look_task(teacher: JEPA, old: Setup, new: NewClips | None, batch: int, generator: Generator) -> AdaptTask:
    """The encoder learns another look: that of the new clips, or looks of any kind."""
    names = [sensor.name for sensor in teacher.sensors]
    frames = OldFrames(Windows(old.cache, old.split.train, names, 1, teacher.actions), teacher)
    looked = LookedFrames() if new is None else LookedFrames.like(frames.windows, new.singles, names, generator)
    module = LookStep(copy.deepcopy(teacher))

    def loss(generator: Generator) -> tuple[Tensor, Mapping[str, Tensor]]:
        kept, wanted = frames.draw(batch, generator)
        return module.forward(kept, looked(kept, generator), wanted)

    return AdaptTask(module=module, model=module.model, trained=module.model.perception, loss=loss)


def dynamics_task(teacher: JEPA, new: NewClips, batch: int) -> AdaptTask:
    """The dynamics learn what actions do now; latents stay what they were."""
    module = DynamicsStep(copy.deepcopy(teacher))

    def loss(generator: Generator) -> tuple[Tensor, Mapping[str, Tensor]]:
        clip = new.draw(batch, generator)
        with torch.no_grad():
            latents = teacher.encode(clip).values
        return module.forward(clip, latents)

    return AdaptTask(module=module, model=module.model, trained=module.model.dynamics, loss=loss)
