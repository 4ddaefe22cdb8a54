"""How things to look at are written and read: tensors and fields of an artefact, by name."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from monde.errors import StoreError
from monde.store import Artefact, remove_artefact, save_artefact
from monde.types.checks import check_dtype, check_rank


def write_exhibit(
    folder: Path, kind: str, tensors: Mapping[str, Tensor], meta: Mapping[str, object], replace: bool
) -> None:
    """Write an exhibit; with `replace`, over one that is there.

    Raises:
        StoreError: It exists and `replace` is false, or the disk refuses.
    """
    if replace:
        remove_artefact(folder)
    save_artefact(folder, kind, tensors, meta)


def check_frames(owner: str, frames: Mapping[str, Tensor]) -> None:
    """Refuse what is no film: another rank or dtype."""
    for name, values in frames.items():
        check_rank(owner, name, values, "T C h w")
        check_dtype(owner, name, values, torch.uint8)


def tensor(folder: Path, artefact: Artefact, name: str) -> Tensor:
    """A tensor of an exhibit; raises StoreError where it is missing."""
    if name not in artefact.tensors:
        raise StoreError(f"{folder} lacks tensor {name!r}", got=sorted(artefact.tensors), expected=name)
    return artefact.tensors[name]


def field(folder: Path, artefact: Artefact, name: str) -> object:
    """A field of an exhibit; raises StoreError where it is missing."""
    if name not in artefact.meta:
        raise StoreError(f"{folder} lacks field {name!r}", got=sorted(artefact.meta), expected=name)
    return artefact.meta[name]


def number(folder: Path, artefact: Artefact, name: str) -> float:
    """A field that is a number; raises StoreError where it is not."""
    value = field(folder, artefact, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StoreError(f"{folder}: field {name!r} is no number", got=repr(value))
    return float(value)


def items(folder: Path, artefact: Artefact, name: str) -> list[object]:
    """A field that is a list; raises StoreError where it is not."""
    value = field(folder, artefact, name)
    if not isinstance(value, list):
        raise StoreError(f"{folder}: field {name!r} is no list", got=repr(value))
    return list(value)
