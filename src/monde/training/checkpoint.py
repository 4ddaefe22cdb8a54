"""Everything a run needs to go on exactly where it was, as one artefact: weights, optimiser, generators, position."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from monde.errors import StoreError
from monde.store import RunFolder, load_artefact, save_artefact
from monde.store.artefact import TENSORS, check_tensors

KEEP = 2
"""Complete checkpoints kept; older ones are removed after a newer one is safely on disk."""


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where training stands.

    Args:
        step: Optimiser steps taken.
        seconds: Wall time spent training.
        sampler: State of the sampler.
    """

    step: int
    seconds: float
    sampler: Mapping[str, object]


def save_checkpoint(
    run: RunFolder, module: nn.Module, optimiser: torch.optim.Optimizer, generator: torch.Generator, position: Position
) -> Path:
    """Write a checkpoint under its step's name, complete or not at all; then remove all but the newest.

    Raises:
        StoreError: The disk is full or read-only; earlier checkpoints stay.
    """
    folder = run.checkpoint(position.step)
    if (folder / "manifest.json").exists():
        return folder
    tensors = dict(module.state_dict())
    tensors |= _optimiser_tensors(module, optimiser)
    tensors["generator"] = generator.get_state()
    meta = {"step": position.step, "seconds": position.seconds, "sampler": dict(position.sampler)}
    save_artefact(folder, "checkpoint", tensors, meta)
    for step in run.steps()[:-KEEP]:
        shutil.rmtree(run.checkpoint(step))
    return folder


def load_checkpoint(
    folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer, generator: torch.Generator
) -> Position:
    """Restore module, optimiser and generator in place; returns where training stood.

    Raises:
        StoreError: Altered, incomplete or made by another configuration; nothing is restored then.
    """
    artefact = load_artefact(folder, "checkpoint")
    weights = module.state_dict()
    found = {name: tensor for name, tensor in artefact.tensors.items() if name in weights}
    surplus = {n: t for n, t in artefact.tensors.items() if n.startswith(("model.", "objective."))}
    check_tensors(folder / TENSORS, surplus | found, weights)
    if "generator" not in artefact.tensors:
        raise StoreError(f"{folder / TENSORS} holds no generator state", remedy="use another checkpoint of the run")
    sampler, step, seconds = (artefact.meta.get(key) for key in ("sampler", "step", "seconds"))
    if not isinstance(sampler, dict) or not isinstance(step, int) or not isinstance(seconds, (int, float)):
        raise StoreError(f"{folder} does not say where training stood", remedy="use another checkpoint of the run")
    _restore_optimiser(folder, module, optimiser, artefact.tensors)
    module.load_state_dict(found)
    generator.set_state(artefact.tensors["generator"])
    return Position(step=step, seconds=float(seconds), sampler=sampler)


def _optimiser_tensors(module: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    names: dict[Tensor, str] = {parameter: name for name, parameter in module.named_parameters()}
    return {
        f"optimiser.{names[parameter]}.{key}": torch.as_tensor(value)
        for parameter, state in optimiser.state.items()
        for key, value in state.items()
    }


def _restore_optimiser(
    folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]
) -> None:
    states: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        if key.startswith("optimiser."):
            name, _, entry = key.removeprefix("optimiser.").rpartition(".")
            states.setdefault(name, {})[entry] = tensor
    names = {parameter: name for name, parameter in module.named_parameters()}
    order = [names[parameter] for group in optimiser.param_groups for parameter in group["params"]]
    if states and set(states) != set(order):
        odd = sorted(set(states) ^ set(order))
        raise StoreError(f"{folder / TENSORS}: the optimiser's state does not fit", got=odd[:5])
    document = optimiser.state_dict()
    document["state"] = {index: states[name] for index, name in enumerate(order) if name in states}
    optimiser.load_state_dict(document)
