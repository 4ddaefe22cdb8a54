"""What if: imagined futures, what is read and drawn of them, and how courses compare."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monde.mind.answers import CompareAnswer, ImagineAnswer, Outcome, StateAnswer
from monde.mind.beliefs import Beliefs, Held
from monde.mind.faculties import Faculties
from monde.mind.judging import Judge, wanted
from monde.mind.requests import CompareRequest, ImagineRequest, Keep, StateRequest
from monde.mind.senses import course_blocks
from monde.mind.trusting import of_future, of_states, together
from monde.mind.values import Course, Future, Reading, Trusted
from monde.types import Belief, LatentGoal, Rollout


def imagined(faculties: Faculties, belief: Belief, course: Course, hypotheses: int, beliefs: bool = False) -> Rollout:
    """The futures of one course, [1, 1, K, H, N, D]."""
    blocks = course_blocks(faculties.model, course)
    return faculties.model.imagine(belief, blocks[None, None], hypotheses, beliefs)


def imagine(faculties: Faculties, beliefs: Beliefs, asked: ImagineRequest) -> ImagineAnswer:
    """Futures of each course.

    Raises:
        ContractError: Courses that are no whole blocks or out of bounds, or more hypotheses than the model has members.
        UsageError: A belief or readout that is not known, or pictures that cannot be drawn.
    """
    held = beliefs.find(asked.belief)
    futures = []
    for course in asked.courses:
        rollout = imagined(faculties, held.belief, course, asked.hypotheses, asked.keep is not None)
        futures.append(
            future_of(faculties, held, course.name, rollout, asked.readouts, asked.frames, beliefs, asked.keep)
        )
    return ImagineAnswer(futures=tuple(futures), trust=together(*(future.trust for future in futures)))


def future_of(
    faculties: Faculties,
    held: Held,
    name: str,
    rollout: Rollout,
    readouts: tuple[str, ...],
    frames: bool,
    beliefs: Beliefs | None = None,
    keep: Keep | None = None,
) -> Future:
    """One course's rollout [1, 1, K, H, N, D] as it is told."""
    model, latents = faculties.model, rollout.latents[0, 0]
    mean, H = latents.mean(0), latents.shape[1]
    began = float(held.belief.times_seconds[0])
    known = faculties.knowledge
    scale = torch.ones(1, device=latents.device) if known is None else known.familiarity.std
    spread = (latents.flatten(2) / scale).std(0, correction=0).square().mean(-1).sqrt()
    kept = None
    if keep is not None and beliefs is not None and rollout.beliefs is not None:
        first = rollout.beliefs.rows(slice(0, 1))
        kept = beliefs.keep(Held(first, held.imagined_blocks + H), keep)
    return Future(
        course=name,
        times_seconds=began + model.actions.block_seconds * np.arange(1, H + 1, dtype=np.float64),
        spread=spread.float().cpu().numpy(),
        readings=readings(faculties, latents, readouts, held.imagined_blocks + 1),
        frames=faculties.shown().frames(mean).cpu().numpy() if frames else None,
        belief=kept,
        trust=of_future(known, held.belief.newest[0], mean, f"course {name}"),
    )


def readings(
    faculties: Faculties, latents: Float[Tensor, "K T N D"], names: tuple[str, ...], ahead: int
) -> tuple[Reading, ...]:
    """What readouts say at T moments, the first of which lies `ahead` blocks after what was seen last."""
    found = []
    for known in faculties.readouts(names):
        values = known.readout(latents.float())
        furthest = len(known.half) - 1
        steps = (ahead + torch.arange(latents.shape[1], device=latents.device)).clamp_max(furthest)
        half = known.half[steps]
        found.append(
            Reading(
                readout=known.readout.name,
                unit=known.readout.unit,
                names=known.readout.names,
                values=_array(values.mean(0)),
                low=_array(values.amin(0) - half),
                high=_array(values.amax(0) + half),
            )
        )
    return tuple(found)


def state(faculties: Faculties, beliefs: Beliefs, asked: StateRequest) -> StateAnswer:
    """What is believed about the world's state.

    Raises:
        UsageError: A belief or readout that is not known, or a picture that cannot be drawn.
    """
    held = beliefs.find(asked.belief)
    newest = held.belief.newest
    return StateAnswer(
        readings=readings(faculties, newest[None], asked.readouts, held.imagined_blocks),
        time_seconds=float(held.belief.times_seconds[0]),
        frame=faculties.shown().frames(newest)[0].cpu().numpy() if asked.frame else None,
        trust=of_states(faculties.knowledge, newest, "present"),
    )


def compare(faculties: Faculties, beliefs: Beliefs, asked: CompareRequest) -> CompareAnswer:
    """Courses, best first: those that keep to the constraints, then by the least violation, then by the least cost.

    Raises:
        ContractError: Courses that are no whole blocks or out of bounds, or more hypotheses than the model has members.
        UsageError: A belief, readout or goal that is not known.
    """
    held = beliefs.find(asked.belief)
    judge = Judge(faculties=faculties, goal=wanted(faculties, beliefs, asked.goal), constraints=asked.constraints)
    outcomes, costs = [], []
    for course in asked.courses:
        rollout = imagined(faculties, held.belief, course, asked.hypotheses)
        each = judge.energies(rollout.latents[0, 0], asked.moment)
        outcome = _outcome(judge, asked, held, course, rollout, each)
        outcomes.append(outcome)
        # Within one hypothesis the constraints count as in all of them.
        costs.append([(outcome.violation, float(one)) for one in each])
    order = sorted(range(len(outcomes)), key=lambda i: (outcomes[i].violation, outcomes[i].cost))
    best = [min(range(len(costs)), key=lambda i: costs[i][k]) for k in range(asked.hypotheses)]
    return CompareAnswer(
        outcomes=tuple(outcomes[i] for i in order),
        agreement=best.count(order[0]) / len(best),
        unit=judge.unit,
        trust=together(*(outcome.trust for outcome in outcomes), *of_goal(judge)),
    )


def _outcome(
    judge: Judge, asked: CompareRequest, held: Held, course: Course, rollout: Rollout, each: Float[Tensor, " K"]
) -> Outcome:
    mean = rollout.latents[0, 0].mean(0)
    judged = mean[-1:] if asked.moment == "end" else mean
    met = judge.reached(judged)
    blocks = course_blocks(judge.faculties.model, course)[None, None]
    violation = float(judge.violations(rollout, blocks, held.belief.newest)[0])
    cost = float(each.mean())
    seconds = None
    if judge.timed:
        ends = len(mean) if asked.moment == "end" else 0
        seconds = (cost + ends) * judge.faculties.model.actions.block_seconds
    return Outcome(
        course=course.name,
        cost=cost,
        low=float(each.amin()),
        high=float(each.amax()),
        seconds_to_goal=seconds,
        reaches=None if met is None else bool(met.any()),
        violation=violation,
        trust=of_future(judge.faculties.knowledge, held.belief.newest[0], mean, f"course {course.name}"),
    )


def of_goal(judge: Judge) -> tuple[Trusted, ...]:
    """Whether a goal that was shown is like what was trained on; a goal that is told has no looks."""
    if not isinstance(judge.goal, LatentGoal):
        return ()
    return (of_states(judge.faculties.knowledge, judge.goal.latents, "goal"),)


def _array(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
