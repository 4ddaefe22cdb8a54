"""What scenes in space are varied in, and which of it only tests show, as in the plane."""

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
"""Sizes (m, radius of the sphere of equal volume), colours and speeds (m/s) of either split; they share none. Test
sizes lie between those of training, and so do test speeds over all films. In 16 of the 27 cases of minimal pairs, the
same as in the plane, the speed is capped, and test speeds lie above all that were trained in that case: trained 0.8 to
1.3, tested 1.35 to 1.65; or trained up to 2.2, half of the tests 2.25 to 2.55."""


def variety(split: str) -> Variety:
    """The declared sets of a split.

    Raises:
        UsageError: An unknown split.
    """
    return VARIETIES[split_of(split)]
