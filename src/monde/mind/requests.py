"""The questions: one frozen request for each verb. What they are about is in `monde.mind.values`."""

from dataclasses import dataclass
from typing import Literal

from monde.errors import ContractError
from monde.limits import MAX_ASKED_BLOCKS, MAX_ASKED_BOXES, MAX_ASKED_COURSES, MAX_ASKED_GOALS, MAX_HYPOTHESES
from monde.mind.values import AnyBelief, AnyConstraint, AnyGoal, Box, Course, Observed

Keep = Literal["handle", "value"]
"""Whether the Mind keeps a belief and names it, or hands it out and forgets it."""

Moment = Literal["end", "soonest"]
"""When the outcome of a course is judged."""


@dataclass(frozen=True, kw_only=True)
class PerceiveRequest:
    """What the sensors showed, as a belief.

    Args:
        observed: Moments up to now.
        keep: As a handle or as a value.
    """

    observed: Observed
    keep: Keep = "handle"


@dataclass(frozen=True, kw_only=True)
class UpdateRequest:
    """A belief after one more action block and what was seen then.

    Args:
        belief: Before.
        observed: One moment, T = 1, after the block; its `controls` stay empty.
        course: What was done since: one block.
        keep: As a handle or as a value.
    """

    belief: AnyBelief
    observed: Observed
    course: Course
    keep: Keep = "handle"


@dataclass(frozen=True, kw_only=True)
class ImagineRequest:
    """What if? The futures of some courses of action.

    Args:
        belief: Now.
        courses: Each of any length.
        hypotheses: Futures of each course, as the members of the model's ensemble differ; readings and frames are of
            their mean, the spread tells how far they differ.
        readouts: To be read along the way; ("*",) for all that the run has.
        frames: Whether to decode pictures.
        keep: Whether to keep the belief at the end of each course, and how.

    Raises:
        ContractError: Nothing to imagine, or too much.
    """

    belief: AnyBelief
    courses: tuple[Course, ...]
    hypotheses: int = 1
    readouts: tuple[str, ...] = ()
    frames: bool = False
    keep: Keep | None = None

    def __post_init__(self) -> None:
        _check_courses(self.courses)
        _check_hypotheses(self.hypotheses)


@dataclass(frozen=True, kw_only=True)
class CompareRequest:
    """Which of these courses is best for that goal?

    Args:
        belief: Now.
        courses: Two or more, called by different names.
        goal: Of any kind.
        constraints: What must be kept to.
        moment: Whether a course is judged by where it ends, or by the soonest that it comes to the goal.
        hypotheses: Futures of each course; a ranking that holds in few of them is uncertain.

    Raises:
        ContractError: Nothing to compare, or too much.
    """

    belief: AnyBelief
    courses: tuple[Course, ...]
    goal: AnyGoal
    constraints: tuple[AnyConstraint, ...] = ()
    moment: Moment = "end"
    hypotheses: int = 1

    def __post_init__(self) -> None:
        _check_courses(self.courses, least=2)
        _check_hypotheses(self.hypotheses)


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """How is this goal reached?

    Args:
        belief: Now.
        goal: Of any kind.
        constraints: What must be kept to.
        blocks: Most action blocks that the course may take.
        deadline_seconds: Wall time for the whole answer, or none.
        readouts: To be read along the predicted course; ("*",) for all.
        frames: Whether to decode pictures of it.
        seed: Of the planner's noise.

    Raises:
        ContractError: A budget out of limits.
    """

    belief: AnyBelief
    goal: AnyGoal
    constraints: tuple[AnyConstraint, ...] = ()
    blocks: int = 20
    deadline_seconds: float | None = None
    readouts: tuple[str, ...] = ()
    frames: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.blocks <= MAX_ASKED_BLOCKS:
            raise ContractError("the course is out of limits", got=self.blocks, expected=f"1 to {MAX_ASKED_BLOCKS}")
        if self.deadline_seconds is not None and not self.deadline_seconds > 0:
            raise ContractError("the deadline is no time", got=self.deadline_seconds, expected="> 0 seconds, or none")


