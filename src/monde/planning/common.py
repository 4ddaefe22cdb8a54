"""Checks of settings that all planners share."""

import math

from monde.errors import PlanningError
from monde.limits import MAX_HORIZON_BLOCKS, MAX_ROUNDS, MAX_SAMPLES


def check_sizes(owner: str, horizon: int, samples: int, rounds: int = 1, elites: int = 1, proposals: int = 0) -> None:
    """Refuse a search that is empty or beyond the limits.

    Raises:
        PlanningError: Naming the size.
    """
    sizes = {
        "horizon": (horizon, 1, MAX_HORIZON_BLOCKS),
        "samples": (samples, 1, MAX_SAMPLES),
        "rounds": (rounds, 1, MAX_ROUNDS),
        "elites": (elites, 1, samples),
        "proposals": (proposals, 0, MAX_SAMPLES),
    }
    for name, (value, least, most) in sizes.items():
        if not least <= value <= most:
            raise PlanningError(f"{owner}.{name} is out of limits", got=value, expected=f"{least} to {most}")


def check_range(owner: str, name: str, value: float, least: float, most: float, *, open_end: bool = False) -> None:
    """Refuse a number that is NaN, infinite, below `least` or above `most` (or at it, where the end is open).

    Raises:
        PlanningError: Naming the setting.
    """
    inside = math.isfinite(value) and least <= value and (value < most if open_end else value <= most)
    if not inside:
        upper = f"below {most:g}" if open_end else f"{most:g}"
        raise PlanningError(f"{owner}.{name} is unusable", got=value, expected=f"finite, {least:g} to {upper}")


def check_deviations(owner: str, initial_std: float, minimum_std: float, momentum: float = 0.0) -> None:
    """Refuse standard deviations or a momentum that cannot be drawn with.

    Raises:
        PlanningError: Naming the setting.
    """
    if not 0 < initial_std < math.inf:
        raise PlanningError(f"{owner}.initial_std is unusable", got=initial_std, expected="finite and > 0")
    check_range(owner, "minimum_std", minimum_std, 0.0, initial_std)
    check_range(owner, "momentum", momentum, 0.0, 1.0, open_end=True)
