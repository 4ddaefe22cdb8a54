"""The control sessions that a server holds: opened, resumed, stopped, and forgotten when nobody speaks any more."""

import asyncio
import secrets
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from monde.errors import ServingError
from monde.limits import MAX_SESSION_IDLE_SECONDS, MAX_SESSION_MESSAGES_PER_SECOND
from monde.serving.deciders import Course
from monde.serving.metrics import Metrics
from monde.serving.rates import Bucket
from monde.wire import Closing, Message, Stopped


@runtime_checkable
class Line(Protocol):
    """The connection of a session."""

    async def send(self, message: Message) -> None:
        """Send a message; one that cannot be sent is lost with its connection."""
        ...

    async def hang_up(self) -> None:
        """Close the connection."""
        ...


@dataclass(eq=False)
class Session:
    """One robot.

    Args:
        name: Unguessable.
        course: Its episode; none before the first.
        stopped: Why it is stopped, or none.
        seconds: Of its episode, by the control steps that were carried out.
        line: Its connection, while there is one.
        heard: When it last spoke, on `monotonic`'s clock.
        pending: Its messages that wait for their answers.
        rate: Of its messages.
    """

    name: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    course: Course | None = None
    stopped: str | None = None
    seconds: float = 0.0
    line: Line | None = None
    heard: float = field(default_factory=monotonic)
    pending: int = 0
    rate: Bucket = field(default_factory=lambda: Bucket(MAX_SESSION_MESSAGES_PER_SECOND))


class Sessions:
    """All of them.

    Args:
        most: Held at once.
        safe: [dim] the declared safe action.
        metrics: Counted in.
    """

    def __init__(self, most: int, safe: Float[np.ndarray, " dim"], metrics: Metrics) -> None:
        self.most, self.safe = most, safe
        self.halted: str | None = None
        self._held: dict[str, Session] = {}
        self._metrics = metrics

    def __len__(self) -> int:
        return len(self._held)

    def open(self, name: str | None) -> tuple[Session, bool]:
        """A new session, or the one of that name and true.

        Raises:
            ServingError: 503: as many are held as may be.
        """
        known = self._held.get(name) if name is not None else None
        if known is not None:
            return known, True
        self.check_room()
        session = Session()
        self._held[session.name] = session
        self._metrics.sessions.set(len(self._held))
        return session, False

    def check_room(self) -> None:
        """Refuse where there is no room for another session; sessions without a connection make room for new ones.

        Raises:
            ServingError: 503.
        """
        idle = [session for session in self._held.values() if session.line is None]
        if len(self._held) >= self.most and idle:
            self.forget(min(idle, key=lambda session: session.heard))
        if len(self._held) >= self.most:
            raise ServingError(
                "the server is busy", status=503, got=f"{self.most} sessions", remedy="end one, or start another server"
            )

    def forget(self, session: Session) -> None:
        """Let a session go."""
        self._held.pop(session.name, None)
        self._metrics.sessions.set(len(self._held))

    async def stop(self, name: str | None, reason: str) -> int:
        """Stop one session, or all until `go`; how many were told.

        Raises:
            ServingError: 404: no such session.
        """
        if name is None:
            self.halted = reason
            self._metrics.stopped.set(1)
            stopped = list(self._held.values())
        elif name in self._held:
            stopped = [self._held[name]]
        else:
            raise ServingError("there is no such session", status=404, got=name[:40])
        for session in stopped:
            session.stopped = reason
        await asyncio.gather(*(self._tell(session, Stopped(safe=self.safe, reason=reason)) for session in stopped))
        return len(stopped)

    def why_not(self, session: Session) -> str | None:
        """Why a session may not act now, or none."""
        return self.halted or session.stopped

    def go(self) -> None:
        """Take back an operator's stop of all: episodes may begin again."""
        self.halted = None
        self._metrics.stopped.set(0)

    async def sweep(self) -> list[Session]:
        """Forget those that have not spoken for too long."""
        now = monotonic()
        silent = [s for s in self._held.values() if now - s.heard > MAX_SESSION_IDLE_SECONDS]
        for session in silent:
            await self._tell(session, Closing(safe=self.safe, reason="the session was silent for too long"))
            self.forget(session)
            if session.line is not None:
                await session.line.hang_up()
        return silent

    async def close(self) -> None:
        """Tell everybody that the server is going."""
        await asyncio.gather(*(self._tell(session, Closing(safe=self.safe)) for session in self._held.values()))

    async def _tell(self, session: Session, message: Message) -> None:
        if session.line is not None:
            await session.line.send(message)
