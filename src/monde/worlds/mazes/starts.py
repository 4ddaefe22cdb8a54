"""Start and goal of an episode."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from monde.errors import ContractError, WorldError
from monde.worlds.mazes.catalogue import MazeKind
from monde.worlds.mazes.layout import Layout
from monde.worlds.mazes.ways import Ways

SLACK = 0.2
"""Share by which a goal may be nearer or farther than asked for."""

_REDRAWS = 1_000
"""Starts tried before a distance is given up."""

_NEAREST = 1.5
"""Nearest goals, in radii of success: nearer ones are reached at once."""

_TASK_NOISE = 0.25
"""Of a cell, on OGBench's task cells (maze.py, `add_noise`)."""


class Starts:
    """Draws start and goal, never within the success radius of each other.

    Args:
        layout: The walls.
        ways: Distances.
        kind: The maze.
        distance_steps: Control steps from start to goal, ± `SLACK`, or none: anywhere.
        tasks: Cells of start and goal to choose from, instead.

    Raises:
        ContractError: Goals farther away than the maze is long, or nearer than 1.5 radii of success; no tasks.
    """

    def __init__(
        self,
        layout: Layout,
        ways: Ways,
        kind: MazeKind,
        *,
        distance_steps: int | None,
        tasks: Sequence[tuple[tuple[int, int], tuple[int, int]]] | None,
    ) -> None:
        self._layout, self._ways, self._kind = layout, ways, kind
        self._distance, self._tasks = distance_steps, tasks
        if tasks is not None and not tasks:
            raise ContractError("this maze has no evaluation tasks of its own", expected="one of OGBench's mazes")
        if distance_steps is not None:
            least, most = _NEAREST * kind.success / kind.reach, ways.longest()
            if not least <= distance_steps <= most:
                raise ContractError(
                    "goals cannot be this many steps away in this maze",
                    got=distance_steps,
                    expected=f"{int(np.ceil(least))} to {int(most)}",
                )

    def draw(self, generator: np.random.Generator) -> tuple[Float64[np.ndarray, " 2"], Float64[np.ndarray, " 2"]]:
        """Start and goal.

        Raises:
            WorldError: None found that are as far apart as asked for.
        """
        for _ in range(_REDRAWS):
            start, goal = self._pair(generator)
            if goal is not None and np.sqrt(((start - goal) ** 2).sum()) > self._kind.success:
                return start, goal
        raise WorldError(
            "no start and goal this far apart were found",
            got=f"{self._distance} control steps, {_REDRAWS} starts",
            remedy="ask for nearer goals",
        )

    def _pair(
        self, generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, " 2"], Float64[np.ndarray, " 2"] | None]:
        if self._tasks is not None:
            cells = np.array(self._tasks[int(generator.integers(len(self._tasks)))])
            noise = generator.uniform(-_TASK_NOISE, _TASK_NOISE, size=(2, 2)) * self._layout.cell
            start, goal = self._layout.centre(cells) + noise
            return start, goal
        start = self._layout.draw_place(generator, self._kind.radius)
        if self._distance is None:
            return start, self._layout.draw_place(generator, self._kind.radius)
        # Half of the slack: the other half is for what the grid cannot tell.
        return start, self._ways.draw_at(generator, start, self._distance, SLACK / 2 * self._distance)
