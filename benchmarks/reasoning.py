"""Questions about TwoRoom that the simulator can answer: which course is best, what made the difference, what the goal
was.

    python benchmarks/reasoning.py --keep DIR [--cases 100] [--seed 0]

DIR as of planning.py. The truth is the simulator's: control steps that are still needed to the goal, through the door.
Cases have one right answer (reasoning_cases.py) and are drawn before any model is asked:

    compare  three courses of five blocks from one start; the steps left at their ends differ by 2 or more, the world's
             own tolerance of success. Right: the whole order.
    explain  two courses of six blocks that differ in every block; exchanging one of them changes the steps left by 3 or
             more, exchanging any other by half as much at most. Right: that block is named first.
    region   two pictures that differ in four of sixteen parts: in one the disc stands elsewhere, in three a patch of
             another colour does. The model never saw such patches. Right: the disc's part is named first.
    goal_of  a noisy walk to one of four goals, the first half of it seen; by then it has wasted a block or more on the
             way to each other goal. Right: the goal it leads to. Other shares of the same walks beside.

Floors: chance; the same questions to the run untrained (distance in latent space), and to the trained run without its
learned time; and what needs no world model: adding up actions in a straight line from the true place (compare,
explain), the largest difference of actions or pixels (explain, region), the goal nearest to the true place (goal_of).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from common import options, write
from monde.evaluation.statistics import wilson
from monde.mind import (
    CompareRequest,
    Course,
    ExplainRequest,
    GoalOfRequest,
    GoalPicture,
    Mind,
    Observed,
    PerceiveRequest,
)
from monde.mind.senses import clip_of
from monde.models import JEPA
from monde.scorecard import Row
from monde.training.setup import reopen, untrained_floor
from planning import prepare
from reasoning_cases import (
    CELL,
    DECISIVE_STEPS,
    EXPLAINED_BLOCKS,
    TOLERANCE_STEPS,
    WASTED_STEPS,
    Altered,
    Compared,
    Explained,
    Scenes,
    Walked,
    altered,
    compared,
    explained,
    scenes,
    steps_left,
    until,
    walked,
)

FIRST_SEED = 9_000_000
"""Of starts and goals: none was recorded, planned from or fitted on."""
SHARES = (0.25, 0.5, 0.75, 1.0)
SEEN = 0.5


def main() -> None:
    """Draw, ask, write."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="folder of recordings and runs")
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the run's training and of the cases")
    given = parser.parse_args()
    torch.set_num_threads(1)
    run = prepare("tworoom", given.seed, given.keep)
    pool = scenes(FIRST_SEED + 100_000 * given.seed)
    mind = Mind(run, device="cpu")
    floors = {"untrained": without_time(mind, untrained(run)), "latent": without_time(mind, mind.faculties.model)}
    generators = np.random.default_rng(given.seed).spawn(4)
    n = given.cases
    rows = [
        *compare_rows(pool, mind, floors, list(islice(compared(pool, generators[0]), n))),
        *explain_rows(pool, mind, floors, list(islice(explained(pool, generators[1]), n))),
        *region_rows(pool, mind, floors, list(islice(altered(pool, generators[2]), n))),
        *goal_rows(pool, mind, floors, list(islice(walked(pool, generators[3], SEEN), n))),
    ]
    protocol = {
        "world": "tworoom",
        "tolerance_steps": TOLERANCE_STEPS,
        "decisive_steps": DECISIVE_STEPS,
        "wasted_steps": WASTED_STEPS,
        "seen": SEEN,
        "first_seed": FIRST_SEED + 100_000 * given.seed,
        "weights": mind.faculties.of,
    }
    write("reasoning", rows, protocol, (given.seed,), given.out)


def untrained(run: Path) -> JEPA:
    """The run's model before training."""
    config, setup = reopen(run)
    return untrained_floor(setup, config.seed)


def without_time(mind: Mind, model: JEPA) -> Mind:
    """The same mind with another model, and distance in latent space in place of the learned time."""
    return Mind.of(replace(mind.faculties, model=model, distance=None, knowledge=None))


def compare_rows(pool: Scenes, mind: Mind, floors: dict[str, Mind], cases: Sequence[Compared]) -> list[Row]:
    """Whole orders that are right."""

    def right(asked: Mind) -> int:
        return sum(_order(asked, pool, case) == np.argsort(case.left).tolist() for case in cases)

    straight = 0
    for case in cases:
        ends = pool.starts[case.scene] + 2 * case.courses.sum(1)
        straight += bool((np.argsort(_straight(ends, pool.goals[case.scene])) == np.argsort(case.left)).all())
    found = {name: right(floor) for name, floor in floors.items()} | {"straight_line": straight}
    return [_row("compare", right(mind), len(cases), found, 1 / 6, "three courses, the whole order")]


def _order(asked: Mind, pool: Scenes, case: Compared) -> list[int]:
    seen = Observed(sensors={"top": pool.start_frames[case.scene][None]})
    belief = asked.perceive(PerceiveRequest(observed=seen)).belief
    courses = tuple(Course(name=str(i), controls=course) for i, course in enumerate(case.courses))
    answer = asked.compare(CompareRequest(belief=belief, courses=courses, goal=_goal(pool, case.scene)))
    return [int(outcome.course) for outcome in answer.outcomes]


