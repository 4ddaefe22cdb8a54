"""What a check finds."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from monde.errors import ContractError, MondeError

Level = Literal["error", "warning", "note"]
_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something about a recording that its user should know.

    Args:
        level: "error": it cannot be used as it is; "warning": a model learned from it suffers; "note": good to know.
        code: What kind of finding it is, for machines ("gap", "constant"); the same from version to version.
        what: What was found, and where.
        remedy: What to do about it.
        figures: The numbers in `what`, by name.

    Raises:
        ContractError: A figure that is not finite (JSON has no word for it).
    """

    level: Level
    code: str
    what: str
    remedy: str
    figures: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        figures = {name: float(value) for name, value in self.figures.items()}
        if not all(math.isfinite(value) for value in figures.values()):
            raise ContractError("a Finding's figures must be finite", got=figures)
        object.__setattr__(self, "figures", MappingProxyType(figures))

    def __str__(self) -> str:
        return f"{self.level}: {self.what}. Remedy: {self.remedy}."


def graded(findings: Iterable[Finding]) -> list[Finding]:
    """Gravest first; otherwise in the order found."""
    return sorted(findings, key=lambda finding: get_args(Level).index(finding.level))


def from_error(error: MondeError, code: str) -> Finding:
    """An error of the reader as a finding."""
    got = f" ({error.got})" if error.got else ""
    remedy = (error.remedy or "leave the episode out").rstrip(".")
    return Finding(level="error", code=code, what=error.what.rstrip(".") + got, remedy=remedy)


def listed(items: Sequence[object]) -> str:
    """The first few of a list, and how many more there are."""
    shown = ", ".join(map(str, items[:_SHOWN]))
    return shown if len(items) <= _SHOWN else f"{shown} and {len(items) - _SHOWN} more"


def component(names: Sequence[str], index: int) -> str:
    """A component by number, and by name where it has one."""
    return f"{index} ({names[index]})" if index < len(names) else str(index)


def episodes(count: int) -> str:
    """A number of episodes in words."""
    return "1 episode" if count == 1 else f"{count} episodes"
