"""LeWM as others published it (arXiv 2603.19312): their weights in our model, and ours in their layouts.

- "stable-worldmodel" (0.1.1; also the authors' own repository and their weights on the hub): frames are normalised
  with ImageNet's moments; the ViT is that of `transformers`, named as version 4 or 5 does.
- "torch-world" (0.2.0): `LeWM(CLSEncoder(…))`; frames are scaled to 0..1; fixed sine positions.

Both take actions that their data pipeline has standardised; those moments are not among the weights.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import save as save_safetensors
from torch import Tensor

from monde.dynamics.lewm_predictor import LewmPredictorConfig
from monde.errors import ContractError, StoreError
from monde.models.config import ModelConfig
from monde.models.jepa import JEPA
from monde.models.lewm_files import read_weights
from monde.models.lewm_names import Layout, known_layout, modern, names, training_only
from monde.models.lewm_sizes import read_sizes
from monde.perception.lewm_vit import LewmPerceptionConfig
from monde.store import write_bytes
from monde.types import ActionSpec, Sensor


def import_lewm(
    weights: Path | Mapping[str, Tensor],
    layout: str = "stable-worldmodel",
    *,
    camera: Sensor,
    actions: ActionSpec,
    action_mean: Float[Tensor, " A"] | None = None,
    action_std: Float[Tensor, " A"] | None = None,
    encoder_heads: int | None = None,
    predictor_heads: int | None = None,
) -> JEPA:
    """A model with published weights that gives the numbers of the package they come from, in evaluation mode.

    Args:
        weights: Tensors by name, or where they are: a safetensors file, a `.pt` of tensors alone, or a folder with one.
        layout: The package that wrote them.
        camera: What it sees. Frames of another size than it was trained on get interpolated positions
            ("stable-worldmodel"), as theirs do.
        actions: The action blocks that it takes.
        action_mean: [A] in the world's units, subtracted from blocks; zero unless given.
        action_std: [A], what they are then divided by; one unless given.
        encoder_heads: Attention heads of the ViT; by default those of 64 numbers each, as published.
        predictor_heads: Attention heads of the predictor; likewise, unless a config.json in the folder says.

    Raises:
        UsageError: An unknown layout.
        StoreError: A file that cannot be read, or tensors that are missing, unknown, misshapen or not finite.
        ContractError: A camera or actions that do not fit the weights.
    """
    package = known_layout(layout)
    found, heads = read_weights(weights) if isinstance(weights, Path) else (weights, {})
    tensors = {modern(name): tensor.detach() for name, tensor in found.items()}
    heads |= {k: v for k, v in {"encoder": encoder_heads, "predictor": predictor_heads}.items() if v is not None}
    perception, dynamics = read_sizes(tensors, package, camera, heads)
    if dynamics.actions != actions.width:
        raise ContractError(
            "the weights were trained with action blocks of another width",
            got=f"{actions.width} = {actions.block} steps × {actions.dim}",
            expected=dynamics.actions,
            remedy="give the ActionSpec the block (frameskip) of their training",
        )
    model = JEPA(ModelConfig(sensors=(camera,), actions=actions, perception=perception, dynamics=dynamics))
    _check(tensors, model, package)
    state = model.state_dict()
    state |= {name.ours: name.load(tensors).to(torch.float32) for name in names(package, perception, dynamics)}
    state["action_mean"] = _moment("action_mean", action_mean, state["action_mean"])
    state["action_std"] = _moment("action_std", action_std, state["action_std"])
    if not bool((state["action_std"] > 0).all()):
        raise ContractError("action_std is not positive", got=float(state["action_std"].min()), expected="> 0")
    model.load_state_dict(state)
    return model.eval()


def export_lewm(model: JEPA, layout: str = "stable-worldmodel") -> dict[str, Tensor]:
    """The model's weights as a package's LeWM loads them with `load_state_dict` (ViT as in transformers 5).

    Blocks in its layout are standardised: give theirs (actions - model.action_mean) / model.action_std.

    Raises:
        UsageError: An unknown layout.
        ContractError: A model of another architecture than that package's LeWM.
    """
    package = known_layout(layout)
    perception, dynamics = _published(model, package)
    state = model.state_dict()
    tensors = {
        name: tensor.cpu()
        for named in names(package, perception, dynamics)
        for name, tensor in named.export(state[named.ours]).items()
    }
    return {name: tensor.clone() for name, tensor in (tensors | training_only(package)).items()}


def save_lewm(model: JEPA, path: Path, layout: str = "stable-worldmodel") -> None:
    """Write what `export_lewm` returns to a safetensors file, atomically.

    Raises:
        UsageError: An unknown layout.
        ContractError: A model of another architecture than that package's LeWM.
        StoreError: The disk is full or read-only.
    """
    write_bytes(path, save_safetensors(export_lewm(model, layout)))


def _published(model: JEPA, layout: Layout) -> tuple[LewmPerceptionConfig, LewmPredictorConfig]:
    perception, dynamics = model.config.perception, model.config.dynamics
    if not isinstance(perception, LewmPerceptionConfig) or not isinstance(dynamics, LewmPredictorConfig):
        raise ContractError(
            "only LeWM as published can be exported",
            got=f"{type(perception).__name__} and {type(dynamics).__name__}",
            expected="LewmPerceptionConfig and LewmPredictorConfig",
            remedy="build the model with import_lewm or from these configurations",
        )
    learned = layout == "stable-worldmodel"
    if (perception.positions == "learned") != learned or dynamics.inner_norm != learned:
        raise ContractError(
            f"this model is not built as the LeWM of {layout}",
            got=f"{perception.positions} positions, inner_norm={dynamics.inner_norm}",
            expected=f"{'learned' if learned else 'sines'} positions, inner_norm={learned}",
            remedy="export it in the other layout",
        )
    return perception, dynamics


def _check(tensors: Mapping[str, Tensor], model: JEPA, layout: Layout) -> None:
    """Refuse tensors that differ in name or shape from the model's export, or are not finite."""
    expected, unused = export_lewm(model, layout), training_only(layout)
    missing = sorted(set(expected) - set(tensors) - set(unused))
    surplus = sorted(set(tensors) - set(expected))
    if missing or surplus:
        raise StoreError(
            f"these are not the weights of a LeWM of {layout}",
            got=f"missing {missing[:5]}, surplus {surplus[:5]}",
            expected=f"{len(expected)} tensors",
            remedy="choose the layout of the package that wrote them",
        )
    for name in sorted(set(expected) - set(unused)):
        if tensors[name].shape != expected[name].shape or not tensors[name].is_floating_point():
            raise StoreError(
                f"tensor {name!r} does not fit the others",
                got=f"{tensors[name].dtype} {list(tensors[name].shape)}",
                expected=f"floating {list(expected[name].shape)}",
            )
        if not bool(torch.isfinite(tensors[name]).all()):
            raise StoreError(f"tensor {name!r} is not finite", got="NaN or infinity", expected="finite weights")


def _moment(what: str, given: Tensor | None, default: Tensor) -> Tensor:
    if given is None:
        return default
    if given.shape != default.shape or not bool(torch.isfinite(given).all()):
        raise ContractError(f"{what} does not fit", got=list(given.shape), expected=f"finite {list(default.shape)}")
    return given.to(default)
