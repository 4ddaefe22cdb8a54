"""`Solver`: a contestant made of a reader and a foresight: every floor that has a rule, and both ceilings.

Where it has no rule for a question it guesses, and its note says so: a guess counts as any other answer.
"""

import math
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from monde.bets.anomaly import anomaly
from monde.bets.answering import by_chance, seconds_of
from monde.bets.foresight import CopyLast, Foresight, Simulated
from monde.bets.puzzles import Task, try_placement
from monde.bets.questions.moving import WHY_CHANGED_PIXELS
from monde.bets.questions.relations import holds
from monde.bets.questions.rooms import SIDE_PIXELS
from monde.bets.questions.stage import CONFIG, walk
from monde.bets.situations import Flying, Reader, Standing
from monde.bets.types import GUESSED, Answer, Question
from monde.errors import MondeError

MAX_TRIALS = 12_000
"""Placements that a simulator tries in its head before it gives a puzzle up."""

MAX_WALK_STEPS = 120
"""Steps in which a walker is looked for at its goal."""

SURE = 0.95
"""Confidence where a rule says yes or no."""


class Guessing:
    """Answers at random: a uniform option, place or plan, the same for the same question.

    Args:
        seed: Of the guesses.
    """

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    @property
    def identity(self) -> Mapping[str, object]:
        """Its seed."""
        return {"contestant": self.name, "seed": self._seed}

    def answer(self, question: Question) -> Answer:
        """A guess."""
        generator = np.random.default_rng([self._seed, zlib.crc32(question.id.encode())])
        if question.kind == "choice":
            n = len(question.options)
            return Answer(question=question.id, choice=int(generator.integers(n)), confidence=1 / n)
        if question.kind == "number":
            return Answer(question=question.id, number=float(generator.uniform(0, SIDE_PIXELS)), confidence=0.1)
        low, wide = (0.0, 1.0) if question.about.get("ask") == "placement" else (-1.0, 2.0)
        rows = low + wide * generator.uniform(size=(question.rows, len(question.row)))
        if question.row[-1] == "steps":
            rows[:, -1] = 1.0
        return Answer(question=question.id, plan=tuple(tuple(map(float, row)) for row in rows), confidence=0.1)


class Solver:
    """Reads a question, foresees, and answers by what it foresees.

    Args:
        name: Its name in the verdict.
        read: How it reads.
        foresight: What it expects.
        seed: Of guesses, and of placements tried.
        fitted_on: Hash of what the reader was fitted on, if it was.
    """

    def __init__(self, name: str, read: Reader, foresight: Foresight, seed: int = 0, fitted_on: str = "") -> None:
        self._name, self._read, self._foresight, self._seed = name, read, foresight, seed
        self._fitted_on = fitted_on
        self._guess = Guessing(seed)

    @property
    def name(self) -> str:
        """Its name in the verdict."""
        return self._name

    @property
    def identity(self) -> Mapping[str, object]:
        """Its name, its seed, what it was fitted on, and how long it tries."""
        return {"contestant": self._name, "seed": self._seed, "fitted_on": self._fitted_on, "trials": MAX_TRIALS}

    def answer(self, question: Question) -> Answer:
        """What follows from what it foresees."""
        began = time.perf_counter()
        if not question.sensors and question.about.get("ask") == "text":
            return Answer(question=question.id, failure="cannot-read", note="language alone")
        try:
            situation = self._read(question)
        except MondeError as error:
            return Answer(question=question.id, failure="cannot-read", note=error.what)
        rule = _RULES.get(str(question.about.get("ask")))
        made = None if situation is None or rule is None else rule(self, question, situation)
        if made is None:
            made = replace(self._guess.answer(question), note=GUESSED)
        return replace(made, seconds=time.perf_counter() - began)

    @property
    def foresight(self) -> Foresight:
        """What it expects."""
        return self._foresight

    @property
    def seed(self) -> int:
        """Of placements tried."""
        return self._seed


Rule = Callable[[Solver, Question, object], Answer | None]


def _places(solver: Solver, question: Question, situation: object) -> Answer | None:
    if not isinstance(situation, Flying):
        return None
    foreseen = solver.foresight.room(situation.room, seconds_of(question))
    where = dict(zip(situation.room.names, foreseen, strict=True))
    if any(name not in where for option in situation.options for name in option):
        return None
    gaps = [sum(math.dist(where[name], place) for name, place in option.items()) for option in situation.options]
    return _nearest(question, gaps)


def _coordinate(solver: Solver, question: Question, situation: object) -> Answer | None:
    if not isinstance(situation, Flying) or str(question.about["disc"]) not in situation.room.names:
        return None
    disc = situation.room.names.index(str(question.about["disc"]))
    axis = "xy".index(str(question.about["axis"]))
    value = solver.foresight.room(situation.room, seconds_of(question))[disc, axis]
    return Answer(question=question.id, number=float(value), confidence=0.9)


def _relation(solver: Solver, question: Question, situation: object) -> Answer | None:
    discs = question.about.get("discs")
    if not isinstance(situation, Flying) or not isinstance(discs, list):
        return None
    if not set(map(str, discs)) <= set(situation.room.names):
        return None
    order = [situation.room.names.index(str(name)) for name in discs]
    places = solver.foresight.room(situation.room, seconds_of(question))[order]
    if question.about["ask"] != "hidden-by":
        return _yes(question, holds(str(question.about["ask"]), places) > 0)
    if situation.screen is None:
        return None
    x0, y0, x1, y1 = situation.screen
    radius = situation.room.bodies[order[0]].radius
    x, y = places[0]
    return _yes(question, bool(x0 <= x - radius * 0.8 and x + radius * 0.8 <= x1 and y0 <= y and y <= y1))


