"""Sensor dropout: now and then a whole sense is hidden from a clip, so that no other sense goes blind beside it."""

import torch
from jaxtyping import Bool
from torch import Generator, Tensor


def hidden_senses(batch: int, sensors: int, probability: float, generator: Generator) -> Bool[Tensor, "B n"]:
    """Which sensors each row does not see. Never all of them: where all were drawn, one drawn at random is shown.

    Args:
        batch: B.
        sensors: n, at least 2.
        probability: Of each sensor and row.
        generator: On the CPU.
    """
    hidden = torch.rand(batch, sensors, generator=generator) < probability
    shown = torch.randint(sensors, (batch, 1), generator=generator)
    spared = torch.zeros_like(hidden).scatter_(1, shown, True)
    return hidden & ~(spared & hidden.all(1, keepdim=True))
