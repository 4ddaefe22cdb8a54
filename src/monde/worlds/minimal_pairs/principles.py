"""The principles of intuitive physics that are asked about.

After IntPhys (Riochet et al., arXiv 1803.07616: possible and impossible films of matched frames), IntPhys 2 (Bordes et
al., 2025) and the measure of surprise of Garrido et al. (arXiv 2502.11831).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from monde.errors import UsageError, unknown_name
from monde.worlds.minimal_pairs.timing import GRADES, Grade

Design = Literal["matched", "context-swapped"]


@dataclass(frozen=True, kw_only=True)
class Principle:
    """One principle.

    Args:
        name: Its name.
        statement: What holds in possible films.
        violation: What happens in impossible ones.
        designs: By grade: `matched` quadruplets (the impossible films are cut from the possible ones where those look
            the same, so no frame and no step from one frame to the next tells them apart), or `context-swapped` ones
            (two surroundings × two outcomes), which shortcuts may tell apart: their scores must be shown beside.
    """

    name: str
    statement: str
    violation: str
    designs: Mapping[Grade, Design]


_MATCHED: Mapping[Grade, Design] = MappingProxyType(dict.fromkeys(GRADES, "matched"))
_HIDDEN_MATCHED: Mapping[Grade, Design] = MappingProxyType(
    {"easy": "context-swapped", "hidden": "matched", "long-hidden": "matched"}
)

_PRINCIPLES = (
    Principle(
        name="permanence",
        statement="what is there is there while nobody sees it",
        violation="an object is gone, or there is one where there was none",
        designs=_MATCHED,
    ),
    Principle(
        name="continuity",
        statement="what goes from one place to another passes all places between",
        violation="an object jumps, or crosses a gap unseen, or is seen in the gap alone",
        designs=_MATCHED,
    ),
    Principle(
        name="solidity",
        statement="a wall stops what comes against it",
        violation="an object goes through a wall, or is thrown back where there is none",
        designs=_HIDDEN_MATCHED,
    ),
    Principle(
        name="gravity",
        statement="in the air everything is pulled down, at one rate",
        violation="what falls turns upwards in mid-air, or what rises is thrown down",
        designs=_MATCHED,
    ),
    Principle(
        name="inertia",
        statement="what nothing pushes keeps its velocity",
        violation="an object turns, stops or starts by itself",
        designs=_MATCHED,
    ),
    Principle(
        name="support",
        statement="what is carried stays, what is not falls",
        violation="an object falls through a platform, or stays in the air on nothing",
        designs=_HIDDEN_MATCHED,
    ),
    Principle(
        name="collision",
        statement="what is hit moves, and momentum is kept",
        violation="what is hit stays and what hit it is thrown back or stops, or a thing moves unhit",
        designs=_MATCHED,
    ),
    Principle(
        name="shape-constancy",
        statement="things keep their shape",
        violation="an object has become one of another shape",
        designs=_MATCHED,
    ),
    Principle(
        name="colour-constancy",
        statement="things keep their colour",
        violation="an object has another colour",
        designs=_MATCHED,
    ),
)


def principles() -> tuple[Principle, ...]:
    """All of them."""
    return _PRINCIPLES


def principle(name: str) -> Principle:
    """The one of this name.

    Raises:
        UsageError: There is none.
    """
    for known in _PRINCIPLES:
        if known.name == name:
            return known
    raise unknown_name("principle", name, [known.name for known in _PRINCIPLES])


def grade_of(name: str) -> Grade:
    """The grade of this name.

    Raises:
        UsageError: There is none.
    """
    for known in GRADES:
        if known == name:
            return known
    raise unknown_name("grade", name, list(GRADES), UsageError)
