"""Puzzles as questions: one placement of a ball that makes A touch B."""

from collections import Counter
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from monde.bets.puzzles import MAX_ATTEMPTS, Task, load_tasks, tell_task, try_placement
from monde.bets.puzzles.tasks import SCENE_PIXELS
from monde.bets.questions.draw import Draw, Made
from monde.bets.types import GRADES, Grade, Question, Truth
from monde.errors import DataError

PROBES = 150
"""Random placements that tell how hard a task is."""

LEAST_SOLVED: dict[Grade, float] = {"easy": 0.05, "middle": 0.02, "hard": 0.0075}
"""Share of valid random placements that solve a task of a grade, at least; less than the next easier grade's."""

ROW = ("x", "y", "r")
SIDE_PIXELS = 64
_COLOURS = {
    "red": (230, 60, 50),
    "green": (60, 170, 80),
    "blue": (50, 90, 200),
    "purple": (130, 60, 170),
    "grey": (170, 175, 180),
    "black": (30, 30, 36),
}


class Puzzles:
    """Tasks by grade, graded as they are needed: in an order that depends on the seed, each by its own probes.

    Args:
        folder: Of PHYRE's decoded tasks.
        seed: Of order and probes.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._tasks = list(load_tasks(folder))
        self._order = iter(np.random.default_rng([seed, 0xF1]).permutation(len(self._tasks)))
        self._seed = seed
        self._graded: dict[Grade, list[Task]] = {grade: [] for grade in GRADES}

    def task(self, grade: Grade, number: int) -> Task:
        """The task of this number of a grade.

        Raises:
            DataError: There are not so many.
        """
        while len(self._graded[grade]) <= number:
            index = next(self._order, None)
            if index is None:
                got = {name: len(tasks) for name, tasks in self._graded.items()}
                raise DataError(f"there are not so many {grade} puzzles", got=got, expected=f"{number + 1}")
            told = grade_of(self._tasks[int(index)], np.random.default_rng([self._seed, int(index), 0xF2]))
            if told is not None:
                self._graded[told].append(self._tasks[int(index)])
        return self._graded[grade][number]

    def make(self, draw: Draw) -> Made:
        """The question."""
        task = self.task(draw.grade, draw.number)
        a, b = (task.bodies[index].colour for index in task.goal)
        question = Question(
            id=draw.id,
            family=draw.family,
            grade=draw.grade,
            kind="plan",
            prompt=(
                f"Place one red ball so that, once all is let go, the {a} body touches the {b} one for 3 s. A row is "
                "(x, y, r), each from 0 to 1: the centre is at 255 x and 255 y px, the radius 2 + 30 r px; it must "
                "overlap nothing. Up to 100 rows are tried one after another until one solves it; the earlier, the "
                "better (AUCCESS)."
            ),
            text=tell_task(task),
            row=ROW,
            rows=MAX_ATTEMPTS,
            about={"ask": "placement"},
            sensors={"scene": picture(task)[None]},
        )
        return question, Truth(id=draw.id, judge={"world": "phyre", "task": task.id, "text": question.text})


def grade_of(task: Task, generator: np.random.Generator) -> Grade | None:
    """How hard a task is by random placements; none if hardly any solves it, or hardly any is valid."""
    counts = Counter(try_placement(task, [float(v) for v in action]) for action in generator.uniform(size=(PROBES, 3)))
    valid = counts["solved"] + counts["unsolved"]
    if valid < PROBES / 10:
        return None
    share = counts["solved"] / valid
    return next((grade for grade in GRADES if share >= LEAST_SOLVED[grade]), None)


def picture(task: Task) -> UInt8[np.ndarray, "3 h w"]:
    """The scene at 64 px, drawn at 256 and averaged."""
    centre = np.arange(SCENE_PIXELS) + 0.5
    x, y = np.meshgrid(centre, SCENE_PIXELS - centre)
    scene = np.full((SCENE_PIXELS, SCENE_PIXELS, 3), 250.0)
    for body in task.bodies:
        cos, sin = np.cos(body.angle), np.sin(body.angle)
        u = cos * (x - body.x) + sin * (y - body.y)
        v = cos * (y - body.y) - sin * (x - body.x)
        for shape in body.shapes:
            if shape.corners:
                corners = np.array(shape.corners)
                along = np.roll(corners, -1, axis=0) - corners
                turns = [ax * (v - cy) - ay * (u - cx) for (cx, cy), (ax, ay) in zip(corners, along, strict=True)]
                inside = np.all(np.array(turns) >= 0, axis=0) | np.all(np.array(turns) <= 0, axis=0)
            else:
                inside = u**2 + v**2 <= shape.radius**2
            scene[inside] = _COLOURS[body.colour]
    step = SCENE_PIXELS // SIDE_PIXELS
    small = scene.reshape(SIDE_PIXELS, step, SIDE_PIXELS, step, 3).mean(axis=(1, 3))
    return (small + 0.5).astype(np.uint8).transpose(2, 0, 1)
