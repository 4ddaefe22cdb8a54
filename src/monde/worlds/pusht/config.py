"""Sizes and rules of Push-T."""

import math
from dataclasses import dataclass

from monde.errors import ContractError
from monde.limits import MAX_EPISODE_STEPS
from monde.worlds.drawing import PLAIN, Colour, Look

TABLE_PIXELS = 512
"""Side of the table in the simulator's own pixels, in which all distances are given."""


@dataclass(frozen=True, kw_only=True)
class PushTConfig:
    """Sizes and rules of `PushT`; px are those of the table (512 a side).

    Args:
        side_pixels: Side of the picture.
        goal_steps: Control steps from start to goal on the trajectory that both are taken from.
        reach_pixels: How far ahead of the agent an action of 1 sets its target.
        success_pixels: Distance to the goal, of agent and block together, that still counts as reached (exclusive).
        success_radians: The same for the block's angle.
        moved_pixels: The goal's block has moved at least so far from the start's, or turned by `moved_radians`.
        moved_radians: See `moved_pixels`.
        block: Colour of the block.
        look: All other colours, light and view.

    Raises:
        ContractError: Sizes out of range.
    """

    side_pixels: int = 64
    goal_steps: int = 25
    reach_pixels: float = 50.0
    success_pixels: float = 20.0
    success_radians: float = math.pi / 9
    moved_pixels: float = 20.0
    moved_radians: float = math.pi / 9
    block: Colour = (70, 110, 150)
    look: Look = PLAIN

    def __post_init__(self) -> None:
        sizes = (self.reach_pixels, self.success_pixels, self.success_radians)
        if min(sizes) <= 0 or min(self.moved_pixels, self.moved_radians) < 0:
            raise ContractError("PushTConfig is out of range", got=self, expected="sizes above 0")
        if not 1 <= self.goal_steps < MAX_EPISODE_STEPS:
            raise ContractError(
                "PushTConfig.goal_steps is out of limits", got=self.goal_steps, expected=f"1 to {MAX_EPISODE_STEPS - 1}"
            )
