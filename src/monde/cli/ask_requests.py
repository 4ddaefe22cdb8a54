"""From the words of `monde ask` to a request."""

from pathlib import Path
from typing import TYPE_CHECKING

from monde.errors import UsageError
from monde.mind import (
    AnyBelief,
    AnyConstraint,
    BeliefValue,
    CompareRequest,
    Course,
    ExplainRequest,
    GoalOfRequest,
    ImagineRequest,
    Mind,
    Observed,
    PerceiveRequest,
    PlanRequest,
    Request,
    StateRequest,
    SurpriseRequest,
    spoken,
)
from monde.protocols import Recording
from monde.store import read_json
from monde.store.typed import from_json

if TYPE_CHECKING:
    from monde.cli.ask import Ask


def check_words(words: "Ask") -> None:
    """Refuse words that make no request whatever the run is, before it is opened: the first time that takes a minute.

    Raises:
        UsageError: Words that are missing, or a region or range that cannot be understood.
    """
    if words.question in {"perceive", "surprise", "explain", "goal_of"} or words.belief is None:
        _see(words)
    if words.question in {"imagine", "compare", "explain"}:
        _do(words)
    if words.question in {"compare", "plan", "explain"}:
        _one_goal(words)
    _constraints(words)


def asked(words: "Ask", mind: Mind) -> Request:
    """The request that the words make.

    Raises:
        UsageError: Words that are missing or cannot be understood.
        DataError: Frames or pictures that cannot be read.
    """
    hearing = _Hearing(words, mind)
    match words.question:
        case "perceive":
            return PerceiveRequest(observed=hearing.seen(), keep="value")
        case "state":
            frame = words.pictures is not None
            return StateRequest(belief=hearing.belief(), readouts=words.readouts, frame=frame)
        case "imagine":
            return ImagineRequest(
                belief=hearing.belief(),
                courses=hearing.courses(),
                hypotheses=words.hypotheses,
                readouts=words.readouts,
                frames=words.pictures is not None,
                keep="value",
            )
        case "compare":
            return CompareRequest(
                belief=hearing.belief(),
                courses=hearing.courses(),
                goal=spoken.goal(_one_goal(words), mind.faculties.model),
                constraints=_constraints(words),
                moment=words.moment,
                hypotheses=words.hypotheses,
            )
        case "plan":
            return PlanRequest(
                belief=hearing.belief(),
                goal=spoken.goal(_one_goal(words), mind.faculties.model),
                constraints=_constraints(words),
                blocks=words.blocks,
                deadline_seconds=words.deadline,
                readouts=words.readouts,
                frames=words.pictures is not None,
            )
        case "surprise":
            return SurpriseRequest(observed=hearing.seen())
        case "explain":
            return _explain(words, hearing, mind)
        case "goal_of":
            goals = tuple(spoken.goal(text, mind.faculties.model) for text in words.goal)
            return GoalOfRequest(observed=hearing.seen(), goals=goals)


def _explain(words: "Ask", hearing: "_Hearing", mind: Mind) -> Request:
    courses = hearing.courses()
    return ExplainRequest(
        observed=hearing.seen(),
        course=courses[0],
        goal=spoken.goal(_one_goal(words), mind.faculties.model),
        instead=None if words.instead is None else hearing.course(words.instead),
        instead_observed=None if words.instead_see is None else hearing.look(words.instead_see),
        parts=words.part,
    )


class _Hearing:
    """Opens the recording when words first name it."""

    def __init__(self, words: "Ask", mind: Mind) -> None:
        self.words, self.mind = words, mind
        self._recording: Recording | None = None

    def seen(self) -> Observed:
        """--see."""
        return self.look(_see(self.words))

    def look(self, text: str) -> Observed:
        """What a text shows."""
        return spoken.observed(text, self.mind.faculties.model, self._recorded(text))

    def belief(self) -> AnyBelief:
        """--belief, or what is made of --see."""
        if self.words.belief is not None:
            return stored_belief(self.words.belief)
        return self.mind.perceive(PerceiveRequest(observed=self.seen())).belief

    def courses(self) -> tuple[Course, ...]:
        """--do."""
        return tuple(self.course(text, number) for number, text in enumerate(_do(self.words), start=1))

    def course(self, text: str, number: int = 1) -> Course:
        """What a text does."""
        return spoken.course(text, self.mind.faculties.model, self._recorded(text.partition("=")[2] or text), number)

    def _recorded(self, text: str) -> Recording | None:
        if self._recording is None and spoken.SPAN.fullmatch(text):
            self._recording = self.mind.faculties.recording()
        return self._recording


def _see(words: "Ask") -> str:
    if words.see is None:
        raise UsageError(f"{words.question} needs what is seen", remedy="give --see EPISODE:FRAME, say --see 0:0")
    return words.see


def _do(words: "Ask") -> tuple[str, ...]:
    if not words.do:
        raise UsageError(f"{words.question} needs a course of action", remedy="give --do right=1,0*20, say")
    return words.do


def _one_goal(words: "Ask") -> str:
    if len(words.goal) != 1:
        raise UsageError(f"{words.question} takes one --goal", got=len(words.goal), expected="1")
    return words.goal[0]


def _constraints(words: "Ask") -> tuple[AnyConstraint, ...]:
    return (*map(spoken.region, words.keep_out), *map(spoken.within, words.within))


def stored_belief(path: Path) -> AnyBelief:
    """The belief that a file holds: the answer of `perceive`, or the first future's of `imagine`, as --json wrote it.

    Raises:
        StoreError: No JSON.
        UsageError: It holds no belief.
    """
    document = read_json(path)
    answer = document.get("answer", document)
    futures = answer.get("futures") if isinstance(answer, dict) else None
    holder = futures[0] if isinstance(futures, list) and futures else answer
    belief = holder.get("belief", holder) if isinstance(holder, dict) else None
    if not isinstance(belief, dict) or belief.get("type") != "BeliefValue":
        raise UsageError(f"{path} holds no belief", remedy="write one: monde ask RUN perceive --see 0:0 --json FILE")
    return from_json(BeliefValue, belief, str(path))