@dataclass(frozen=True, kw_only=True)
class SurpriseRequest:
    """How unexpected is what was seen, when, where in the picture, and to which sensor?

    Args:
        observed: T ≥ 2 moments with what was done between them.
        grid: Parts a side that a picture is divided into to say where; 0 not to ask.
        moments: Most surprising moments that are told.

    Raises:
        ContractError: A single moment, or a grid out of limits.
    """

    observed: Observed
    grid: int = 8
    moments: int = 3

    def __post_init__(self) -> None:
        if self.observed.moments < 2:
            raise ContractError("a single moment cannot surprise", got=self.observed.moments, expected="two or more")
        _check_grid(self.grid)


@dataclass(frozen=True, kw_only=True)
class ExplainRequest:
    """Which action, which sensor, which part of the picture made the difference?

    Each part is taken from `instead` in imagination, one at a time, all else as it was: the cause is the part that
    changes the outcome most. Outcomes are judged by where the course ends.

    Args:
        observed: What was seen up to now.
        course: What is (to be) done.
        goal: By which outcomes are measured.
        instead: What was done in the case that it is compared with; none: nothing is done (`ActionSpec.rest`).
        instead_observed: What was seen in that case; none: a part of a picture is replaced by how it usually looks, a
            sensor by nothing.
        parts: What is asked about.
        boxes: Parts of pictures that are asked about (objects); empty for a regular grid.
        grid: Parts a side of that grid.

    Raises:
        ContractError: Too many boxes, or a grid out of limits.
    """

    observed: Observed
    course: Course
    goal: AnyGoal
    instead: Course | None = None
    instead_observed: Observed | None = None
    parts: tuple[Literal["action", "sensor", "region"], ...] = ("action",)
    boxes: tuple[Box, ...] = ()
    grid: int = 4

    def __post_init__(self) -> None:
        _check_grid(self.grid)
        if len(self.boxes) > MAX_ASKED_BOXES:
            raise ContractError("too many boxes", got=len(self.boxes), expected=f"at most {MAX_ASKED_BOXES}")


@dataclass(frozen=True, kw_only=True)
class GoalOfRequest:
    """Which of these goals explains this behaviour?

    Args:
        observed: T ≥ 2 moments; what was done between them need not be known (`controls` may be empty).
        goals: Two or more.
        rationality: How much likelier a behaviour is that wastes an action block less: 0 tells nothing, the larger the
            surer.

    Raises:
        ContractError: Nothing to choose from.
    """

    observed: Observed
    goals: tuple[AnyGoal, ...]
    rationality: float = 1.0

    def __post_init__(self) -> None:
        if self.observed.moments < 2 or not 2 <= len(self.goals) <= MAX_ASKED_GOALS:
            raise ContractError(
                "there is nothing to choose from",
                got=f"{self.observed.moments} moments, {len(self.goals)} goals",
                expected=f"two moments or more, 2 to {MAX_ASKED_GOALS} goals",
            )
        if not 0 <= self.rationality <= 1e3:
            raise ContractError("rationality is out of limits", got=self.rationality, expected="0 to 1000")


@dataclass(frozen=True, kw_only=True)
class StateRequest:
    """What is believed about the world's state now.

    Args:
        belief: Now.
        readouts: Their names; ("*",) for all that the run has.
        frame: Whether to decode a picture of it.
    """

    belief: AnyBelief
    readouts: tuple[str, ...] = ("*",)
    frame: bool = False


Request = (
    PerceiveRequest
    | UpdateRequest
    | ImagineRequest
    | CompareRequest
    | PlanRequest
    | SurpriseRequest
    | ExplainRequest
    | GoalOfRequest
    | StateRequest
)


def _check_courses(courses: tuple[Course, ...], least: int = 1) -> None:
    names = {course.name for course in courses}
    if not least <= len(courses) <= MAX_ASKED_COURSES or len(names) < len(courses):
        raise ContractError(
            "these courses cannot be imagined",
            got=f"{len(courses)} courses, {len(names)} names",
            expected=f"{least} to {MAX_ASKED_COURSES}, each with a name of its own",
        )


def _check_hypotheses(hypotheses: int) -> None:
    if not 1 <= hypotheses <= MAX_HYPOTHESES:
        raise ContractError("hypotheses are out of limits", got=hypotheses, expected=f"1 to {MAX_HYPOTHESES}")


def _check_grid(grid: int) -> None:
    if not 0 <= grid**2 <= MAX_ASKED_BOXES:
        raise ContractError("the grid is out of limits", got=grid, expected=f"0 to {int(MAX_ASKED_BOXES**0.5)} a side")
