"""Nothing that is not finite reaches the weights."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from monde.errors import TrainingError
from monde.types import Clip

Where = Callable[[], str]
"""Tells which batch this is: called only when something is wrong."""


def check_clip(clip: Clip, where: Where) -> None:
    """Refuse a batch that holds NaN or infinity.

    Raises:
        TrainingError: Naming stream, first bad row and batch.
    """
    streams = dict(clip.streams) | ({} if clip.actions is None else {"actions": clip.actions})
    for name, stream in streams.items():
        if not stream.values.is_floating_point():
            continue
        finite = torch.isfinite(stream.values).flatten(1).all(1) | ~stream.valid.any(1)
        if not bool(finite.all()):
            row = int((~finite).nonzero()[0])
            raise TrainingError(
                f"the data hold numbers that are not finite in {name!r}",
                got=f"row {row} of {where()}",
                expected="finite numbers",
                remedy="run `monde check` on the recording; no weight was changed",
            )


def check_losses(total: Tensor, parts: Mapping[str, Tensor], where: Where) -> None:
    """Refuse a loss that is not finite, naming its parts.

    Raises:
        TrainingError: Before any gradient is computed.
    """
    if bool(torch.isfinite(total)):
        return
    told = ", ".join(f"{name} {float(value):.4g}" for name, value in parts.items())
    raise TrainingError(
        "the loss is not finite",
        got=f"{told}, at {where()}",
        remedy="lower the learning rate or use --precision fp32; the last checkpoint is from before this batch",
    )


def check_gradients(norm: Tensor, module: torch.nn.Module, where: Where) -> None:
    """Refuse gradients that are not finite, naming the first parameter.

    Raises:
        TrainingError: Before the optimiser changes a weight.
    """
    if bool(torch.isfinite(norm)):
        return
    bad = [n for n, p in module.named_parameters() if p.grad is not None and not bool(torch.isfinite(p.grad).all())]
    raise TrainingError(
        "the gradient is not finite",
        got=f"in {bad[0] if bad else 'their norm'} and {max(len(bad) - 1, 0)} more, at {where()}",
        remedy="lower the learning rate or use --precision fp32; no weight was changed by this batch",
    )
