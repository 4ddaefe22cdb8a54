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

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Shaped

from monde.errors import ServingError
from monde.limits import MAX_DEADLINE_SECONDS, MIN_DEADLINE_SECONDS
from monde.wire import fields
from monde.wire.arrays import read_array
from monde.wire.documents import from_msgpack, to_msgpack
from monde.wire.fields import Document

PROTOCOL = "monde.control/1"
"""Name and version of all this."""

Arrays = Mapping[str, Shaped[np.ndarray, "..."]]
"""One sample of each sensor, by name: no batch and no time axis."""


@dataclass(frozen=True, kw_only=True)
class Hello:
    """A client asks for a session.

    Args:
        session: The one that it had before its connection broke, or none for a new one.
        protocol: What it speaks.
    """

    kind: ClassVar[str] = "hello"
    session: str | None = None
    protocol: str = PROTOCOL

    @classmethod
    def read(cls, document: Document) -> "Hello":
        """From its document."""
        fields.only(document, ("type", "session", "protocol"), cls.kind)
        return cls(
            session=fields.maybe_text(document, "session", cls.kind),
            protocol=fields.text(document, "protocol", cls.kind),
        )


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
    """

    kind: ClassVar[str] = "welcome"
    session: str
    resumed: bool
    sensors: tuple[Document, ...]
    actions: Document
    safe: Float[np.ndarray, " dim"]
    model: str

    @classmethod
    def read(cls, document: Document) -> "Welcome":
        """From its document."""
        sensors = document.get("sensors")
        if not isinstance(sensors, list):
            raise ServingError("welcome.sensors is no list", got=type(sensors).__name__)
        return cls(
            session=fields.text(document, "session", cls.kind),
            resumed=fields.truth(document, "resumed", cls.kind),
            sensors=tuple(fields.mapping(sensor, "welcome.sensors") for sensor in sensors),
            actions=fields.mapping(document.get("actions"), "welcome.actions"),
            safe=read_array(document.get("safe"), "welcome.safe"),
            model=fields.text(document, "model", cls.kind),
        )


@dataclass(frozen=True, kw_only=True)
class Begin:
    """An episode begins: this is wanted, this is seen.

    Args:
        seq: Number of the message in its session, rising.
        goal: What is wanted, by value: see docs/serve.md.
        observation: What is seen now.
        deadline_seconds: Time for the answer, from its arrival at the server; none for the server's own.
        age_seconds: How old the observation was when it was sent.
    """

    kind: ClassVar[str] = "begin"
    seq: int
    goal: Document
    observation: Arrays
    deadline_seconds: float | None = None
    age_seconds: float = 0.0

    @classmethod
    def read(cls, document: Document) -> "Begin":
        """From its document."""
        fields.only(document, ("type", "seq", "goal", "observation", "deadline_seconds", "age_seconds"), cls.kind)
        return cls(
            seq=fields.whole(document, "seq", cls.kind),
            goal=fields.mapping(document.get("goal"), "begin.goal"),
            observation=fields.arrays(document, "observation", cls.kind),
            deadline_seconds=_deadline(document, cls.kind),
            age_seconds=_age(document, cls.kind),
        )


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

    kind: ClassVar[str] = "observe"
    seq: int
    observation: Arrays
    taken: Float[np.ndarray, "n dim"]
    deadline_seconds: float | None = None
    age_seconds: float = 0.0

    @classmethod
    def read(cls, document: Document) -> "Observe":
        """From its document."""
        fields.only(document, ("type", "seq", "observation", "taken", "deadline_seconds", "age_seconds"), cls.kind)
        taken = read_array(document.get("taken"), "observe.taken")
        if taken.ndim != 2 or taken.dtype != np.float32:
            raise ServingError(
                "observe.taken is not usable", got=f"{taken.dtype} {list(taken.shape)}", expected="float32 [n, dim]"
            )
        return cls(
            seq=fields.whole(document, "seq", cls.kind),
            observation=fields.arrays(document, "observation", cls.kind),
            taken=taken,
            deadline_seconds=_deadline(document, cls.kind),
            age_seconds=_age(document, cls.kind),
        )


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

    kind: ClassVar[str] = "act"
    seq: int
    controls: Float[np.ndarray, "n dim"]
    safe: bool = False
    reason: str | None = None
    probability: float | None = None
    warning: str | None = None
    restarted: bool = False
    resized: tuple[str, ...] = ()
    seconds: float = 0.0

    @classmethod
    def read(cls, document: Document) -> "Act":
        """From its document."""
        resized = document.get("resized", [])
        return cls(
            seq=fields.whole(document, "seq", cls.kind),
            controls=read_array(document.get("controls"), "act.controls"),
            safe=fields.truth(document, "safe", cls.kind),
            reason=_told(document, "reason"),
            probability=fields.maybe_number(document, "probability", cls.kind, 0.0, 1.0),
            warning=_told(document, "warning"),
            restarted=fields.truth(document, "restarted", cls.kind),
            resized=tuple(map(str, resized)) if isinstance(resized, list) else (),
            seconds=fields.number(document, "seconds", cls.kind, 0.0, 1e9),
        )


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Stop, whatever is being planned."""

    kind: ClassVar[str] = "stop"

    @classmethod
    def read(cls, document: Document) -> "Stop":
        """From its document; nothing in it can make a stop fail."""
        return cls()


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """It is stopped: until an episode begins anew, all answers are the safe action.

    Args:
        safe: [dim] the control step to take now.
        reason: Who stopped it: the client of this session, or an operator.
    """

    kind: ClassVar[str] = "stopped"
    safe: Float[np.ndarray, " dim"]
    reason: str

    @classmethod
    def read(cls, document: Document) -> "Stopped":
        """From its document."""
        return cls(
            safe=read_array(document.get("safe"), "stopped.safe"), reason=fields.text(document, "reason", "stopped")
        )


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

    kind: ClassVar[str] = "refused"
    seq: int | None
    status: int
    what: str
    got: str | None = None
    expected: str | None = None
    remedy: str | None = None

    @classmethod
    def read(cls, document: Document) -> "Refused":
        """From its document."""
        return cls(
            seq=None if document.get("seq") is None else fields.whole(document, "seq", cls.kind),
            status=fields.whole(document, "status", cls.kind, 100, 599),
            what=_told(document, "what") or "refused",
            got=_told(document, "got"),
            expected=_told(document, "expected"),
            remedy=_told(document, "remedy"),
        )

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

    kind: ClassVar[str] = "closing"
    safe: Float[np.ndarray, " dim"]
    reason: str = field(default="the server is shutting down")

    @classmethod
    def read(cls, document: Document) -> "Closing":
        """From its document."""
        return cls(
            safe=read_array(document.get("safe"), "closing.safe"), reason=fields.text(document, "reason", "closing")
        )


