"""Sizes and rules of the table-top world."""

from dataclasses import dataclass
from typing import Literal, get_args

from monde.errors import ContractError, unknown_name
from monde.limits import MAX_CLOUD_POINTS, MAX_EPISODE_STEPS

Task = Literal["reach", "push"]

REACH_METRES = 0.15
"""The tip goes so far from the middle of the table, along x and y."""

STEP_METRES = 0.025
"""How far the tip goes in a control step, along each axis."""

DT_SECONDS = 0.1
"""Duration of a control step."""


@dataclass(frozen=True, kw_only=True)
class TabletopConfig:
    """Sizes and rules of `Tabletop`.

    Args:
        task: reach: the tip to the object's top; push: the object to another place.
        side_pixels: Side of the pictures.
        points: P, most points of a cloud.
        goal_steps: Control steps from start to goal, on the scripted policy's trajectory, of a push.
        success_metres: Distance that counts as reached: of the tip to the object's top, of the object to its goal.
        moved_metres: Starts lie at least so far from their goal.
        nearest_metres: What is nearer is not measured by the depth camera.
        furthest_metres: Nor what is further away.

    Raises:
        UsageError: An unknown task.
        ContractError: Sizes out of range, or goals that are reached by doing nothing.
    """

    task: Task = "push"
    side_pixels: int = 64
    points: int = 256
    goal_steps: int = 12
    success_metres: float = 0.03
    moved_metres: float = 0.06
    nearest_metres: float = 0.3
    furthest_metres: float = 1.1

    def __post_init__(self) -> None:
        if self.task not in get_args(Task):
            raise unknown_name("table-top task", self.task, list(get_args(Task)))
        if not 0 < self.success_metres < self.moved_metres < REACH_METRES:
            raise ContractError(
                "TabletopConfig's goals would be reached by doing nothing, or not at all",
                got=f"success within {self.success_metres} m, moved by {self.moved_metres} m",
                expected=f"0 < success_metres < moved_metres < {REACH_METRES}",
            )
        if not 1 <= self.goal_steps < MAX_EPISODE_STEPS or not 4 <= self.points <= MAX_CLOUD_POINTS:
            raise ContractError("TabletopConfig is out of limits", got=self, expected="steps ≥ 1, points ≥ 4")
        if not 0 < self.nearest_metres < self.furthest_metres:
            raise ContractError(
                "TabletopConfig's depth camera measures nothing",
                got=(self.nearest_metres, self.furthest_metres),
                expected="0 < nearest_metres < furthest_metres",
            )
