"""The type checker that tests switch on for the whole package (tests/conftest.py).

A test that trains makes the same calls with the same shapes a hundred thousand times, and checking takes a hundred
times as long as calling. So each test checks the first calls of each function; the rest go straight through.
"""

import inspect
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from beartype import BeartypeConf, beartype
from beartype.roar import BeartypeDecorHintPep673Exception

P = ParamSpec("P")
R = TypeVar("R")

CHECKS = 400
"""Of each function in each test: one before a call, one after it."""

_beartype = beartype(conf=BeartypeConf(is_pep484_tower=True))
_checks: dict[str, int] = {}
_let_through: list[object] = []


def check(function: Callable[P, R]) -> Callable[P, R]:
    """beartype with int accepted for float; methods that return `Self` are left to mypy (beartype wants the class).

    Checks are written at a function's first call: most functions are never called by the tests of one process.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    checked: Callable[P, R] | None = None

    def counted(*args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal checked
        if checked is None:
            try:
                checked = _beartype(function)
            except BeartypeDecorHintPep673Exception:
                checked = function
        _checks[name] = _checks.get(name, 0) + 1
        if _checks[name] == CHECKS:
            _let_through_from_now(function.__module__, function.__qualname__)
        return checked(*args, **kwargs)

    return counted


def start_again() -> None:
    """Every function is checked again."""
    for function in _let_through:
        del function.__no_type_check__  # type: ignore[attr-defined]
    _let_through.clear()
    _checks.clear()


def _let_through_from_now(module: str, qualname: str) -> None:
    """Sets what jaxtyping looks at before each call (`typing.no_type_check`); a function within one stays checked."""
    found: object = sys.modules[module]
    for part in qualname.split("."):
        found = inspect.getattr_static(found, part, None)
    if isinstance(found, classmethod | staticmethod):
        found = found.__func__
    if isinstance(found, property):
        found = found.fget
    if inspect.isfunction(found):
        function = inspect.unwrap(found)
        function.__no_type_check__ = True
        _let_through.append(function)
