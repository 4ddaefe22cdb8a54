"""The construction-time checks and reprs that all contracts share."""

from collections.abc import Sequence

import torch
from torch import Tensor

from monde.errors import ContractError
from monde.limits import MAX_NAME_CHARACTERS


def describe(tensor: Tensor | None) -> str:
    """A tensor in a few words: dtype, shape, device and finite range. Never its contents."""
    if tensor is None:
        return "none"
    shape = "×".join(map(str, tensor.shape)) if tensor.ndim else "scalar"
    text = f"{str(tensor.dtype).removeprefix('torch.')}[{shape}] on {tensor.device.type}"
    if tensor.numel() == 0 or tensor.is_meta:
        return text
    values = tensor.detach()
    if values.dtype is torch.bool:
        return f"{text}, {int(values.sum())} true"
    if values.is_floating_point():
        finite = torch.isfinite(values)
        if not bool(finite.all()):
            return f"{text}, {int((~finite).sum())} not finite"
    return f"{text}, {values.min().item():.4g}..{values.max().item():.4g}"


def check_rank(owner: str, field: str, tensor: Tensor, axes: str) -> None:
    """Refuse a tensor that does not have one dimension per axis letter of `axes` (e.g. "B T N D")."""
    expected = axes.split()
    if "..." in expected:
        if tensor.ndim >= len(expected) - 1:
            return
    elif tensor.ndim == len(expected):
        return
    raise ContractError(
        f"{owner}.{field} has the wrong rank", got=describe(tensor), expected=f"[{', '.join(expected)}]"
    )


def check_leading(owner: str, field: str, tensor: Tensor, expected: Sequence[int], axes: str) -> None:
    """Refuse a tensor whose leading dimensions differ from `expected`."""
    if tuple(tensor.shape[: len(expected)]) != tuple(expected):
        raise ContractError(
            f"{owner}.{field} does not line up",
            got=describe(tensor),
            expected=f"leading dimensions [{axes}] = {list(expected)}",
        )


def check_floating(owner: str, field: str, tensor: Tensor) -> None:
    """Refuse an integer or boolean tensor where real numbers are meant."""
    if not tensor.is_floating_point():
        raise ContractError(f"{owner}.{field} must hold real numbers", got=describe(tensor), expected="a float dtype")


def check_dtype(owner: str, field: str, tensor: Tensor, dtype: torch.dtype) -> None:
    """Refuse a tensor of another dtype."""
    if tensor.dtype != dtype:
        raise ContractError(f"{owner}.{field} has the wrong dtype", got=describe(tensor), expected=str(dtype))


def check_same_device(owner: str, tensors: dict[str, Tensor]) -> None:
    """Refuse tensors that live on different devices."""
    devices = {name: str(tensor.device) for name, tensor in tensors.items()}
    if len(set(devices.values())) > 1:
        raise ContractError(
            f"{owner} holds tensors on several devices",
            got=", ".join(f"{name} on {device}" for name, device in devices.items()),
            expected="one device",
            remedy=f"move the whole {owner} with .to(device)",
        )


def check_name(owner: str, name: str) -> None:
    """Refuse an empty name, one that is too long, or one that could escape a folder."""
    if not name or len(name) > MAX_NAME_CHARACTERS or "\x00" in name or "/" in name or name in {".", ".."}:
        raise ContractError(
            f"{owner} has an unusable name",
            got=repr(name[:40]),
            expected=f"1 to {MAX_NAME_CHARACTERS} characters without '/'",
        )
