"""How each principle's films are made in the plane."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from monde.worlds.scenes.pairs.barrier import solidity, support
from monde.worlds.scenes.pairs.continuity import continuity
from monde.worlds.scenes.pairs.crossing import collision, gravity, inertia
from monde.worlds.scenes.pairs.keeping import colour_constancy, permanence, shape_constancy
from monde.worlds.scenes.pairs.parts import Draw, Parts


@dataclass(frozen=True, kw_only=True)
class Script:
    """How one principle's films are made.

    Args:
        parts: Draws one set, or none if the draw did not fit into the picture.
        zoom: Range of the camera's zoom.
    """

    parts: Callable[[Draw], Parts | None]
    zoom: tuple[float, float] = (0.9, 1.08)


SCRIPTS: Mapping[str, Script] = MappingProxyType(
    {
        "permanence": Script(parts=permanence),
        "continuity": Script(parts=continuity, zoom=(0.66, 0.78)),
        "solidity": Script(parts=solidity),
        "gravity": Script(parts=gravity),
        "inertia": Script(parts=inertia),
        "support": Script(parts=support),
        "collision": Script(parts=collision),
        "shape-constancy": Script(parts=shape_constancy),
        "colour-constancy": Script(parts=colour_constancy),
    }
)
"""By the principle's name."""
