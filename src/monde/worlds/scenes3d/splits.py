"""What scenes in space are varied in. Test sizes, colours and speeds lie between those of training, as in the plane."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from monde.worlds.minimal_pairs.variety import Split, Variety, split_of
from monde.worlds.scenes import splits as plane

Shape = Literal["sphere", "box", "cylinder", "ellipsoid"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

VARIETIES: Mapping[Split, Variety] = MappingProxyType(
    {
        "train": Variety(
            shapes=SHAPES,
            radii=(0.42, 0.47, 0.55, 0.64),
            colours=plane.VARIETIES["train"].colours,
            speeds=((0.8, 1.3), (1.7, 2.2), (2.6, 3.4)),
        ),
        "test": Variety(
            shapes=SHAPES,
            radii=(0.445, 0.51, 0.595),
            colours=plane.VARIETIES["test"].colours,
            speeds=((1.35, 1.65), (2.25, 2.55)),
        ),
    }
)
"""Sizes (m, radius of the sphere of equal volume), colours and speeds (m/s) of either split; they share none."""


def variety(split: str) -> Variety:
    """The declared sets of a split.

    Raises:
        UsageError: An unknown split.
    """
    return VARIETIES[split_of(split)]
