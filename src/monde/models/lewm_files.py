"""Published weights on disk: safetensors, or a `.pt` that holds tensors and nothing else."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from monde.errors import StoreError
from monde.store import read_json

_VIT_HEADS = {"tiny": 3, "small": 6, "base": 12, "large": 16, "huge": 16}


def read_weights(path: Path) -> tuple[Mapping[str, Tensor], dict[str, int]]:
    """Tensors by name, and the attention heads of "encoder" and "predictor" where a config.json beside them says.

    Args:
        path: A `.safetensors`, `.pt`, `.pth` or `.ckpt` file, or a folder that holds one of them.

    Raises:
        StoreError: No file or several, one that is not readable, or one that holds more than tensors.
    """
    file = _only_file(path) if path.is_dir() else path
    if not file.is_file():
        raise StoreError(f"{file} does not exist", remedy="give a weights file, or the folder that holds one")
    try:
        if file.suffix == ".safetensors":
            tensors: object = load_file(file)
        else:
            tensors = torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise StoreError(
            f"{file} cannot be read as weights",
            got=str(error).splitlines()[0] if str(error) else type(error).__name__,
            expected="safetensors, or a state_dict of tensors alone",
            remedy="a pickled model can run any code; save its state_dict where you trust it",
        ) from error
    if not isinstance(tensors, Mapping):
        raise StoreError(f"{file} holds no tensors by name", got=type(tensors).__name__)
    others = [str(name) for name, value in tensors.items() if not isinstance(value, Tensor)]
    if others:
        raise StoreError(
            f"{file} holds more than tensors",
            got=others[:5],
            expected="a state_dict",
            remedy="save the model's state_dict alone",
        )
    return tensors, _heads(file.parent / "config.json")


def _only_file(folder: Path) -> Path:
    files = sorted(path for path in folder.iterdir() if path.suffix in {".safetensors", ".pt", ".pth", ".ckpt"})
    if len(files) != 1:
        raise StoreError(
            f"{folder} does not hold one file of weights",
            got=[file.name for file in files] or "none",
            remedy="give the file itself",
        )
    return files[0]


def _heads(path: Path) -> dict[str, int]:
    if not path.is_file():
        return {}
    config = read_json(path)
    encoder, predictor = (config.get(part) for part in ("encoder", "predictor"))
    heads = {}
    if isinstance(encoder, dict) and encoder.get("size") in _VIT_HEADS:
        heads["encoder"] = _VIT_HEADS[encoder["size"]]
    if isinstance(predictor, dict) and isinstance(predictor.get("heads"), int):
        heads["predictor"] = int(predictor["heads"])
    return heads
