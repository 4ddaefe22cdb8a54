"""Fields of a received document, each of its own type or refused by name."""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Shaped

from monde.errors import ServingError
from monde.limits import MAX_NAME_CHARACTERS, MAX_SENSORS
from monde.wire.arrays import read_array

Document = Mapping[str, object]


def mapping(value: object, where: str) -> Document:
    """An object."""
    if not isinstance(value, Mapping):
        raise ServingError(f"{where} is no object", got=type(value).__name__, expected="an object")
    return value


def only(document: Document, known: tuple[str, ...], where: str) -> None:
    """Refuse fields that are not `known`."""
    unknown = sorted(set(document) - set(known))
    if unknown:
        raise ServingError(f"{where} has unknown fields", got=", ".join(unknown)[:200], expected=", ".join(known))


def text(document: Document, name: str, where: str) -> str:
    """A string that is short enough to be a name."""
    value = document.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_CHARACTERS:
        raise _wrong(name, value, f"1 to {MAX_NAME_CHARACTERS} characters", where)
    return value


def maybe_text(document: Document, name: str, where: str) -> str | None:
    """A string, or nothing."""
    return None if document.get(name) is None else text(document, name, where)


def whole(document: Document, name: str, where: str, least: int = 0, most: int = 2**53) -> int:
    """An integer."""
    value = document.get(name)
    if type(value) is not int or not least <= value <= most:
        raise _wrong(name, value, f"an integer from {least} to {most}", where)
    return value


def number(document: Document, name: str, where: str, least: float, most: float) -> float:
    """A finite number within bounds."""
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(name, value, f"a number from {least:g} to {most:g}", where)
    if not least <= value <= most:
        raise _wrong(name, value, f"a number from {least:g} to {most:g}", where)
    return float(value)


def maybe_number(document: Document, name: str, where: str, least: float, most: float) -> float | None:
    """A number, or nothing."""
    return None if document.get(name) is None else number(document, name, where, least, most)


def truth(document: Document, name: str, where: str) -> bool:
    """true or false; false where it is absent."""
    value = document.get(name, False)
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false", where)
    return value


def arrays(document: Document, name: str, where: str) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Arrays by name."""
    held = mapping(document.get(name), f"{where}.{name}")
    if not 0 < len(held) <= MAX_SENSORS:
        raise ServingError(f"{where}.{name} has no usable arrays", got=len(held), expected=f"1 to {MAX_SENSORS}")
    return {key: read_array(value, f"{where}.{name}.{key}") for key, value in held.items()}


def _wrong(name: str, value: object, expected: str, where: str) -> ServingError:
    told = "nothing" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"
    return ServingError(f"{where}.{name} is not usable", got=told, expected=expected)
