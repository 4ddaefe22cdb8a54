"""Sizes and rules of the cube world."""

from dataclasses import dataclass

from monde.errors import ContractError
from monde.limits import MAX_EPISODE_STEPS
from monde.worlds.drawing import Colour, Look

LOOK = Look(agent=(156, 72, 209))
"""OGBench's own purple gripper, on a light floor."""


@dataclass(frozen=True, kw_only=True)
class CubeConfig:
    """Sizes and rules of `Cube`.

    Args:
        side_pixels: Side of the picture.
        goal_steps: Control steps from start to goal on the trajectory that both are taken from.
        success_metres: Distance of the cube to the goal's that counts as reached: OGBench's.
        moved_metres: The goal's cube lies at least so far from the start's.
        cube: Colour of the cube: OGBench's red.
        look: Colours of floor and gripper (the agent), light and zoom; its offset and agent_scale are not used.

    Raises:
        ContractError: Sizes out of range, or goals where an untouched cube is at its goal.
    """

    side_pixels: int = 64
    goal_steps: int = 25
    success_metres: float = 0.04
    moved_metres: float = 0.06
    cube: Colour = (245, 66, 84)
    look: Look = LOOK

    def __post_init__(self) -> None:
        if not 0 < self.success_metres < self.moved_metres:
            raise ContractError(
                "CubeConfig's goals would be reached by doing nothing",
                got=f"success within {self.success_metres} m, moved by {self.moved_metres} m",
                expected="0 < success_metres < moved_metres",
            )
        if not 1 <= self.goal_steps < MAX_EPISODE_STEPS:
            raise ContractError(
                "CubeConfig.goal_steps is out of limits", got=self.goal_steps, expected=f"1 to {MAX_EPISODE_STEPS - 1}"
            )
