"""features.json of a TensorFlow Dataset: what each flattened feature of a record is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from monde.errors import DataError, StoreError
from monde.store import read_json

FEATURES = "features.json"
STEPS = "steps"
_DEPTH = 8
_NUMERIC = frozenset(
    {"bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64"}
)
Form = Literal["tensor", "image", "text"]


@dataclass(frozen=True, kw_only=True)
class Described:
    """One feature of a step.

    Args:
        key: Its name in the record ("steps/observation/image_0").
        form: How its values are stored.
        dtype: Of its values, or none for texts.
        shape: Of one sample.
        encoding: Of a tensor: "none" (one number after another), "bytes" or "zlib" (one string of bytes a sample).
    """

    key: str
    form: Form
    dtype: np.dtype | None
    shape: tuple[int, ...]
    encoding: str = "none"

    @property
    def size(self) -> int:
        """Numbers in one sample."""
        return int(np.prod(self.shape))


def read_features(root: Path) -> dict[str, Described]:
    """The features of a step that can be read, by their names in a record, in the order of their names.

    What is nested deeper (sequences in steps), of variable shape, video, audio or pictures of 16 bits is left out.

    Raises:
        DataError: Missing, malformed, or without steps.
    """
    path = root / FEATURES
    try:
        document = read_json(path)
    except StoreError as error:
        raise DataError(
            error.what,
            got=error.got,
            expected="the features.json that TensorFlow Datasets writes beside its TFRecord files",
            remedy="copy features.json from where the dataset came",
        ) from error
    steps = _child(_child(document, "featuresDict"), "features").get(STEPS)
    inner = _child(_child(steps, "sequence"), "feature")
    found = {feature.key: feature for feature in _walk(STEPS, inner, 0)}
    if not found:
        raise DataError(
            f"{path} describes no steps",
            got=", ".join(_child(_child(document, "featuresDict"), "features"))[:200] or "no features",
            expected="a sequence called steps, as RLDS has it",
        )
    return dict(sorted(found.items()))


def _walk(key: str, node: Mapping[str, object], depth: int) -> Iterator[Described]:
    if depth > _DEPTH:
        raise DataError(f"{FEATURES} is nested too deeply", got=f"{depth} levels", expected=f"at most {_DEPTH}")
    nested = _child(_child(node, "featuresDict"), "features")
    for name, child in nested.items():
        if isinstance(child, dict):
            yield from _walk(f"{key}/{name}", child, depth + 1)
    if "image" in node:
        image = _child(node, "image")
        shape = _shape(image)
        if shape is not None and len(shape) == 3 and image.get("dtype", "uint8") == "uint8":
            yield Described(key=key, form="image", dtype=np.dtype(np.uint8), shape=shape)
    elif "text" in node:
        yield Described(key=key, form="text", dtype=None, shape=())
    elif "tensor" in node:
        tensor = _child(node, "tensor")
        shape, dtype, encoding = _shape(tensor), str(tensor.get("dtype")), str(tensor.get("encoding", "none"))
        if dtype == "string" and shape == ():
            yield Described(key=key, form="text", dtype=None, shape=())
        elif dtype in _NUMERIC and shape is not None and encoding in {"none", "bytes", "zlib"}:
            yield Described(key=key, form="tensor", dtype=np.dtype(dtype), shape=shape, encoding=encoding)


def _shape(node: Mapping[str, object]) -> tuple[int, ...] | None:
    """The shape, or none where a side is not fixed."""
    dimensions = _child(node, "shape").get("dimensions", [])
    try:
        shape = tuple(int(str(side)) for side in dimensions) if isinstance(dimensions, list) else None
    except ValueError:
        return None
    return shape if shape is not None and all(side > 0 for side in shape) else None


def _child(node: object, name: str) -> Mapping[str, object]:
    child = node.get(name) if isinstance(node, Mapping) else None
    return child if isinstance(child, Mapping) else {}
