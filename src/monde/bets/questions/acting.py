"""Questions on acting in two rooms: what if, which goal, how to get there. Actions are given in both renderings."""

import numpy as np
from jaxtyping import Float64

from monde.bets.questions.draw import Draw, Made
from monde.bets.questions.stage import (
    CONFIG,
    Stage,
    draw_door,
    draw_place,
    held,
    tell_held,
    tell_path,
    tell_stage,
    walk,
)
from monde.bets.types import Question, Truth
from monde.errors import WorldError
from monde.limits import MAX_BETS_TRIES

HOLD_STEPS = 5
LEAST_GAP_PIXELS = 6.0
MAX_WALK_STEPS = 80
SHOWN = {"easy": 0.6, "middle": 0.3, "hard": 0.0}
"""Share that is shown of what is left of a walk after the step by which the four ways can be told apart."""

WAYS_DIFFER_PIXELS = 2.0
"""Mean distance of two ways so far that noise does not explain."""

NOISE_PIXELS = 0.3
"""Spread of what is added to each step of a walker, px."""

SLACK = 1.5
"""A plan may take so many times the steps of a straight walk."""

FOURS = 16
"""Sets of four goals that are walked to at once."""

ROW = ("ax", "ay", "steps")


def what_if(draw: Draw) -> Made:
    """Where one of four action sequences would have led from the same start."""
    holds = int(draw.by_grade(2, 5, 10))
    generator = draw.generator
    for _ in range(MAX_BETS_TRIES):
        door = draw_door(generator)
        start = draw_place(generator, bool(generator.integers(2)))
        # Each sequence has a drift of its own: so most of the longer ones meet a wall.
        drift = generator.uniform(-0.7, 0.7, size=(4, 1, 2))
        rows = np.round(np.clip(drift + generator.uniform(-0.6, 0.6, size=(4, holds, 2)), -1, 1), 3)
        controls = np.repeat(rows, HOLD_STEPS, axis=1).swapaxes(0, 1)
        stage = Stage(door, np.tile(start, (4, 1)))
        first = stage.pictures()[:1]
        ends = stage.play(controls)[-1]
        if _spread(ends) >= LEAST_GAP_PIXELS:
            break
    right = draw.turn % 4
    asked = [(float(ax), float(ay), HOLD_STEPS) for ax, ay in rows[right]]
    return draw.choice(
        "Where is the disc after these actions, taken from this start?",
        tell_stage(door, start) + "\n" + tell_held(asked),
        [f"at ({x:.2f}, {y:.2f}) px" for x, y in ends],
        right,
        about={"ask": "after-actions", "rows": [list(row) for row in asked]},
        sensors={"start": first, "options": stage.pictures(), "actions": controls[:, right].astype(np.float32)},
    )


def which_goal(draw: Draw) -> Made:
    """Which of four places a walker is on its way to, from the first part of its way."""
    generator = draw.generator
    door, start, goals, paths, shown = _four_goals(generator, SHOWN[draw.grade])
    right = draw.turn % 4
    stage = Stage(door, start[None], goals[right : right + 1])
    frames, places = [stage.pictures()[0]], [stage.places[0]]
    for step in range(shown[right]):
        way = paths[step + 1, right] - stage.places[0] + generator.normal(0, NOISE_PIXELS, size=2)
        stage.step(np.clip(way / CONFIG.step_pixels, -1, 1)[None])
        frames.append(stage.pictures()[0])
        places.append(stage.places[0])
    pictures = Stage(door, goals).pictures()
    return draw.choice(
        "The walker goes straight to its goal, first through the middle of the door where that is in the other room, "
        "with a little noise. Only the first part of its way is shown. Which is its goal?",
        tell_stage(door, start) + "\n" + tell_path(np.stack(places)),
        [f"({x:.2f}, {y:.2f}) px" for x, y in goals],
        right,
        about={"ask": "goal"},
        sensors={"film": np.stack(frames), "options": pictures},
    )


