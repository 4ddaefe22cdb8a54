"""Frozen dataclasses to JSON and back, by their annotations: what run.json is made of, and what questions and answers
travel as. Arrays are {"dtype", "shape", "base64"}, or "bytes" instead where the document may hold them (msgpack)."""

import base64
import binascii
import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from jaxtyping import AbstractArray

from monde.errors import StoreError
from monde.limits import MAX_ARRAY_BYTES

T = TypeVar("T")


DTYPES = ("bool", "uint8", "int32", "int64", "float32", "float64")
"""What arrays of documents hold."""


def to_json(value: object, binary: bool = False) -> object:
    """A dataclass (nested, with tuples, literals and unions) as JSON values. Unions of dataclasses carry "type".

    Args:
        value: The dataclass.
        binary: Whether arrays stay bytes, for documents that may hold them; JSON may not.

    Raises:
        StoreError: A value that is none of these.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: to_json(getattr(value, field.name), binary) for field in dataclasses.fields(value)}
        return {"type": type(value).__name__} | fields
    if isinstance(value, (tuple, list)):
        return [to_json(item, binary) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_json(item, binary) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _from_array(value, binary)
    if value is None or isinstance(value, (bool, int, float, str)) or (binary and isinstance(value, bytes)):
        return value
    raise StoreError("this value cannot be stored as JSON", got=type(value).__name__)


def from_json(cls: type[T], document: object, where: str = "") -> T:
    """The dataclass `cls` from what `to_json` made of it; its own checks run again.

    Raises:
        StoreError: A field that is missing, unknown or of another type, named with its path.
    """
    if not dataclasses.is_dataclass(cls) or not isinstance(document, Mapping):
        raise StoreError(f"{where or 'the document'} is not a {cls.__name__}", got=type(document).__name__)
    hints = get_type_hints(cls)
    known = {field.name: field for field in dataclasses.fields(cls)}
    surplus = sorted(set(document) - set(known) - {"type"})
    required = {
        n for n, f in known.items() if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    }
    missing = sorted(required - set(document))
    if surplus or missing:
        raise StoreError(
            f"{where or cls.__name__} does not fit {cls.__name__}",
            got=f"missing {missing}, unknown {surplus}",
            remedy="it was written by another version of monde; use that version, or train again",
        )
    values = {name: _value(hints[name], document[name], f"{where}.{name}") for name in known if name in document}
    return cls(**values)


def _value(hint: object, value: object, where: str) -> object:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _union(arguments, value, where)
    if origin is Literal:
        if value not in arguments:
            raise StoreError(f"{where} has an unknown value", got=repr(value), expected=f"one of {arguments}")
        return value
    if _is_array(hint):
        return _array(hint, value, where)
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise StoreError(f"{where} is no table of names", got=type(value).__name__)
        return {str(key): _value(arguments[1], item, f"{where}[{str(key)[:40]!r}]") for key, item in value.items()}
    if origin is tuple:
        if not isinstance(value, list):
            raise StoreError(f"{where} is not a list", got=type(value).__name__)
        each = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
        if len(each) != len(value):
            raise StoreError(f"{where} has another length", got=len(value), expected=len(each))
        return tuple(_value(h, v, f"{where}[{i}]") for i, (h, v) in enumerate(zip(each, value, strict=True)))
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise StoreError(f"{where} is not an object", got=type(value).__name__)
        return {str(key): _value(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_json(hint, value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and (not isinstance(value, hint) or (hint is int and isinstance(value, bool))):
        raise StoreError(f"{where} has the wrong type", got=repr(value), expected=hint.__name__)
    return value


def _union(options: tuple[object, ...], value: object, where: str) -> object:
    if value is None and type(None) in options:
        return None
    classes = [option for option in options if isinstance(option, type) and dataclasses.is_dataclass(option)]
    if classes and isinstance(value, Mapping):
        for option in classes:
            if option.__name__ == value.get("type"):
                return from_json(option, value, where)
        names = [option.__name__ for option in classes]
        raise StoreError(f"{where} is of an unknown type", got=value.get("type"), expected=f"one of {names}")
    arrays = [option for option in options if _is_array(option)]
    if arrays and isinstance(value, Mapping):
        return _array(arrays[0], value, where)
    known: list[object] = [type(None), *classes, *arrays]
    scalars = [option for option in options if option not in known]
    if not scalars:
        raise StoreError(f"{where} has the wrong type", got=repr(value))
    return _value(scalars[0], value, where)


def _is_array(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, AbstractArray | np.ndarray)


def _from_array(value: np.ndarray, binary: bool) -> dict[str, object]:
    if value.dtype.name not in DTYPES:
        raise StoreError("an array of this kind cannot be stored", got=value.dtype, expected=f"one of {DTYPES}")
    data = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False).tobytes()
    held = {"bytes": data} if binary else {"base64": base64.b64encode(data).decode("ascii")}
    return {"dtype": value.dtype.name, "shape": list(value.shape), **held}


def _array(hint: object, value: object, where: str) -> np.ndarray:
    """An array from what `_from_array` made of it; its claimed shape is believed only if its bytes are as many."""
    if not isinstance(value, Mapping) or set(value) not in ({"dtype", "shape", "base64"}, {"dtype", "shape", "bytes"}):
        raise StoreError(f"{where} is no array", got=type(value).__name__, expected="dtype, shape and base64 or bytes")
    dtype, shape = value["dtype"], value["shape"]
    sides = isinstance(shape, list | tuple) and all(type(side) is int and side >= 0 for side in shape)
    if dtype not in DTYPES or not sides or len(shape) > 8:
        raise StoreError(f"{where} is no usable array", got=f"{str(dtype)[:20]!r}, {str(shape)[:60]}", expected=DTYPES)
    size = math.prod(shape) * np.dtype(dtype).itemsize
    data = _bytes(value, where)
    if size != len(data) or size > MAX_ARRAY_BYTES:
        raise StoreError(
            f"{where} does not hold what its shape says",
            got=f"{len(data)} bytes for {dtype}{list(shape)}",
            expected=f"{size} bytes, at most {MAX_ARRAY_BYTES}",
        )
    found = np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).astype(np.dtype(dtype)).reshape(shape)
    if dtype == "bool" and not np.isin(np.frombuffer(data, np.uint8), (0, 1)).all():
        raise StoreError(f"{where} holds bytes that are neither true nor false")
    if isinstance(hint, type) and not isinstance(found, hint):
        raise StoreError(f"{where} is another kind of array", got=f"{dtype}{list(shape)}", expected=_kind(hint))
    return found


def _bytes(value: Mapping[str, object], where: str) -> bytes:
    held = value.get("bytes", value.get("base64"))
    if isinstance(held, bytes | bytearray) and "bytes" in value:
        return bytes(held)
    if not isinstance(held, str) or "base64" not in value:
        raise StoreError(f"{where} holds no bytes", got=type(held).__name__)
    try:
        return base64.b64decode(held, validate=True)
    except (binascii.Error, ValueError) as error:
        raise StoreError(f"{where} is not base64", got=str(error)) from error


def _kind(hint: type) -> str:
    return hint.__name__
