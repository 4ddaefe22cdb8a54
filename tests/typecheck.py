"""The type checker that tests switch on for the whole package (tests/conftest.py)."""

from collections.abc import Callable
from typing import TypeVar

from beartype import BeartypeConf, beartype
from beartype.roar import BeartypeDecorHintPep673Exception

F = TypeVar("F", bound=Callable[..., object])

_beartype = beartype(conf=BeartypeConf(is_pep484_tower=True))


def check(function: F) -> F:
    """beartype with int accepted for float; methods that return `Self` are left to mypy (beartype wants the class)."""
    try:
        return _beartype(function)
    except BeartypeDecorHintPep673Exception:
        return function
