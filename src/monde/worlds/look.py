"""`Look`: the colours and sizes that a drawn world is shown in. What happens in it does not depend on them."""

import math
from dataclasses import dataclass

from monde.errors import ContractError
from monde.worlds.drawing import AGENT, FLOOR, WALL, Colour


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a world that draws itself looks. What pixels alone can change (light, camera) is in `PixelShift`.

    Args:
        floor: Colour (r, g, b) of the ground.
        wall: Colour of walls.
        agent: Colour of what acts.
        agent_scale: Its drawn size as a multiple of its true one; what it collides as stays the same.

    Raises:
        ContractError: A colour outside 0 to 255, or a size that is not positive.
    """

    floor: Colour = FLOOR
    wall: Colour = WALL
    agent: Colour = AGENT
    agent_scale: float = 1.0

    def __post_init__(self) -> None:
        for name, colour in (("floor", self.floor), ("wall", self.wall), ("agent", self.agent)):
            if len(colour) != 3 or not all(0 <= level <= 255 for level in colour):
                raise ContractError(f"Look.{name} is no colour", got=colour, expected="(r, g, b), each 0 to 255")
        if not 0 < self.agent_scale < math.inf:
            raise ContractError("Look.agent_scale must be positive", got=self.agent_scale)
