"""Frozen dataclasses to JSON and back, by their annotations: what run.json is made of."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from monde.errors import StoreError

T = TypeVar("T")


def to_json(value: object) -> object:
    """A dataclass (nested, with tuples, literals and unions) as JSON values. Unions of dataclasses carry "type"."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": type(value).__name__} | fields
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
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
    if origin is tuple:
        if not isinstance(value, list):
            raise StoreError(f"{where} is not a list", got=type(value).__name__)
        each = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
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
    scalars = [option for option in options if option is not type(None) and option not in classes]
    if not scalars:
        raise StoreError(f"{where} has the wrong type", got=repr(value))
    return _value(scalars[0], value, where)
