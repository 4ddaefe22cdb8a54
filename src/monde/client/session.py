"""One control session: a WebSocket that is opened again when it breaks, and an answer in time whatever happens."""

from dataclasses import dataclass, replace
from time import monotonic
from types import TracebackType
from typing import Self

import numpy as np
from jaxtyping import Float32

from monde.client.actions import Actions
from monde.client.link import Link
from monde.errors import ServingError
from monde.limits import MAX_RECONNECT_SECONDS
from monde.mind import AnyGoal
from monde.store.typed import to_json
from monde.wire import Act, Arrays, Begin, Document, Message, Observe, Refused, Stop, Stopped

GRACE_SECONDS = 0.05
"""How much longer than its deadline an answer is waited for: the server's own watchdog speaks first."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What to do next.

    Args:
        controls: [n, dim] control steps.
        safe: Whether these are the safe action instead of a plan.
        reason: Why, or none.
        probability: Of success, at the beginning of an episode, where the run knows.
        warning: Why the goal would better be given up, likewise.
        restarted: Whether the server's belief began anew: after a gap, or on a server that knew nothing of the session.
        resized: Cameras whose pictures the server brought to the model's size.
        seconds: From asking to this answer, as the client measured it.
    """

    controls: Float32[np.ndarray, "n dim"]
    safe: bool
    reason: str | None = None
    probability: float | None = None
    warning: str | None = None
    restarted: bool = False
    resized: tuple[str, ...] = ()
    seconds: float = 0.0


class Session:
    """A session with a served run. Use it as a context manager; one thread asks, any thread may stop it.

    `begin` and `act` return in time, with a plan or with the safe action and why. A connection that breaks is opened
    again, in the background: the session is resumed where the server still holds it, and begun anew with the same goal
    where not. Until then the safe action is the answer.

    Args:
        url: Of the server, "http://127.0.0.1:8420".
        token: Its token.
        deadline_seconds: Time for each answer; none for the server's own.
        reconnect_seconds: How long to try to reach a server that has gone.
        patient: Whether time stands still between two calls, as in a simulator: a connection that broke is then waited
            for. A robot moves on, and gets the safe action.

    Raises:
        ServingError: The server cannot be reached, or refuses.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        deadline_seconds: float | None = None,
        reconnect_seconds: float = MAX_RECONNECT_SECONDS,
        patient: bool = False,
    ) -> None:
        self._link = Link(url, token, reconnect_seconds)
        self._patient = patient
        self._seq = 0
        self._goal: Document | None = None
        self._owed: list[Float32[np.ndarray, "n dim"]] = []
        self._stopped: str | None = None
        welcome = self._link.wait()
        self.sensors = welcome.sensors
        self.safe = welcome.safe
        self.action_document = welcome.actions
        self.actions = Actions.read(welcome.actions)
        self._deadline = deadline_seconds or welcome.deadline_seconds

    @property
    def reconnections(self) -> int:
        """How often the connection was opened again."""
        return self._link.openings - 1

    def begin(self, goal: AnyGoal, observation: Arrays, *, age_seconds: float = 0.0) -> Answer:
        """Begin an episode: what is wanted, and what is seen now.

        Raises:
            ServingError: The server refuses the goal or the observation, or cannot be reached any more.
        """
        document = to_json(goal, binary=True)
        if not isinstance(document, dict):
            raise ServingError("this is no goal", got=type(goal).__name__)
        self._goal, self._owed, self._stopped = document, [], None
        return self._ask(observation, None, age_seconds)

    def act(self, observation: Arrays, taken: Float32[np.ndarray, "n dim"], *, age_seconds: float = 0.0) -> Answer:
        """The next control steps.

        Args:
            observation: What is seen now.
            taken: What was carried out since the last observation, whatever was answered then.
            age_seconds: How old the observation is.

        Raises:
            ServingError: As of `begin`; or no episode has begun.
        """
        if self._goal is None:
            raise ServingError("no episode has begun", status=409, remedy="call begin with a goal first")
        self._owed.append(np.ascontiguousarray(taken, np.float32))
        return self._ask(observation, np.concatenate(self._owed), age_seconds)

    def stop(self) -> None:
        """Stop, from any thread: answers are the safe action until an episode begins anew."""
        self._stopped = "stopped by its client"
        self._link.send(Stop())

    def close(self) -> None:
        """End the session."""
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, observation: Arrays, taken: Float32[np.ndarray, "n dim"] | None, age: float) -> Answer:
        began, lost = monotonic(), False
        while True:
            if self._stopped is not None and taken is not None:
                answer, known = self._safely(f"stopped: {self._stopped}"), False
                break
            welcome = self._link.wait() if self._patient else self._link.welcome()
            if welcome is None:
                answer, known = self._safely("away: the connection is being opened again"), False
                break
            if self._link.renewed:
                # A new server is told the goal and what is seen now. One that resumes cannot know whether it has seen
                # this already, and its belief begins anew as well: nothing that was done makes a whole block.
                lost = True
                taken = taken[:0] if welcome.resumed and taken is not None else None
            try:
                answer, known = self._asked(observation, taken, age + monotonic() - began)
                break
            except ConnectionError:
                continue
            except ServingError as error:
                if error.status != 409 or taken is None:
                    raise
                # The server knows of no episode: it was too busy to begin it. It is begun now.
                taken, lost = None, True
        if known:
            self._owed, self._link.renewed = [], False
        return replace(answer, restarted=answer.restarted or (lost and known), seconds=monotonic() - began)

    def _asked(
        self, observation: Arrays, taken: Float32[np.ndarray, "n dim"] | None, age: float
    ) -> tuple[Answer, bool]:
        """The answer, and whether the server knows what was seen.

        Raises:
            ConnectionError: The connection broke.
        """
        self._seq += 1
        if taken is None:
            message: Message = Begin(
                seq=self._seq,
                goal=self._goal or {},
                observation=observation,
                deadline_seconds=self._deadline,
                age_seconds=age,
            )
        else:
            message = Observe(
                seq=self._seq,
                observation=observation,
                taken=taken,
                deadline_seconds=self._deadline,
                age_seconds=age,
            )
        self._link.send(message)
        due = monotonic() + self._deadline + GRACE_SECONDS
        while True:
            heard = self._link.receive(due - monotonic())
            if heard is None:
                return self._safely("late: no answer within the deadline"), True
            if isinstance(heard, Act) and heard.seq == self._seq:
                return _answer(heard), True
            # A stop that is read while an episode begins is of the one before; if all are stopped, the answer says so.
            if isinstance(heard, Stopped) and taken is not None:
                self._stopped = heard.reason
                return self._safely(f"stopped: {heard.reason}"), True
            if isinstance(heard, Refused) and heard.seq in (self._seq, None):
                if heard.status not in (429, 503):
                    raise heard.error
                return self._safely(f"busy: {heard.what}"), False

    def _safely(self, reason: str) -> Answer:
        block = np.tile(self.safe, (self.actions.block, 1))
        return Answer(controls=block, safe=True, reason=reason)


def _answer(act: Act) -> Answer:
    return Answer(
        controls=act.controls,
        safe=act.safe,
        reason=act.reason,
        probability=act.probability,
        warning=act.warning,
        restarted=act.restarted,
        resized=act.resized,
    )
