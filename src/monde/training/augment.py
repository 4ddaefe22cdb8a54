"""Augmentation: without it a few thousand frames, or films, are told apart by heart."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Generator, Tensor

from monde.training.config import TrainConfig
from monde.types import Clip


def augmented(clip: Clip, config: TrainConfig, generator: Generator) -> Clip:
    """A batch of clips, changed at random in the ways that the configuration allows."""
    if config.shift:
        clip = random_shift(clip, config.shift, generator)
    if config.mirror:
        clip = random_mirror(clip, generator)
    if config.channels:
        clip = random_channels(clip, generator)
    return clip


def random_shift(clip: Clip, share: float, generator: Generator) -> Clip:
    """Every row's frames moved by one random offset, edges repeated (DrQ, arXiv 2004.13649, section 3.1).

    All frames of a row move alike: what moves within it does as before.

    Args:
        clip: Aligned; cameras are uint8 [B, T, 3, h, w].
        share: Largest offset, as a share of the frame's side.
        generator: Draws the offsets; on the CPU.
    """
    return _changed(clip, lambda values: _shifted(values, share, generator))


def random_mirror(clip: Clip, generator: Generator) -> Clip:
    """Half of the rows seen in a mirror, left for right: a film of physics that is as possible as the film itself.

    Args:
        clip: Aligned; cameras are uint8 [B, T, 3, h, w].
        generator: Draws which rows; on the CPU.
    """
    rows = (torch.rand(clip.batch, generator=generator) < 0.5)[:, None, None, None, None]
    return _changed(clip, lambda values: torch.where(rows, values.flip(-1), values))


def random_channels(clip: Clip, generator: Generator) -> Clip:
    """Every row's colour channels in one random order: the same film in other colours.

    Args:
        clip: Aligned; cameras are uint8 [B, T, 3, h, w].
        generator: Draws the orders; on the CPU.
    """
    orders = torch.rand(clip.batch, 3, generator=generator).argsort(dim=1)
    rows = torch.arange(clip.batch)[:, None]
    return _changed(clip, lambda values: values.transpose(1, 2)[rows, orders].transpose(1, 2))


def _changed(clip: Clip, change: Callable[[Tensor], Tensor]) -> Clip:
    """The clip with `change` applied to what its cameras show."""
    streams = {
        name: replace(stream, values=change(stream.values)) if stream.values.dtype == torch.uint8 else stream
        for name, stream in clip.streams.items()
    }
    return replace(clip, streams=streams)


def _shifted(values: Tensor, share: float, generator: Generator) -> Tensor:
    B, _, _, h, w = values.shape
    result = torch.empty_like(values)
    most = (int(share * h), int(share * w))
    for row in range(B):
        dy, dx = (int(torch.randint(-m, m + 1, (), generator=generator)) for m in most)
        rows = (torch.arange(h) + dy).clamp(0, h - 1)
        columns = (torch.arange(w) + dx).clamp(0, w - 1)
        result[row] = values[row][:, :, rows][..., columns]
    return result