def _cause(solver: Solver, question: Question, situation: object) -> Answer | None:
    discs = question.about.get("discs")
    if not isinstance(situation, Flying) or not isinstance(discs, list) or isinstance(solver.foresight, CopyLast):
        return None
    room, subject, seconds = situation.room, str(question.about["disc"]), seconds_of(question)
    if not {subject, *map(str, discs)} <= set(room.names):
        return None
    index = room.names.index(subject)
    end = solver.foresight.room(room, seconds)[index]
    moved = []
    for name in map(str, discs):
        other = room.without(name)
        moved.append(math.dist(solver.foresight.room(other, seconds)[other.names.index(subject)], end))
    sure = SURE if max(moved) > WHY_CHANGED_PIXELS else 0.3
    return None if max(moved) == 0 else Answer(question=question.id, choice=int(np.argmax(moved)), confidence=sure)


def _after(solver: Solver, question: Question, situation: object) -> Answer | None:
    rows = question.about.get("rows")
    if not isinstance(situation, Standing) or not isinstance(rows, list):
        return None
    end = solver.foresight.stage(situation, rows)
    return _nearest(question, [math.dist(end, place) for place in situation.options])


def _goal(solver: Solver, question: Question, situation: object) -> Answer | None:
    if not isinstance(situation, Standing) or len(situation.path) < 2:
        return None
    if not isinstance(solver.foresight, Simulated):
        # The goal ahead: of the way so far carried on, or (copy-last) the one that is nearest now.
        here = situation.path[-1]
        carried = isinstance(solver.foresight, CopyLast)
        gaps = []
        for goal in situation.options:
            way, left = here - situation.path[0], goal - here
            along = float(way @ left / max(np.linalg.norm(way) * np.linalg.norm(left), 1e-9))
            gaps.append(math.dist(here, goal) if carried else -along)
        return _nearest(question, gaps)
    n, steps = len(situation.options), len(situation.path) - 1
    paths, _, _ = walk(situation.door, np.tile(situation.start, (n, 1)), situation.options, steps)
    # A walker does not stand at its goal before it has shown its way: it was cut off before that.
    gaps = [float(np.linalg.norm(paths[:, k] - situation.path, axis=1).mean()) for k in range(n)]
    return _nearest(question, gaps)


def _plan(solver: Solver, question: Question, situation: object) -> Answer | None:
    if not isinstance(situation, Standing) or situation.goal is None or isinstance(solver.foresight, CopyLast):
        return None
    goal = situation.goal
    if isinstance(solver.foresight, Simulated):
        _, actions, there = walk(situation.door, situation.start[None], goal[None], MAX_WALK_STEPS)
        actions = actions[: max(1, int(there[:, 0].argmax()))]
    else:
        way = (goal - situation.start) / CONFIG.step_pixels
        steps = max(1, math.ceil(float(np.abs(way).max())))
        actions = np.tile(way / steps, (steps, 1, 1))
    rows = tuple((float(ax), float(ay), 1.0) for ax, ay in np.clip(actions[:, 0], -1, 1)[: question.rows])
    return Answer(question=question.id, plan=rows, confidence=0.9)


def _reachable(solver: Solver, question: Question, situation: object) -> Answer | None:
    if not isinstance(situation, Standing) or situation.goal is None:
        return None
    middle = CONFIG.side_pixels / 2
    same = (situation.start[0] < middle) == (situation.goal[0] < middle)
    return _yes(question, bool(same or not math.isnan(situation.door)))


def _possible(solver: Solver, question: Question, situation: object) -> Answer | None:
    if not isinstance(situation, tuple) or not isinstance(solver.foresight, Simulated):
        return None
    return _nearest(question, [anomaly(film) for film in situation])


def _placement(solver: Solver, question: Question, situation: object) -> Answer | None:
    if not isinstance(situation, Task) or not isinstance(solver.foresight, Simulated):
        return None
    generator = np.random.default_rng([solver.seed, zlib.crc32(question.id.encode()), 0x9A])
    for _ in range(MAX_TRIALS):
        action = tuple(float(value) for value in generator.uniform(size=3))
        if try_placement(situation, action) == "solved":
            return Answer(question=question.id, plan=(action,), confidence=1.0)
    return None


_RULES: Mapping[str, Rule] = {
    "places": _places,
    "coordinate": _coordinate,
    "left-of": _relation,
    "above": _relation,
    "nearer": _relation,
    "hidden-by": _relation,
    "cause": _cause,
    "after-actions": _after,
    "goal": _goal,
    "plan": _plan,
    "reachable": _reachable,
    "possible": _possible,
    "placement": _placement,
}


def _yes(question: Question, yes: bool) -> Answer:
    return by_chance(question, SURE if yes else 1 - SURE)


def _nearest(question: Question, gaps: list[float]) -> Answer:
    """The option of the smallest gap; its confidence says how much smaller it is than the next."""
    order = np.argsort(gaps, kind="stable")
    best, next_best = gaps[order[0]], gaps[order[1]]
    margin = (next_best - best) / max(abs(next_best) + abs(best), 1e-9)
    least = 1 / len(gaps)
    sure = min(1.0, max(least, least + (1 - least) * margin))
    return Answer(question=question.id, choice=int(order[0]), confidence=float(sure))