def explain_rows(pool: Scenes, mind: Mind, floors: dict[str, Mind], cases: Sequence[Explained]) -> list[Row]:
    """Causes among actions that are named first."""

    def right(asked: Mind) -> int:
        return sum(_block(asked, pool, case) == case.cause for case in cases)

    largest = straight = 0
    for case in cases:
        apart = np.abs(case.course - case.instead).reshape(EXPLAINED_BLOCKS, -1).sum(1)
        largest += int(apart.argmax()) == case.cause
        moved = 2 * (case.instead - case.course).reshape(EXPLAINED_BLOCKS, -1, 2).sum(1)
        end = pool.starts[case.scene] + 2 * case.course.sum(0)
        left = _straight(np.concatenate([end[None], end + moved]), pool.goals[case.scene])
        straight += int(np.abs(left[1:] - left[0]).argmax()) == case.cause
    found = {name: right(floor) for name, floor in floors.items()}
    found |= {"largest_difference": largest, "straight_line": straight}
    note = "the block that made the difference, of six that all differ"
    return [_row("explain", right(mind), len(cases), found, 1 / EXPLAINED_BLOCKS, note)]


def _block(asked: Mind, pool: Scenes, case: Explained) -> int:
    request = ExplainRequest(
        observed=Observed(sensors={"top": pool.start_frames[case.scene][None]}),
        course=Course(name="done", controls=case.course),
        instead=Course(name="instead", controls=case.instead),
        goal=_goal(pool, case.scene),
    )
    return asked.explain(request).causes[0].index


def region_rows(pool: Scenes, mind: Mind, floors: dict[str, Mind], cases: Sequence[Altered]) -> list[Row]:
    """Causes among parts of a picture that are named first."""

    def right(asked: Mind) -> int:
        return sum(_part(asked, pool, case) == case.cause for case in cases)

    largest = 0
    for case in cases:
        apart = np.abs(case.picture.astype(int) - case.instead.astype(int)).sum(0)
        side = len(apart) // CELL
        largest += int(apart.reshape(side, CELL, side, CELL).sum((1, 3)).argmax()) == case.cause
    found = {name: right(floor) for name, floor in floors.items()} | {"largest_difference": largest}
    note = "the part of the picture that made the difference, of four that differ; patches were never seen in training"
    return [_row("explain/region", right(mind), len(cases), found, 1 / 4, note)]


def _part(asked: Mind, pool: Scenes, case: Altered) -> int:
    request = ExplainRequest(
        observed=Observed(sensors={"top": case.picture[None]}),
        instead_observed=Observed(sensors={"top": case.instead[None]}),
        course=Course(name="done", controls=case.course),
        goal=_goal(pool, case.goal),
        parts=("region",),
        grid=4,
    )
    return asked.explain(request).causes[0].index


def goal_rows(pool: Scenes, mind: Mind, floors: dict[str, Mind], cases: Sequence[Walked]) -> list[Row]:
    """Goals that are named first, at several shares of the walk."""
    rows = []
    for share in SHARES:
        right = sum(_pursued(mind, pool, case, share) == 0 for case in cases)
        found = {name: sum(_nearing(floor, pool, case, share) == 0 for case in cases) for name, floor in floors.items()}
        ends = [case.places[until(len(case.places), share)] for case in cases]
        near = [
            [np.linalg.norm(end - pool.goals[goal]) for goal in case.goals]
            for end, case in zip(ends, cases, strict=True)
        ]
        exact = [_wasted(pool, case, share) for case in cases]
        found |= {"nearest_place": sum(int(np.argmin(one)) == 0 for one in near)}
        note = f"{share:.0%} of the walk seen; from true times instead of learned ones {sum(one == 0 for one in exact)}"
        name = "goal_of" if share == SEEN else f"goal_of/seen_{share:g}"
        rows.append(_row(name, right, len(cases), found, 1 / 4, note))
    return rows


def _wasted(pool: Scenes, case: Walked, share: float) -> int:
    ends = case.places[[0, until(len(case.places), share)]]
    return int(np.argmin([-np.subtract(*steps_left(ends, pool.goals[goal])) for goal in case.goals]))


def _pursued(asked: Mind, pool: Scenes, case: Walked, share: float) -> int:
    seen = Observed(sensors={"top": case.frames[: until(len(case.frames), share) + 1]})
    goals = tuple(_goal(pool, goal) for goal in case.goals)
    return asked.goal_of(GoalOfRequest(observed=seen, goals=goals)).goals[0].index


@torch.no_grad()
def _nearing(asked: Mind, pool: Scenes, case: Walked, share: float) -> int:
    """The goal that comes nearer most in latent space."""
    model, index = asked.faculties.model, [0, until(len(case.frames), share)]
    frames = np.concatenate([case.frames[index], pool.goal_frames[list(case.goals)]])
    latents = model.encode(clip_of(model, Observed(sensors={"top": frames}), acted=False)).values[0].flatten(1)
    gaps = torch.cdist(latents[:2], latents[2:])
    return int((gaps[1] - gaps[0]).argmin())


def _goal(pool: Scenes, scene: int) -> GoalPicture:
    return GoalPicture(sensors={"top": pool.goal_frames[scene]}, name=str(scene))


def _straight(places: np.ndarray, goal: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.abs(places - goal).max(1)
    return found


def _row(metric: str, right: int, n: int, floors: dict[str, int], chance: float, note: str) -> Row:
    shares = {"chance": chance} | {name: count / n for name, count in floors.items()}
    return Row(metric=metric, value=right / n, interval=wilson(right, n), n=n, floors=shares, note=note)


if __name__ == "__main__":
    main()
