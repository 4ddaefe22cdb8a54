"""Closing the loop: what is seen goes to the server, what comes back is carried out, a control step at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from monde.client.actions import Actions
from monde.client.log import EpisodeLog
from monde.client.session import Answer, Session
from monde.errors import ServingError
from monde.mind import AnyGoal
from monde.wire import Arrays


@dataclass(frozen=True)
class Seen:
    """What a body's sensors show.

    Args:
        values: One sample of each sensor that the model reads, by its name.
        age_seconds: How old the oldest of them is.
    """

    values: Arrays
    age_seconds: float = 0.0


@dataclass(frozen=True)
class Done:
    """What came of one control step.

    Args:
        control: [dim] what was really carried out, in the model's units.
        ended: Whether the episode is over.
    """

    control: Float32[np.ndarray, " dim"]
    ended: bool = False


@runtime_checkable
class Controlled(Protocol):
    """A body that can see and act: `GymnasiumBody`, `RobotBody`, or one of your own."""

    def observe(self) -> Seen:
        """What its sensors show now."""
        ...

    def apply(self, control: Float32[np.ndarray, " dim"]) -> Done:
        """Carry out one control step."""
        ...

    def rest(self, safe: Float32[np.ndarray, " dim"]) -> None:
        """Come to rest: the episode is over, or something went wrong."""
        ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one's own, within those of the model's actions.

    Args:
        low: Least value of each component, or none for the model's bounds.
        high: Greatest.
        most_change: Greatest change of each component from one control step to the next, or none.

    Raises:
        ServingError: Bounds that are reversed.
    """

    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    most_change: Sequence[float] | None = None

    def __post_init__(self) -> None:
        pairs = zip(self.low or (), self.high or (), strict=False)
        if any(low > high for low, high in pairs) or any(change < 0 for change in self.most_change or ()):
            raise ServingError("these limits allow nothing", got=self, expected="low ≤ high, most_change ≥ 0")

    def bound(
        self, actions: Actions, control: Float32[np.ndarray, " dim"], before: Float32[np.ndarray, " dim"] | None
    ) -> Float32[np.ndarray, " dim"]:
        """The control step that is carried out instead of `control`, after `before`.

        Raises:
            ServingError: Numbers that are not finite, or limits of another width.
        """
        bounded = actions.clip(np.asarray(control, np.float32))
        for limit in (self.low, self.high, self.most_change):
            if limit is not None and len(limit) != actions.dim:
                raise ServingError("limits have another width than actions", got=len(limit), expected=actions.dim)
        if actions.choices:
            return bounded
        if self.most_change is not None and before is not None:
            change = np.array(self.most_change, np.float32)
            bounded = np.clip(bounded, before - change, before + change)
        if self.low is not None:
            bounded = np.maximum(bounded, np.array(self.low, np.float32))
        if self.high is not None:
            bounded = np.minimum(bounded, np.array(self.high, np.float32))
        return bounded


class Pace:
    """Keeps control steps `seconds` apart in real time; what was missed is counted, not made up for.

    Args:
        seconds: Of one control step; 0 where time is the simulator's own.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.overruns = 0
        self._next = monotonic() + seconds

    def wait(self) -> None:
        """Until the next control step is due."""
        if not self.seconds:
            return
        left = self._next - monotonic()
        if left > 0:
            sleep(left)
        elif left < -0.1 * self.seconds:
            self.overruns += 1
        self._next = max(self._next, monotonic() - self.seconds) + self.seconds


@dataclass(frozen=True, kw_only=True)
class Episode:
    """What came of an episode.

    Args:
        steps: Control steps carried out.
        ended: Whether the body ended it.
        answers: How many there were.
        safe: How many of them were the safe action, by reason.
        seconds: Of each answer, from asking to having it.
        overruns: Control steps that came too late.
        probability: Of success, as the first answer told it, or none.
        warning: What it warned of, or none.
    """

    steps: int
    ended: bool
    answers: int
    safe: dict[str, int]
    seconds: tuple[float, ...]
    overruns: int
    probability: float | None
    warning: str | None


def run_episode(
    session: Session,
    body: Controlled,
    goal: AnyGoal,
    *,
    steps: int,
    limits: Limits | None = None,
    realtime: bool = False,
    dry_run: bool = False,
    log: EpisodeLog | None = None,
) -> Episode:
    """Pursue a goal until the body says that the episode is over, or for so many control steps.

    Whatever happens, an exception or Ctrl-C too, the body comes to rest at the end.

    Args:
        session: With the server.
        body: Sees and acts.
        goal: What is wanted.
        steps: Most control steps.
        limits: Bounds of one's own.
        realtime: Whether control steps are to be as far apart as the model's.
        dry_run: Whether nothing is carried out: the body rests, and what would have been done is only logged.
        log: Takes down what was seen and done at every control step.

    Raises:
        ServingError: The server refuses, or cannot be reached any more.
    """
    limits, actions = limits or Limits(), session.actions
    pace = Pace(actions.dt_seconds if realtime else 0.0)
    tally: list[Answer] = []
    count, ended = 0, False
    before: Float32[np.ndarray, " dim"] | None = None
    try:
        seen = body.observe()
        answer = session.begin(goal, seen.values, age_seconds=seen.age_seconds)
        while True:
            tally.append(answer)
            taken: list[Float32[np.ndarray, " dim"]] = []
            for control in answer.controls[: min(actions.block, steps - count)]:
                if log is not None:
                    log.see(seen.values if not taken else body.observe().values, count * actions.dt_seconds)
                wanted = limits.bound(actions, control, before)
                done = Done(session.safe) if dry_run else body.apply(wanted)
                if log is not None:
                    log.do(wanted if dry_run else done.control)
                taken.append(done.control)
                before, ended, count = done.control, done.ended, count + 1
                pace.wait()
                if ended:
                    break
            if ended or count >= steps:
                break
            seen = body.observe()
            answer = session.act(seen.values, np.stack(taken), age_seconds=seen.age_seconds)
        if log is not None:
            log.see(body.observe().values, count * actions.dt_seconds)
    finally:
        body.rest(session.safe)
    return _told(tally, count, ended, pace.overruns)


def _told(answers: list[Answer], steps: int, ended: bool, overruns: int) -> Episode:
    safe: dict[str, int] = {}
    for answer in answers:
        if answer.safe:
            reason = (answer.reason or "safe").partition(":")[0]
            safe[reason] = safe.get(reason, 0) + 1
    return Episode(
        steps=steps,
        ended=ended,
        answers=len(answers),
        safe=safe,
        seconds=tuple(answer.seconds for answer in answers),
        overruns=overruns,
        probability=answers[0].probability,
        warning=answers[0].warning,
    )
