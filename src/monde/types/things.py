"""How a token tells of one thing: what perception writes and dynamics read."""

from jaxtyping import Bool, Float
from torch import Tensor

LOOKS = (
    "x",
    "y",
    "left",
    "top",
    "right",
    "bottom",
    "log_area",
    "spread_x",
    "spread_y",
    "slant",
    "stretch",
    "three_sided",
    "four_sided",
    "red",
    "green",
    "blue",
)
"""What is told of a region: centroid and edges (-1 to 1 across the frame), a quarter of the logarithm of its pixels,
its spread, the moments that tell a disc from a square and a triangle, and its logarithmic colour beside the median."""

PLACE = slice(LOOKS.index("x"), LOOKS.index("y") + 1)
EDGES = slice(LOOKS.index("left"), LOOKS.index("bottom") + 1)
COLOURS = slice(LOOKS.index("red"), LOOKS.index("blue") + 1)
"""Parts of `LOOKS`: the centroid; left, top, right and lower edge; colour."""

ASPECTS = (PLACE, EDGES, slice(6, 7), slice(7, 10), slice(10, 13), COLOURS)
"""Looks that are right or wrong together: place, edges, area, spread, shape, colour."""

SEEN = 0
"""Component of a token that says whether the thing is in sight: 0 or 1, and a probability where it is predicted."""
AGE = 1
"""Steps since it was last seen, a tenth of them."""
OWN = slice(2, 2 + len(LOOKS))
"""Components that say what it looks like, or looked like when it was last seen: `LOOKS`."""
DOUBT = slice(2 + len(LOOKS), 2 + len(LOOKS) + len(ASPECTS))
"""How far a prediction expects to be off, one number for each of `ASPECTS`: a logarithm; 0 of what is observed."""
WIDTH = DOUBT.stop
"""D."""


def known(tokens: Float[Tensor, "*lead D"]) -> Bool[Tensor, "*lead"]:
    """Whether a file holds a thing, in sight or not."""
    return tokens[..., OWN.start + LOOKS.index("log_area")] > 0