def _four_goals(
    generator: np.random.Generator, share: float
) -> tuple[float, Float64[np.ndarray, " 2"], Float64[np.ndarray, "4 2"], Float64[np.ndarray, "T 4 2"], list[int]]:
    """Door, start, four goals, the ways to them, and how many steps of each are shown.

    Many fours are walked at once; the first whose goals and ways can be told apart is taken, whichever is the real one.
    """
    for _ in range(MAX_BETS_TRIES // FOURS):
        door = draw_door(generator)
        start = draw_place(generator, bool(generator.integers(2)))
        many = np.stack([draw_place(generator, bool(generator.integers(2))) for _ in range(4 * FOURS)])
        ways, _, there = walk(door, np.tile(start, (len(many), 1)), many, MAX_WALK_STEPS)
        for first in range(0, len(many), 4):
            four = slice(first, first + 4)
            arrivals, told = there[:, four].argmax(axis=0), _tellable(ways[:, four])
            if told is None or not there[:, four].any(axis=0).all() or _spread(many[four]) < 10:
                continue
            if told + 2 <= arrivals.min():
                shown = [told + int(share * (int(steps) - told)) for steps in arrivals]
                return door, start, many[four], ways[:, four], shown
    raise WorldError("no four goals of different ways could be drawn", got=f"{MAX_BETS_TRIES} draws")


def how_to_get_there(draw: Draw) -> Made:
    """A plan that is executed and judged: in one room, in the other, and (hard) with hardly more steps than needed."""
    generator = draw.generator
    for _ in range(MAX_BETS_TRIES):
        door, here = draw_door(generator), bool(generator.integers(2))
        start = draw_place(generator, here)
        goal = draw_place(generator, here if draw.grade == "easy" else not here)
        _, _, there = walk(door, start[None], goal[None], MAX_WALK_STEPS)
        needed = int(there[:, 0].argmax())
        if needed >= 8:
            break
    limit = int(np.ceil(needed * (1.15 if draw.grade == "hard" else SLACK))) + 1
    shown = Stage(door, np.stack([start, goal])).pictures()
    question = Question(
        id=draw.id,
        family=draw.family,
        grade=draw.grade,
        kind="plan",
        prompt=(
            f"Bring the disc to the goal: within {CONFIG.success_pixels:g} px of it at any step. The plan is rows "
            f"(ax, ay, steps): the action (ax, ay), each from -1 to 1, is taken for so many steps; {limit} steps "
            "in all at most, what is beyond is not taken."
        ),
        text=tell_stage(door, start, goal),
        row=ROW,
        rows=limit,
        about={"ask": "plan", "steps": limit},
        sensors={"start": shown[:1], "goal": shown[1:]},
    )
    judge = {
        "world": "two-rooms",
        "door": door,
        "start": [float(x) for x in start],
        "goal": [float(x) for x in goal],
        "steps": limit,
    }
    return question, Truth(id=draw.id, judge=judge)


def reached(judge: dict[str, object], plan: tuple[tuple[float, ...], ...]) -> bool:
    """Whether a plan, executed in the world, comes within reach of the goal at any of its allowed steps. Actions out of
    bounds and rows of another width reach nothing."""
    start, goal = judge["start"], judge["goal"]
    door, limit = judge["door"], judge["steps"]
    if not (isinstance(start, list) and isinstance(goal, list) and isinstance(door, float) and isinstance(limit, int)):
        return False
    lasting = [row for row in plan if len(row) == 3 and row[2] >= 1]
    if len(lasting) < len(plan) or any(abs(value) > 1 for row in plan for value in row[:2]):
        return False
    controls = held([(*row[:2], min(row[2], limit)) for row in lasting])[:limit]
    stage = Stage(door, np.array([start]), np.array([goal]))
    for step in controls:
        stage.step(step[None])
        if stage.success()[0]:
            return True
    return False


def _spread(places: Float64[np.ndarray, "n 2"]) -> float:
    gaps = np.linalg.norm(places[:, None] - places[None, :], axis=-1)
    return float(gaps[np.triu_indices(len(places), 1)].min())


def _tellable(ways: Float64[np.ndarray, "T n 2"]) -> int | None:
    """The first step by which every two of these ways have lain apart by `WAYS_DIFFER_PIXELS` on the mean; none if
    never."""
    gaps = np.linalg.norm(ways[:, :, None] - ways[:, None, :], axis=-1)
    means = np.cumsum(gaps, axis=0) / np.arange(1, len(ways) + 1)[:, None, None]
    upper = np.triu_indices(ways.shape[1], 1)
    told = (means[:, upper[0], upper[1]] >= WAYS_DIFFER_PIXELS).all(axis=1)
    return int(told.argmax()) if told.any() else None
