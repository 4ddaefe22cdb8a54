"""What films are varied in, and which of it only tests show: sizes, colours and speeds held out from training."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from monde.errors import ContractError, unknown_name
from monde.worlds.drawing import Colour

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, kw_only=True)
class Variety:
    """What objects may look like and how fast they may be launched.

    Args:
        shapes: Their names.
        radii: Of the disc of equal area (px, before the camera's zoom) or the sphere of equal volume (m); with a shape
            each makes an object.
        colours: RGB of objects.
        speeds: Bands (lowest, highest) of launching speed, px/s or m/s.
    """

    shapes: tuple[str, ...]
    radii: tuple[float, ...]
    colours: tuple[Colour, ...]
    speeds: tuple[tuple[float, float], ...]

    @property
    def objects(self) -> frozenset[tuple[str, float]]:
        """Every (shape, radius) there is."""
        return frozenset((shape, radius) for shape in self.shapes for radius in self.radii)

    def radius(self, generator: np.random.Generator) -> float:
        """One radius."""
        return float(generator.choice(self.radii))

    def draw_colours(self, generator: np.random.Generator, n: int) -> tuple[Colour, ...]:
        """`n` different colours."""
        return tuple(self.colours[int(i)] for i in generator.permutation(len(self.colours))[:n])

    def speed(self, generator: np.random.Generator, low: float = 0.0, high: float = math.inf) -> float:
        """A launching speed, uniform over what the bands have in common with [low, high].

        Raises:
            ContractError: They have nothing in common.
        """
        parts = [(max(low, a), min(high, b)) for a, b in self.speeds]
        parts = [(a, b) for a, b in parts if b > a]
        if not parts:
            raise ContractError("no speed of this split is in range", got=f"{low} to {high}", expected=self.speeds)
        lengths = np.array([b - a for a, b in parts])
        start, stop = parts[int(generator.choice(len(parts), p=lengths / lengths.sum()))]
        return float(generator.uniform(start, stop))


def split_of(name: str) -> Split:
    """The split of this name.

    Raises:
        UsageError: There is none.
    """
    for known in SPLITS:
        if known == name:
            return known
    raise unknown_name("split", name, list(SPLITS))
