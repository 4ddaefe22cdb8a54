"""Arrays in documents: `{"dtype", "shape", "data"}`, data being the little-endian bytes in row-major order.

In JSON `data` is their base64; small arrays of numbers may also be nested lists.
"""

import base64
import binascii
import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Shaped

from monde.errors import ServingError
from monde.limits import MAX_WIRE_ELEMENTS

DTYPES: Mapping[str, np.dtype[np.generic]] = {
    name: np.dtype(name).newbyteorder("<") for name in ("uint8", "bool", "int64", "float32", "float64")
}
"""What an array may be of."""

MAX_RANK = 8


def array_document(array: Shaped[np.ndarray, "..."], text: bool = False) -> dict[str, object]:
    """An array as a document.

    Args:
        array: Of one of `DTYPES`.
        text: Whether it will be JSON: data as base64.

    Raises:
        ServingError: Another dtype.
    """
    name = array.dtype.name
    if name not in DTYPES:
        raise ServingError("an array of this dtype cannot be sent", got=name, expected=f"one of {', '.join(DTYPES)}")
    data = np.ascontiguousarray(array, DTYPES[name]).tobytes()
    return {
        "dtype": name,
        "shape": list(array.shape),
        "data": base64.b64encode(data).decode() if text else data,
    }


def read_array(value: object, where: str) -> Shaped[np.ndarray, "..."]:
    """The array that a document holds; it shares the document's memory, and is read-only.

    Args:
        value: `{"dtype", "shape", "data"}`, or nested lists of numbers (float32).
        where: What it is called in messages.

    Raises:
        ServingError: Anything else, an unknown dtype, a shape that is no shape or does not fit the data, too large.
    """
    if isinstance(value, list | tuple):
        return _from_lists(value, where)
    if not isinstance(value, Mapping) or set(value) != {"dtype", "shape", "data"}:
        raise ServingError(
            f"{where} is no array",
            got=_told(value),
            expected='{"dtype", "shape", "data"}, or nested lists of numbers',
        )
    dtype, shape, data = value["dtype"], value["shape"], value["data"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ServingError(f"{where} has an unknown dtype", got=str(dtype)[:40], expected=", ".join(DTYPES))
    count = _count(shape, where)
    if isinstance(data, str):
        try:
            data = base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise ServingError(f"the data of {where} are no base64", got=error) from error
    if not isinstance(data, bytes):
        raise ServingError(f"the data of {where} are no bytes", got=type(data).__name__)
    if len(data) != count * DTYPES[dtype].itemsize:
        raise ServingError(
            f"the data of {where} do not fit its shape",
            got=f"{len(data)} bytes",
            expected=f"{count * DTYPES[dtype].itemsize} bytes ({dtype} {shape})",
        )
    array = np.frombuffer(data, DTYPES[dtype]).reshape(shape)
    if dtype == "bool" and bool((array.view(np.uint8) > 1).any()):
        raise ServingError(f"{where} holds bytes that are no truth values", expected="0 or 1")
    return array


def _count(shape: object, where: str) -> int:
    """The number of elements of a shape, in Python's integers: no claim is too large to be counted."""
    sides = list(shape) if isinstance(shape, list | tuple) else None
    if sides is None or len(sides) > MAX_RANK or not all(type(side) is int and side >= 0 for side in sides):
        raise ServingError(
            f"{where} has no usable shape", got=str(shape)[:60], expected=f"up to {MAX_RANK} sizes, each 0 or more"
        )
    count = math.prod(sides)
    if count > MAX_WIRE_ELEMENTS:
        raise ServingError(
            f"{where} is too large", status=413, got=f"{count} numbers", expected=f"at most {MAX_WIRE_ELEMENTS}"
        )
    return count


def _from_lists(value: list[object] | tuple[object, ...], where: str) -> Shaped[np.ndarray, "..."]:
    try:
        array = np.array(value)
    except ValueError as error:
        raise ServingError(f"{where} has rows of unequal length", got=error) from error
    if array.dtype.kind not in "iuf" or array.ndim > MAX_RANK:
        raise ServingError(f"{where} is no array of numbers", got=str(array.dtype), expected="numbers")
    return array.astype(np.float32)


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return f"an object of {', '.join(sorted(map(str, value))[:6])}"
    if isinstance(value, str):
        return repr(value[:60])
    return type(value).__name__
