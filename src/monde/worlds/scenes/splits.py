"""What scenes are varied in, and which of it only tests show: sizes, colours and speeds are held out from training."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from monde.worlds.drawing import Colour
from monde.worlds.minimal_pairs.variety import Split, Variety, split_of

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


VARIETIES: Mapping[Split, Variety] = MappingProxyType(
    {
        "train": Variety(
            shapes=SHAPES,
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
            shapes=SHAPES,
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
"""Sizes, colours and speeds of either split; they share none. Test sizes lie between those of training, and so do test
speeds over all films: what is asked is whether a model knows the principle, not whether it extrapolates.

Most cases of minimal pairs (a principle at a grade) cap the speed, so that what happens fits into the film. In 16 of
27 that leaves test speeds above all that were trained in the same case. Capped at 17 px/s or just below (support;
permanence, gravity, inertia, collision and the constancies when long hidden), all of them are: trained 8 to 13, tested
13.5 to 16.5. Capped at 26 px/s (permanence, continuity and the constancies when easy; gravity, inertia and collision
when hidden), half of them are: trained up to 22, tested 22.5 to 25.5. Faster things were trained in other cases."""


def variety(split: str) -> Variety:
    """The declared sets of a split.

    Raises:
        UsageError: An unknown split.
    """
    return VARIETIES[split_of(split)]
