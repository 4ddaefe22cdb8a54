"""The messages of a control session: typed values here, msgpack maps with a "type" on the wire.

    client                          server
    hello (new, or resume)     →    welcome: sensors, actions, the safe action
    begin (goal, what is seen) →    act
    observe (what is seen,     →    act: control steps, or the safe action and why
             what was done)
    stop                       →    stopped, at once
                               ←    refused: one message could not be taken; closing: the server is going

A session begins no thread and holds no clock: each `act` answers the message of its `seq`. Times are durations, so that
the clocks of client and server need not agree.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Shaped

from monde.errors import ServingError
from monde.limits import MAX_DEADLINE_SECONDS, MIN_DEADLINE_SECONDS
from monde.wire.documents import from_msgpack, read, to_msgpack

PROTOCOL = "monde.control/1"
"""Name and version of all this."""

Arrays = Mapping[str, Shaped[np.ndarray, "..."]]
"""One sample of each sensor, by name: no batch and no time axis."""

Document = Mapping[str, object]
"""A JSON object, arrays in it as `monde.store.typed` writes them."""


@dataclass(frozen=True, kw_only=True)
class Hello:
    """A client asks for a session.

    Args:
        session: The one that it had before its connection broke, or none for a new one.
        protocol: What it speaks.
    """

    session: str | None = None
    protocol: str = PROTOCOL


@dataclass(frozen=True, kw_only=True)
class Welcome:
    """The session is open.

    Args:
        session: Its name: whoever knows it, and the token, may resume it.
        resumed: Whether the server still holds the belief of the session that was asked for.
        sensors: What the model reads, as `monde.types.Sensor` in JSON: name, kind, shape, unit.
        actions: Bounds, names, block length and seconds of a control step, as `monde.types.ActionSpec` in JSON.
        safe: [dim] the control step that is answered when there is no better one.
        model: Name of the run.
        deadline_seconds: Time for one answer, where a message does not say.
    """

    session: str
    resumed: bool
    sensors: tuple[Document, ...]
    actions: Document
    safe: Float32[np.ndarray, " dim"]
    model: str
    deadline_seconds: float


@dataclass(frozen=True, kw_only=True)
class Begin:
    """An episode begins: this is wanted, this is seen.

    Args:
        seq: Number of the message in its session, rising.
        goal: What is wanted, by value: a `monde.mind.AnyGoal` as a document.
        observation: What is seen now.
        deadline_seconds: Time for the answer, from its arrival at the server; none for the server's own.
        age_seconds: How old the observation was when it was sent.
    """

    seq: int
    goal: Document
    observation: Arrays
    deadline_seconds: float | None = None
    age_seconds: float = 0.0

    def __post_init__(self) -> None:
        _check_timing(self.deadline_seconds, self.age_seconds)


@dataclass(frozen=True, kw_only=True)
class Observe:
    """This is seen now, after that was done.

    Args:
        seq: As of `Begin`.
        observation: What is seen now.
        taken: [n, dim] the control steps that were carried out since the observation before. Where that is not one
            whole block, the belief begins anew.
        deadline_seconds: As of `Begin`.
        age_seconds: As of `Begin`.
    """

    seq: int
    observation: Arrays
    taken: Float32[np.ndarray, "n dim"]
    deadline_seconds: float | None = None
    age_seconds: float = 0.0

    def __post_init__(self) -> None:
        _check_timing(self.deadline_seconds, self.age_seconds)


@dataclass(frozen=True, kw_only=True)
class Act:
    """What to do next.

    Args:
        seq: The message that it answers.
        controls: [n, dim] control steps, one block or several; the first block is meant to be carried out before the
            next observation, the others are what comes after it as things look now.
        safe: Whether these are the declared safe action instead of a plan.
        reason: Why it is safe, or none: late, stale, stopped, given up.
        probability: Of success, at the first plan of an episode, where trust was fitted.
        warning: Why the goal would better be given up, at the first plan: it lies out of distribution, it cannot be
            reached, it is too uncertain.
        restarted: Whether the belief began anew, because what was done since the last observation was no whole block.
        resized: Cameras whose pictures were brought to the model's size.
        seconds: From the message's arrival to this answer, on the server.
    """

    seq: int
    controls: Float32[np.ndarray, "n dim"]
    safe: bool = False
    reason: str | None = None
    probability: float | None = None
    warning: str | None = None
    restarted: bool = False
    resized: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Stop, whatever is being planned."""


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """It is stopped: until an episode begins anew, all answers are the safe action.

    Args:
        safe: [dim] the control step to take now.
        reason: Who stopped it: the client of this session, or an operator.
    """

    safe: Float32[np.ndarray, " dim"]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A message that could not be taken.

    Args:
        seq: Which, or none where it could not even be read.
        status: As in HTTP: 409 superseded by a newer observation, 422 unusable, 429 too often, 503 busy.
        what: What was wrong.
        got: What was got.
        expected: What was expected.
        remedy: What helps.
    """

    seq: int | None
    status: int
    what: str
    got: str | None = None
    expected: str | None = None
    remedy: str | None = None

    @classmethod
    def of(cls, error: ServingError, seq: int | None) -> "Refused":
        """What a refusal says."""
        return cls(
            seq=seq,
            status=error.status,
            what=error.what,
            got=error.got,
            expected=error.expected,
            remedy=error.remedy,
        )

    @property
    def error(self) -> ServingError:
        """The refusal as it was raised."""
        return ServingError(self.what, status=self.status, got=self.got, expected=self.expected, remedy=self.remedy)


@dataclass(frozen=True, kw_only=True)
class Closing:
    """The server ends the session.

    Args:
        safe: [dim] the control step to take now.
        reason: Why.
    """

    safe: Float32[np.ndarray, " dim"]
    reason: str = "the server is shutting down"


Message = Hello | Welcome | Begin | Observe | Act | Stop | Stopped | Refused | Closing

_KINDS: Mapping[str, type[Message]] = {
    kind.__name__: kind for kind in (Hello, Welcome, Begin, Observe, Act, Stop, Stopped, Refused, Closing)
}


def encode(message: Message) -> bytes:
    """A message for the wire."""
    return to_msgpack(message)


def decode(body: bytes | str) -> Message:
    """A message from the wire.

    Raises:
        ServingError: Not a message, or fields that are missing, unknown or of the wrong type.
    """
    if isinstance(body, str):
        raise ServingError("messages are binary", status=400, got="text", expected="msgpack")
    document = from_msgpack(body)
    kind = document.get("type") if isinstance(document, Mapping) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ServingError("the message has no known type", got=str(kind)[:40], expected=", ".join(_KINDS))
    # Nothing that comes along with it makes a stop fail.
    return Stop() if kind == "Stop" else read(_KINDS[kind], document, kind)


def _check_timing(deadline_seconds: float | None, age_seconds: float) -> None:
    if deadline_seconds is not None and not MIN_DEADLINE_SECONDS <= deadline_seconds <= MAX_DEADLINE_SECONDS:
        expected = f"{MIN_DEADLINE_SECONDS:g} to {MAX_DEADLINE_SECONDS:g} s"
        raise ServingError("the deadline is out of range", got=deadline_seconds, expected=expected)
    if not 0 <= age_seconds < math.inf:
        raise ServingError("the age of an observation is no age", got=age_seconds, expected="0 s or more")
