"""The answers: one for each request, each with how far it can be trusted."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from monde.mind.values import AnyBelief, Box, Course, Future, Reading, Trusted


@dataclass(frozen=True, kw_only=True)
class PerceiveAnswer:
    """A belief.

    Args:
        belief: What is known now.
        trust: Whether what is seen is like what was trained on.
    """

    belief: AnyBelief
    trust: Trusted


@dataclass(frozen=True, kw_only=True)
class UpdateAnswer:
    """A belief, and whether what was seen was expected.

    Args:
        belief: What is known now.
        surprise: Error of the prediction of what was seen, in units of what 95% of held-out steps stay below; none
            where the run does not know what is usual.
        trust: Whether what is seen is like what was trained on.
    """

    belief: AnyBelief
    surprise: float | None
    trust: Trusted


@dataclass(frozen=True, kw_only=True)
class ImagineAnswer:
    """Futures.

    Args:
        futures: In the order of the courses.
        trust: Of the least familiar of them.
    """

    futures: tuple[Future, ...]
    trust: Trusted


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a course comes to.

    Args:
        course: Its name.
        cost: Energy that the ranking is by; lower is better.
        low: Least cost of any hypothesis.
        high: Greatest.
        seconds_to_goal: Learned time to the goal, counted from now, if one goes on well after the course; none where
            the run has no temporal distance or the goal is told by readouts.
        reaches: Whether the goal is reached at the moment that is judged, as imagined; none where the run cannot tell.
        violation: By how much constraints are broken on the way, in units of their readouts; 0 where they are kept.
        trust: Of its future.
    """

    course: str
    cost: float
    low: float
    high: float
    seconds_to_goal: float | None
    reaches: bool | None
    violation: float
    trust: Trusted


@dataclass(frozen=True, kw_only=True)
class CompareAnswer:
    """A ranking.

    Args:
        outcomes: Best first: what keeps to the constraints, then the least violation, then the least cost.
        agreement: Share of the hypotheses in which the first is the best.
        unit: Of the costs ("blocks" of learned time, "latent" distance, or that of a readout).
        trust: Of the ranking: that of its least familiar future.
    """

    outcomes: tuple[Outcome, ...]
    agreement: float
    unit: str
    trust: Trusted


@dataclass(frozen=True, kw_only=True)
class PlanAnswer:
    """A course that leads to the goal, or why there is none.

    Args:
        course: What to do, or none where the goal cannot be reached.
        future: What is predicted to come of it.
        cannot: Why the goal cannot be reached, or none. A course that comes as near as can be is told all the same,
            where one was found.
        reaches: Whether the predicted course reaches the goal.
        cost_before: Energy of doing nothing.
        cost_after: Energy of the course.
        seconds: Wall time of the answer.
        deadline_hit: Whether the deadline cut the search short.
        trust: Probability of success, where it is calibrated; whether goal and present are familiar.
    """

    course: Course | None
    future: Future | None
    cannot: str | None
    reaches: bool
    cost_before: float
    cost_after: float
    seconds: float
    deadline_hit: bool
    trust: Trusted


@dataclass(frozen=True, kw_only=True)
class Surprising:
    """A moment that was not expected.

    Args:
        index: Which of the observed moments, from 0.
        time_seconds: Its time.
        surprise: As in `SurpriseAnswer.curve`.
        sensor: The sensor that accounts for most of it, or none where the model reads a single one.
        shares: By how much the surprise falls if each sensor shows what was expected or nothing, in order of
            `SurpriseAnswer.sensors`.
        box: The part of the picture that accounts for most of it, or none where that was not asked.
    """

    index: int
    time_seconds: float
    surprise: float
    sensor: str | None
    shares: tuple[float, ...]
    box: Box | None


@dataclass(frozen=True, kw_only=True)
class SurpriseAnswer:
    """How unexpected each moment was.

    Args:
        curve: [T] error of the prediction of each moment from those before, in units of what 95% of held-out steps stay
            below (1 is as surprising as one step in 20); 0 for the first.
        moments: The most surprising, in order of surprise.
        sensors: Those that the model reads.
        maps: [M, g, g] for each of the M moments, by how much the surprise falls if each part of the picture is
            replaced by what it showed a moment before, or none where that was not asked.
        trust: Whether what is seen is like what was trained on.
    """

    curve: Float32[np.ndarray, " T"]
    moments: tuple[Surprising, ...]
    sensors: tuple[str, ...]
    maps: Float32[np.ndarray, "M g g"] | None
    trust: Trusted


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One part, and what it does to the outcome.

    Args:
        kind: "action", "sensor" or "region".
        name: "block 3", the sensor's name, the box's name.
        index: Which block, sensor or box, from 0.
        outcome: Energy of the outcome with this part taken from `instead`; lower is better.
        change: `outcome` less the outcome as it is: positive where the part helps.
        share: Of the difference between the outcome as it is and that of `instead` as a whole, 1 where this part
            accounts for all of it; none where there is no difference.
        box: Where it is in the picture, for a region.
    """

    kind: str
    name: str
    index: int
    outcome: float
    change: float
    share: float | None
    box: Box | None = None


@dataclass(frozen=True, kw_only=True)
class ExplainAnswer:
    """Causes.

    Args:
        causes: Of greatest effect first.
        outcome: Energy of the outcome as it is; lower is better.
        instead: Energy of the outcome of `instead` as a whole.
        unit: Of energies.
        trust: Of the imagined outcomes.
    """

    causes: tuple[Cause, ...]
    outcome: float
    instead: float
    unit: str
    trust: Trusted


@dataclass(frozen=True, kw_only=True)
class GoalExplained:
    """How well one goal explains what was done.

    Args:
        goal: Its name.
        index: In the request.
        probability: That this goal was pursued, if one of them was.
        wasted_blocks: Action blocks that the behaviour takes more than the shortest way to this goal, as far as it was
            seen and well from there on.
        left_seconds: Learned time from the last moment to the goal.
    """

    goal: str
    index: int
    probability: float
    wasted_blocks: float
    left_seconds: float


@dataclass(frozen=True, kw_only=True)
class GoalOfAnswer:
    """Goals, likeliest first.

    Args:
        goals: All of the request's.
        trust: Whether behaviour and goals are like what was trained on.
    """

    goals: tuple[GoalExplained, ...]
    trust: Trusted


@dataclass(frozen=True, kw_only=True)
class StateAnswer:
    """What is believed about the world's state.

    Args:
        readings: T = 1 each.
        time_seconds: Of the belief.
        frame: [3, h, w] decoded (for looking only), or none.
        trust: Whether the state is like what was trained on.
    """

    readings: tuple[Reading, ...]
    time_seconds: float
    frame: UInt8[np.ndarray, "3 h w"] | None
    trust: Trusted


Answer = (
    PerceiveAnswer
    | UpdateAnswer
    | ImagineAnswer
    | CompareAnswer
    | PlanAnswer
    | SurpriseAnswer
    | ExplainAnswer
    | GoalOfAnswer
    | StateAnswer
)
