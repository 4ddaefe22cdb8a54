"""JSON schemas of requests and answers, from the annotations of their dataclasses and the words of their docstrings."""

import dataclasses
import inspect
import re
import types
from collections.abc import Mapping
from typing import Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from jaxtyping import AbstractArray

from monde.errors import ContractError
from monde.store.typed import DTYPES

Schema = dict[str, object]

ARRAY: Schema = {
    "type": "object",
    "description": "An array: little-endian bytes in row-major order, as base64 (in msgpack: bytes, under that name).",
    "properties": {
        "dtype": {"enum": list(DTYPES)},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "base64": {"type": "string"},
    },
    "required": ["dtype", "shape", "base64"],
}

_SCALARS: Mapping[object, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    object: {},
}


def schema_of(hint: object) -> Schema:
    """The schema of values that `monde.store.typed.from_json` reads as `hint`.

    Raises:
        ContractError: An annotation that has no schema.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _dataclass(hint)
    if isinstance(hint, type) and issubclass(hint, AbstractArray | np.ndarray):
        return ARRAY | {"title": getattr(hint, "__name__", "array")}
    if hint is type(None):
        return {"type": "null"}
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(option) for option in arguments]}
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return {"type": "array", "items": schema_of(arguments[0])}
        return {"type": "array", "prefixItems": [schema_of(each) for each in arguments]}
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    raise ContractError("this annotation has no schema", got=hint)


def body_of(cls: type) -> Schema:
    """The part of an OpenAPI operation that says what a request's body holds."""
    schema = schema_of(cls)
    content = {kind: {"schema": schema} for kind in ("application/json", "application/msgpack")}
    return {"requestBody": {"content": content}}


def answer_of(cls: type) -> dict[int | str, dict[str, object]]:
    """The part of an OpenAPI operation that says what an answer holds."""
    return {200: {"description": _about(cls), "content": {"application/json": {"schema": schema_of(cls)}}}}


def _dataclass(cls: type) -> Schema:
    hints, told = get_type_hints(cls), _fields(cls)
    properties: Schema = {"type": {"const": cls.__name__}}
    required = []
    for field in dataclasses.fields(cls):
        about = {"description": told[field.name]} if field.name in told else {}
        properties[field.name] = schema_of(hints[field.name]) | about
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            required.append(field.name)
    return {
        "title": cls.__name__,
        "type": "object",
        "description": _about(cls),
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _about(cls: type) -> str:
    return (inspect.getdoc(cls) or cls.__name__).split("\n\n")[0].replace("\n", " ")


def _fields(cls: type) -> dict[str, str]:
    """What the docstring says of each field."""
    part = re.search(r"^Args:\n(.*?)(?:\n\n|\Z)", inspect.getdoc(cls) or "", flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", part[1] if part else "", flags=re.DOTALL | re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}
