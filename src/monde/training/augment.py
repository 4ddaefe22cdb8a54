"""Augmentation for small recordings: without it a few thousand frames are told apart by heart."""

from dataclasses import replace

import torch
from torch import Generator

from monde.types import Clip, Stream


def random_shift(clip: Clip, share: float, generator: Generator) -> Clip:
    """Every row's frames moved by one random offset, edges repeated (DrQ, arXiv 2004.13649, section 3.1).

    All frames of a row move alike: what moves within it does as before.

    Args:
        clip: Aligned; cameras are uint8 [B, T, 3, h, w].
        share: Largest offset, as a share of the frame's side.
        generator: Draws the offsets; on the CPU.
    """
    streams = {
        name: _shifted(stream, share, generator) if stream.values.dtype == torch.uint8 else stream
        for name, stream in clip.streams.items()
    }
    return replace(clip, streams=streams)


def _shifted(stream: Stream, share: float, generator: Generator) -> Stream:
    B, _, _, h, w = stream.values.shape
    result = torch.empty_like(stream.values)
    most = (int(share * h), int(share * w))
    for row in range(B):
        dy, dx = (int(torch.randint(-m, m + 1, (), generator=generator)) for m in most)
        rows = (torch.arange(h) + dy).clamp(0, h - 1)
        columns = (torch.arange(w) + dx).clamp(0, w - 1)
        result[row] = stream.values[row][:, :, rows][..., columns]
    return replace(stream, values=result)
