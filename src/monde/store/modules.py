"""A network with its sizes as an artefact that belongs to certain weights."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torch import nn

from monde.store.artefact import TENSORS, check_tensors, load_bound, save_artefact
from monde.store.typed import from_json, to_json

M = TypeVar("M", bound=nn.Module)
C = TypeVar("C")


def save_module(folder: Path, kind: str, module: nn.Module, config: object, of: str) -> None:
    """Write a network; `folder` appears complete or not at all.

    Args:
        folder: Where it goes.
        kind: What it is.
        module: Its tensors are kept.
        config: The dataclass that it is made from.
        of: Hash of the weights that it belongs to.

    Raises:
        StoreError: `folder` exists, or the disk is full or read-only.
    """
    save_artefact(folder, kind, module.state_dict(), {"config": to_json(config), "of": of})


def load_module(
    folder: Path, kind: str, make: Callable[[C], M], config: type[C], of: str | None, what: str, remedy: str
) -> M:
    """Read a network back, in evaluation mode.

    Args:
        folder: Where it is.
        kind: The kind it must be.
        make: Makes it from its configuration.
        config: The dataclass of that.
        of: Hash of the weights that it must belong to, or none for any.
        what: What is wrong where it belongs to others, for the message.
        remedy: What to do then.

    Raises:
        StoreError: Missing, altered, of another kind or other sizes, or it belongs to other weights than `of`.
    """
    artefact = load_bound(folder, kind, of, what, remedy)
    module = make(from_json(config, artefact.meta.get("config"), "config"))
    check_tensors(folder / TENSORS, artefact.tensors, module.state_dict())
    module.load_state_dict(dict(artefact.tensors))
    return module.eval()
