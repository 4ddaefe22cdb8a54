"""Where a robot starts and where it is to go."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from monde.errors import WorldError
from monde.worlds.laser.campus import Part, within
from monde.worlds.laser.grid import GridMap
from monde.worlds.laser.solids import Scene, Solids, Surroundings
from monde.worlds.laser.ways import Ground

SPARE_M = 0.05
"""Room beyond its radius that a robot is given on ways, at starts and at goals."""
_DRAWS = 200


@dataclass(frozen=True)
class Task:
    """One episode.

    Args:
        start: (x, y, yaw).
        goal: (x, y, yaw).
        ground: Where the robot may stand, around its start.
        field: Length of the shortest way to the goal from each of its cells.
    """

    start: Float64[np.ndarray, "3"]
    goal: Float64[np.ndarray, "3"]
    ground: Ground
    field: Float64[np.ndarray, "h w"]


def ground_of(around: Surroundings, edge: tuple[float, float, float, float], radius_m: float) -> Ground:
    """Where a robot may stand within a rectangle (x0, y0, x1, y1), for one scene, in cells as large as it allows."""
    x0, y0, x1, y1 = edge
    cell = 0.8 * radius_m
    w, h = int((x1 - x0) / cell), int((y1 - y0) / cell)
    x, y = np.meshgrid(x0 + (np.arange(w) + 0.5) * cell, y0 + (np.arange(h) + 0.5) * cell)
    clear = around.clearance(np.stack([x, y], -1).reshape(1, -1, 2))[0].reshape(h, w)
    return Ground(clear > radius_m + SPARE_M, cell, (x0, y0))


def draw_task(
    scene: Scene,
    edge: tuple[float, float, float, float],
    radius_m: float,
    goal_m: tuple[float, float],
    generator: np.random.Generator,
) -> Task | None:
    """Start and goal in a scene of its own, or none where no two places are as far apart as asked for."""
    ground = ground_of(Solids([scene]), edge, radius_m)
    return _between(ground, ground.places, goal_m, generator)


class CampusStarts:
    """Starts and goals on a part of the campus.

    Args:
        campus: The map.
        part: Where starts and goals lie.
        radius_m: Of the robot.
    """

    def __init__(self, campus: GridMap, part: Part, radius_m: float) -> None:
        h, w = campus.free.shape
        (x, y), cell = campus.origin, campus.cell_m
        whole = ground_of(campus, (x, y, x + w * cell, y + h * cell), radius_m)
        self._part, self._campus, self._radius = part, campus, radius_m
        self._places = whole.places[within(part, whole.places)]

    def draw(self, goal_m: tuple[float, float], generator: np.random.Generator) -> Task:
        """A start anywhere in the part, and a goal in it as far away as asked for.

        Raises:
            WorldError: Nothing is, at some 200 starts.
        """
        for _ in range(_DRAWS):
            x, y = self._places[int(generator.integers(len(self._places)))]
            far = goal_m[1] + 2.0
            ground = ground_of(self._campus, (x - far, y - far, x + far, y + far), self._radius)
            places = ground.places
            task = _between(ground, places[within(self._part, places)], goal_m, generator, start=np.array([x, y]))
            if task is not None:
                return task
        raise WorldError("no goal is as far away as asked for", got=goal_m, expected="a shorter way")


def _between(
    ground: Ground,
    goals: Float64[np.ndarray, "n 2"],
    goal_m: tuple[float, float],
    generator: np.random.Generator,
    start: Float64[np.ndarray, "2"] | None = None,
) -> Task | None:
    """A goal whose shortest way from the start is as long as asked for."""
    places = ground.places
    if not len(places):
        return None
    if start is None:
        start = places[int(generator.integers(len(places)))]
    yaws = generator.uniform(-np.pi, np.pi, size=2)
    cells = ground.cells(goals)
    lengths = ground.distances(start)[cells[:, 0], cells[:, 1]] if len(goals) else np.zeros(0)
    fit = np.flatnonzero((lengths >= goal_m[0]) & (lengths <= goal_m[1]))
    if not len(fit):
        return None
    goal = goals[fit[int(generator.integers(len(fit)))]]
    return Task(np.array([*start, yaws[0]]), np.array([*goal, yaws[1]]), ground, ground.distances(goal))
