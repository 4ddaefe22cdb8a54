"""JSON and msgpack documents, bounded in depth and number of items before anything is made of them."""

import json
import re
from collections.abc import Mapping
from types import ModuleType
from typing import TypeVar

from monde.errors import MondeError, ServingError
from monde.limits import (
    MAX_BODY_BYTES,
    MAX_DOCUMENT_DEPTH,
    MAX_DOCUMENT_ITEMS,
    MAX_JSON_BODY_BYTES,
    MAX_NAME_CHARACTERS,
)
from monde.store import typed

T = TypeVar("T")

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A string, or what is left of a body that ends within one: matched once, so that no body is looked at twice."""
_MARK = re.compile(rb"[\[\]{},]")


def from_json(body: bytes) -> object:
    """The JSON document in a body.

    Raises:
        ServingError: Not JSON (NaN and infinities are none), too deep, too many items.
    """
    _check_size(body, MAX_JSON_BODY_BYTES, "send tensors as msgpack")
    _check_json(body)
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ServingError("the body is no JSON", status=400, got=str(error)[:200]) from error
    check_document(document)
    return document


def to_json(value: object) -> bytes:
    """A value as JSON; arrays in it become base64 (`monde.store.typed`)."""
    return json.dumps(typed.to_json(value), allow_nan=False).encode()


def from_msgpack(body: bytes) -> object:
    """The msgpack document in a body; nothing is allocated that the body does not hold.

    Raises:
        ServingError: Not msgpack, with extension types, too deep, too many items.
    """
    _check_size(body, MAX_BODY_BYTES, None)
    msgpack = _msgpack()
    count = _Count()
    try:
        document = msgpack.unpackb(
            body,
            raw=False,
            strict_map_key=True,
            object_hook=count,
            list_hook=count,
            max_array_len=MAX_DOCUMENT_ITEMS,
            max_map_len=MAX_DOCUMENT_ITEMS,
            max_str_len=len(body),
            max_bin_len=len(body),
            max_ext_len=0,
        )
    except (ValueError, msgpack.exceptions.UnpackException, RecursionError, TypeError) as error:
        raise ServingError(
            "the body is no msgpack document", status=400, got=f"{type(error).__name__} {error}"[:200].strip()
        ) from error
    check_document(document)
    return document


def to_msgpack(value: object) -> bytes:
    """A value as msgpack; arrays in it stay bytes (`monde.store.typed`)."""
    packed = _msgpack().packb(typed.to_json(value, binary=True), use_bin_type=True)
    if not isinstance(packed, bytes):
        raise ServingError("a document could not be packed", got=type(value).__name__)
    return packed


def read(cls: type[T], document: object, where: str) -> T:
    """The dataclass `cls` that a received document holds.

    Raises:
        ServingError: 422: fields that are missing, unknown, of another type, or refused by the dataclass itself.
    """
    try:
        return typed.from_json(cls, document, where)
    except ServingError:
        raise
    except MondeError as error:
        raise ServingError(error.what, got=error.got, expected=error.expected) from error


def check_document(document: object) -> None:
    """Refuse a document that is too deep or has too many items, or keys that are no names.

    Raises:
        ServingError: Such a document.
    """
    level, depth, items = [document], 0, 0
    while level:
        if depth > MAX_DOCUMENT_DEPTH:
            raise _too_deep()
        below: list[object] = []
        for value in level:
            if isinstance(value, Mapping):
                if any(not isinstance(key, str) or len(key) > MAX_NAME_CHARACTERS for key in value):
                    raise ServingError("a key of the document is no name", expected=f"≤ {MAX_NAME_CHARACTERS} letters")
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        items += len(below)
        if items > MAX_DOCUMENT_ITEMS:
            raise _too_many()
        level, depth = below, depth + 1


class _Count:
    """Counts items while a document is made, so that it is given up before it fills the memory."""

    def __init__(self) -> None:
        self.items = 0

    def __call__(self, value: object) -> object:
        self.items += 1 + (len(value) if isinstance(value, list | dict) else 0)
        if self.items > 2 * MAX_DOCUMENT_ITEMS:
            raise _too_many()
        return value


def _check_size(body: bytes, most: int, remedy: str | None) -> None:
    if len(body) > most:
        raise ServingError(
            "the body is too large", status=413, got=f"{len(body)} bytes", expected=f"≤ {most}", remedy=remedy
        )


def _check_json(body: bytes) -> None:
    """Before parsing: brackets and commas outside strings; a parser's own limits differ between versions."""
    depth = items = 0
    for mark in _MARK.finditer(_STRING.sub(b"", body)):
        sign = mark.group()
        items += sign not in b"]}"
        depth += (sign in b"[{") - (sign in b"]}")
        if depth > MAX_DOCUMENT_DEPTH:
            raise _too_deep()
        if items > MAX_DOCUMENT_ITEMS:
            raise _too_many()


def _too_many() -> ServingError:
    return ServingError(
        "the document has too many items",
        status=413,
        expected=f"at most {MAX_DOCUMENT_ITEMS}",
        remedy="send arrays as {dtype, shape, base64 or bytes}",
    )


def _too_deep() -> ServingError:
    return ServingError("the document is nested too deeply", expected=f"at most {MAX_DOCUMENT_DEPTH} levels")


def _refuse_constant(name: str) -> object:
    raise ServingError("the body holds a number that JSON does not have", status=400, got=name)


def _msgpack() -> ModuleType:
    try:
        import msgpack
    except ImportError as error:
        raise ServingError(
            "messages need msgpack", status=503, got=error, remedy="pip install 'monde[client]'"
        ) from error
    return msgpack
