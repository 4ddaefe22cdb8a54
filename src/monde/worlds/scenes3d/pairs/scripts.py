"""How each principle's films are made in space."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from monde.worlds.scenes3d.pairs.barrier import solidity, support
from monde.worlds.scenes3d.pairs.continuity import continuity
from monde.worlds.scenes3d.pairs.crossing import collision, gravity, inertia
from monde.worlds.scenes3d.pairs.keeping import colour_constancy, permanence, shape_constancy
from monde.worlds.scenes3d.pairs.parts import Draw, Parts
from monde.worlds.scenes3d.scenery import Outlook


@dataclass(frozen=True, kw_only=True)
class Script:
    """How one principle's films are made.

    Args:
        parts: Draws one set, or none if the draw did not fit into the picture.
        outlook: Ranges that its camera is drawn from.
    """

    parts: Callable[[Draw], Parts | None]
    outlook: Outlook = field(default_factory=Outlook)


_HIGH = Outlook(elevation_degrees=(8.0, 22.0), height=(1.8, 2.2))
"""What falls is seen from the side."""

_AIRY = Outlook(distance=(10.6, 12.0), elevation_degrees=(6.0, 16.0), height=(2.3, 2.7))
"""What is thrown needs room above."""

_FAR = Outlook(distance=(12.2, 13.6), azimuth_degrees=6.0)
"""Two screens and the gap between them need room."""

SCRIPTS: Mapping[str, Script] = MappingProxyType(
    {
        "permanence": Script(parts=permanence),
        "continuity": Script(parts=continuity, outlook=_FAR),
        "solidity": Script(parts=solidity, outlook=Outlook(distance=(11.0, 12.0), azimuth_degrees=8.0)),
        "gravity": Script(parts=gravity, outlook=_AIRY),
        "inertia": Script(parts=inertia),
        "support": Script(parts=support, outlook=_HIGH),
        "collision": Script(parts=collision),
        "shape-constancy": Script(parts=shape_constancy),
        "colour-constancy": Script(parts=colour_constancy),
    }
)
"""By the principle's name."""
