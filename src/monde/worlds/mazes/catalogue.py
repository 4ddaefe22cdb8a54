"""The mazes by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class MazeKind:
    """Which environment a maze is, and what it counts as reached.

    Args:
        body: What moves: "point" and "ant" are OGBench's, "ball" is gymnasium-robotics'.
        maze: The maze's name there.
        success: Straight-line distance to the goal that counts as reached, as the environment defines it.
        reach: Way along each axis in one control step at full speed.
        radius: Of the body, or of the room it needs.
        unit: Of its state, that of places first.
        lag_steps: Control steps that the sensor `before` is behind, or 0 for a world without it.
    """

    body: Literal["point", "ball", "ant"]
    maze: str
    success: float
    reach: float
    radius: float
    unit: str
    lag_steps: int = 0

    @property
    def has_tasks(self) -> bool:
        """Whether its package names evaluation tasks (OGBench does)."""
        return self.body != "ball"


def _ogbench_point(maze: str) -> MazeKind:
    # ogbench/locomaze: maze_unit 4, point.py moves by 0.2 · action, assets/point.xml has radius 0.7, goal_tol 1.
    return MazeKind(body="point", maze=maze, success=1.0, reach=0.2, radius=0.7, unit="m")


MAZES: Mapping[str, MazeKind] = {
    # gymnasium_robotics/envs/maze: cells of 1, speed clipped at 5 in steps of 0.01 s, radius 0.1, reached at 0.45.
    "pointmaze_umaze": MazeKind(
        body="ball", maze="umaze", success=0.45, reach=0.05, radius=0.1, unit="m, m/s", lag_steps=5
    ),
    "pointmaze_medium": _ogbench_point("medium"),
    "pointmaze_large": _ogbench_point("large"),
    "pointmaze_giant": _ogbench_point("giant"),
    # antmaze-medium-v0: goal_tol 0.5, starts up to 1 from the middle of a cell; reach is what the scripted trot does.
    "antmaze_medium": MazeKind(
        body="ant", maze="medium", success=0.5, reach=0.13, radius=1.0, unit="m, rad, m/s, rad/s"
    ),
}
"""What each is."""

TASKS_SUFFIX = "_tasks"
"""Added to the name of one of OGBench's mazes: its five evaluation tasks instead of goals anywhere."""