Message = Hello | Welcome | Begin | Observe | Act | Stop | Stopped | Refused | Closing

_READERS: Mapping[str, Callable[[Document], Message]] = {
    "hello": Hello.read,
    "welcome": Welcome.read,
    "begin": Begin.read,
    "observe": Observe.read,
    "act": Act.read,
    "stop": Stop.read,
    "stopped": Stopped.read,
    "refused": Refused.read,
    "closing": Closing.read,
}


def encode(message: Message) -> bytes:
    """A message for the wire."""
    return to_msgpack({"type": message.kind} | dict(vars(message)))


def decode(body: bytes | str) -> Message:
    """A message from the wire.

    Raises:
        ServingError: Not a message, or fields that are missing, unknown or of the wrong type.
    """
    if isinstance(body, str):
        raise ServingError("messages are binary", status=400, got="text", expected="msgpack")
    document = fields.mapping(from_msgpack(body), "the message")
    kind = document.get("type")
    if not isinstance(kind, str) or kind not in _READERS:
        raise ServingError("the message has no known type", got=str(kind)[:40], expected=", ".join(_READERS))
    return _READERS[kind](document)


def _deadline(document: Document, where: str) -> float | None:
    return fields.maybe_number(document, "deadline_seconds", where, MIN_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS)


def _age(document: Document, where: str) -> float:
    return fields.maybe_number(document, "age_seconds", where, 0.0, 1e9) or 0.0


def _told(document: Document, name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) else None
