"""Settings that must be numbers, and positive ones, are refused by their names.

A time of NaN would never be over, and a limit of NaN holds nothing back.
"""

import math

from monde.errors import UsageError


def check_sizes(config: object, *names: str) -> None:
    """Refuse the first of a config's fields that is not above 0 and finite; one that is None is not given.

    Raises:
        UsageError: Naming the field.
    """
    for name in names:
        value = getattr(config, name)
        if value is not None and not 0 < value < math.inf:
            what = f"{type(config).__name__}.{name} is an empty size, or no number"
            raise UsageError(what, got=value, expected="above 0, and finite", remedy=_remedy(name))


def check_not_negative(config: object, *names: str) -> None:
    """Refuse the first of a config's fields that is below 0 or not finite.

    Raises:
        UsageError: Naming the field.
    """
    for name in names:
        value = getattr(config, name)
        if not 0 <= value < math.inf:
            what = f"{type(config).__name__}.{name} is negative, or no number"
            raise UsageError(what, got=value, expected="0 or more, and finite", remedy=_remedy(name))


def _remedy(name: str) -> str:
    return f"leave {name} out, or give such a number"
