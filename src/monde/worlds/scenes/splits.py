"""What scenes are varied in, and which of it only tests show: sizes, colours and speeds are held out from training."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np

from monde.errors import ContractError, unknown_name
from monde.worlds.drawing import Colour

Split = Literal["train", "test"]
Shape = Literal["disc", "square", "triangle"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

BACKGROUNDS: tuple[Colour, ...] = (
    (236, 236, 230),
    (222, 230, 238),
    (238, 226, 212),
    (214, 228, 214),
    (230, 220, 234),
    (196, 204, 212),
    (208, 200, 186),
)
SCREENS: tuple[Colour, ...] = ((96, 104, 116), (126, 108, 92), (92, 116, 104), (112, 98, 124))
GROUNDS: tuple[Colour, ...] = ((146, 138, 124), (134, 146, 128), (132, 138, 150))
SOLIDS: tuple[Colour, ...] = ((40, 44, 52), (70, 52, 44), (44, 60, 60))


@dataclass(frozen=True, kw_only=True)
class Variety:
    """What objects may look like and how fast they may be launched, before the camera's zoom.

    Args:
        radii: Radius in px of the disc of equal area; with a shape it makes an object.
        colours: RGB of objects.
        speeds: Bands (lowest, highest) of launching speed in px/s.
    """

    radii: tuple[float, ...]
    colours: tuple[Colour, ...]
    speeds: tuple[tuple[float, float], ...]

    @property
    def objects(self) -> frozenset[tuple[Shape, float]]:
        """Every (shape, radius) there is."""
        return frozenset((shape, radius) for shape in SHAPES for radius in self.radii)

    def radius(self, generator: np.random.Generator) -> float:
        """One radius in px."""
        return float(generator.choice(self.radii))

    def draw_colours(self, generator: np.random.Generator, n: int) -> tuple[Colour, ...]:
        """`n` different colours."""
        return tuple(self.colours[int(i)] for i in generator.permutation(len(self.colours))[:n])

    def speed(self, generator: np.random.Generator, low: float = 0.0, high: float = math.inf) -> float:
        """A launching speed in px/s, uniform over what the bands have in common with [low, high].

        Raises:
            ContractError: They have nothing in common.
        """
        parts = [(max(low, a), min(high, b)) for a, b in self.speeds]
        parts = [(a, b) for a, b in parts if b > a]
        if not parts:
            raise ContractError("no speed of this split is in range", got=f"{low} to {high} px/s", expected=self.speeds)
        lengths = np.array([b - a for a, b in parts])
        start, stop = parts[int(generator.choice(len(parts), p=lengths / lengths.sum()))]
        return float(generator.uniform(start, stop))


VARIETIES: Mapping[Split, Variety] = MappingProxyType(
    {
        "train": Variety(
            radii=(3.0, 3.4, 4.2, 5.0),
            colours=(
                (214, 56, 48),
                (226, 124, 30),
                (58, 140, 62),
                (28, 120, 130),
                (42, 84, 190),
                (112, 56, 168),
                (186, 48, 128),
                (104, 64, 36),
                (36, 36, 44),
                (150, 30, 44),
                (106, 122, 24),
                (24, 60, 110),
            ),
            speeds=((8.0, 13.0), (17.0, 22.0), (26.0, 34.0)),
        ),
        "test": Variety(
            radii=(3.8, 4.6),
            colours=(
                (236, 84, 92),
                (186, 98, 20),
                (30, 156, 110),
                (30, 110, 206),
                (146, 70, 196),
                (84, 26, 70),
            ),
            speeds=((13.5, 16.5), (22.5, 25.5)),
        ),
    }
)
"""Sizes, colours and speeds of either split; they share none. Test sizes and speeds lie between those of training: what
is asked is whether a model knows the principle, not whether it extrapolates."""


def split_of(name: str) -> Split:
    """The split of this name.

    Raises:
        UsageError: There is none.
    """
    for known in VARIETIES:
        if known == name:
            return known
    raise unknown_name("split", name, list(VARIETIES))


def variety(split: str) -> Variety:
    """The declared sets of a split.

    Raises:
        UsageError: An unknown split.
    """
    return VARIETIES[split_of(split)]
