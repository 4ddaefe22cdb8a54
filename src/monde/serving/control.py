"""One WebSocket of one robot: messages are taken at once, whatever is being planned; answers follow when they can."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from time import monotonic

import numpy as np
from jaxtyping import Float32
from starlette.websockets import WebSocket, WebSocketDisconnect

from monde.errors import MondeError, ServingError
from monde.limits import BUSY_SECONDS, MAX_EPISODE_STEPS, MAX_PING_SECONDS, MAX_SEND_SECONDS, MAX_SESSION_PENDING
from monde.serving.deciders import Course, Job
from monde.serving.desk import Desk
from monde.serving.goals import read_goal
from monde.serving.pilot import Request
from monde.serving.sensing import read_sample
from monde.serving.sessions import Session
from monde.serving.telling import as_document, serving
from monde.types import ActionSpec
from monde.wire import (
    PROTOCOL,
    Act,
    Begin,
    Hello,
    Message,
    Observe,
    Refused,
    Stop,
    Stopped,
    Welcome,
    decode,
    encode,
)

SMALL = 64
"""A message of up to so many bytes may be a stop: it is read even from a session that speaks too often."""

BUSY = 503
"""Status of a refusal because others wait."""

POLICY = 1008
"""What a WebSocket is closed with: a client outside its contract."""

LATE = "late: no plan within the deadline"


class Control:
    """Serves one connection until it ends.

    Args:
        desk: What is served.
        socket: The connection, accepted already.
    """

    def __init__(self, desk: Desk, socket: WebSocket) -> None:
        self.desk, self.socket = desk, socket
        self._sending = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Greet, then take messages until the client leaves."""
        try:
            session = await self._greet()
        except (WebSocketDisconnect, TimeoutError):
            return
        except ServingError as error:
            await self.send(Refused.of(error, None))
            await self.hang_up()
            return
        try:
            while True:
                body = await self._receive()
                session.heard = monotonic()
                self._take(session, body, session.heard)
        except WebSocketDisconnect:
            pass
        finally:
            if session.line is self:
                session.line = None
            for task in self._tasks:
                task.cancel()

    async def send(self, message: Message) -> None:
        """Send, or close the connection of a client that does not listen."""
        try:
            async with asyncio.timeout(MAX_SEND_SECONDS), self._sending:
                await self.socket.send_bytes(encode(message))
        except TimeoutError:
            await self.hang_up()
        except (WebSocketDisconnect, RuntimeError):
            return  # It has gone; the receiving side notices too.

    async def hang_up(self) -> None:
        """Close the connection, if it is still open."""
        with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(MAX_SEND_SECONDS):
                await self.socket.close(POLICY)

    async def _greet(self) -> Session:
        async with asyncio.timeout(MAX_PING_SECONDS):
            hello = decode(await self._receive())
        if not isinstance(hello, Hello) or hello.protocol != PROTOCOL:
            expected = f"Hello with protocol {PROTOCOL}"
            raise ServingError("this is no beginning of a session", got=type(hello).__name__, expected=expected)
        session, resumed = self.desk.sessions.open(hello.session)
        # A client that resumes has given its old connection up, even where this end has not noticed yet.
        old, session.line, session.heard = session.line, self, monotonic()
        if isinstance(old, Control):
            self._spawn(old.hang_up())
        model = self.desk.pilot.model
        await self.send(
            Welcome(
                session=session.name,
                resumed=resumed and session.course is not None and session.course.pursuit is not None,
                sensors=tuple(as_document(sensor) for sensor in model.sensors),
                actions=as_document(model.actions),
                safe=self.desk.safe,
                model=self.desk.name,
                deadline_seconds=self.desk.deadline_seconds,
            )
        )
        return session

    def _take(self, session: Session, body: bytes | str, arrived: float) -> None:
        """One message: a stop is carried out before anything else happens, all else by a task of its own."""
        free = session.rate.take()
        if not free and len(body) > SMALL:
            expected = f"at most {session.rate.rate:g} a second"
            self._refuse(ServingError("messages come too often", status=429, expected=expected), None)
            return
        try:
            message = decode(body)
        except ServingError as error:
            self._refuse(error, None)
            return
        if isinstance(message, Stop):
            session.stopped = "stopped by its client"
            self.desk.metrics.answers.labels("stopped").inc()
            self._spawn(self.send(Stopped(safe=self.desk.safe, reason=session.stopped)))
        elif isinstance(message, Begin | Observe):
            self._ask(session, message, arrived)
        else:
            kind = type(message).__name__
            self._refuse(ServingError("this message is not a client's to send", got=kind, expected="Observe"), None)

    def _ask(self, session: Session, message: Begin | Observe, arrived: float) -> None:
        if session.pending >= MAX_SESSION_PENDING:
            got, remedy = f"{session.pending} messages", "await their answers"
            self._refuse(ServingError("messages of this session wait", status=429, got=got, remedy=remedy), message.seq)
            return
        session.pending += 1
        self._spawn(self._answered(session, message, arrived))

    async def _answered(self, session: Session, message: Begin | Observe, arrived: float) -> None:
        try:
            if isinstance(message, Begin):
                job = await self._begun(session, message)
            else:
                job = self._going(session, message)
            job.due = arrived + (message.deadline_seconds or self.desk.deadline_seconds)
            excuse = self._excuse(session, message)
            job.wanted = excuse is None
            self.desk.deciders.submit(job)
            job.course.begun = True
            act = self._safely(excuse) if excuse is not None else await self._planned(session, job)
            resized = job.request.sample.resized if job.begins else ()
            await self._send_act(replace(act, seq=message.seq, resized=resized, seconds=monotonic() - arrived))
        except MondeError as error:
            if isinstance(error, ServingError) and error.status == BUSY:
                await asyncio.sleep(BUSY_SECONDS)
            await self._send_refusal(error, message.seq)
        finally:
            session.pending -= 1

    async def _begun(self, session: Session, message: Begin) -> Job:
        """The first job of an episode; the last episode's is forgotten only where this one can be read."""
        model = self.desk.pilot.model
        sample, sent = read_sample(message.observation, model.sensors), read_goal(message.goal, model)
        course = Course()
        # Whatever was asked before is of another episode; what is asked while the goal is read, of none.
        if session.course is not None:
            self.desk.deciders.forget(session.course)
        session.course, session.seconds, session.stopped = course, 0.0, None
        try:
            goal = await asyncio.to_thread(self.desk.resolve, sent)
        except MondeError:
            course.failed = True
            raise
        return Job(course=course, request=Request(sample=sample, goal=goal), begins=True)

    def _going(self, session: Session, message: Observe) -> Job:
        model = self.desk.pilot.model
        if session.course is None or session.course.failed or not session.course.begun:
            raise ServingError("no episode has begun", status=409, remedy="send begin with a goal")
        taken = _checked(message.taken, model.actions)
        seconds = session.seconds + len(taken) * model.actions.dt_seconds
        sample = read_sample(message.observation, model.sensors, seconds)
        session.seconds = seconds
        self.desk.deciders.supersede(session.course)
        return Job(course=session.course, request=Request(sample=sample, taken=taken))

    def _excuse(self, session: Session, message: Begin | Observe) -> str | None:
        """Why the safe action is the answer, whatever is planned; none where a plan is wanted."""
        stopped = self.desk.sessions.why_not(session)
        if stopped is not None:
            return f"stopped: {stopped}"
        if message.age_seconds >= self.desk.stale_seconds:
            return f"stale: the observation was {message.age_seconds:.3g} s old when it was sent"
        return None

    async def _send_act(self, act: Act) -> None:
        kind = "plan" if act.reason is None else act.reason.partition(":")[0].replace(" ", "_")
        self.desk.metrics.answers.labels(kind).inc()
        self.desk.metrics.answer_seconds.observe(act.seconds)
        await self.send(act)

    async def _planned(self, session: Session, job: Job) -> Act:
        """The plan, or the safe action when it is due and there is none: the watchdog."""
        try:
            async with asyncio.timeout(job.due - monotonic()):
                choice = await asyncio.shield(job.done)
        except TimeoutError:
            job.wanted = False
            return self._safely(LATE)
        stopped = self.desk.sessions.why_not(session)
        if stopped is not None:
            return self._safely(f"stopped: {stopped}")
        warning = None if choice.reason is None else str(choice.reason)
        if choice.controls is None:
            act = self._safely(LATE)
        elif warning is not None and self.desk.abstain:
            session.stopped = f"given up, {warning}"
            act = self._safely(f"given up: {warning}")
        else:
            act = Act(seq=0, controls=np.ascontiguousarray(choice.controls, np.float32))
        return replace(act, probability=choice.probability, warning=warning, restarted=choice.restarted)

    def _safely(self, reason: str) -> Act:
        block = np.tile(self.desk.safe, (self.desk.pilot.model.actions.block, 1))
        return Act(seq=0, controls=block, safe=True, reason=reason)

    def _refuse(self, error: MondeError, seq: int | None) -> None:
        self._spawn(self._send_refusal(error, seq))

    async def _send_refusal(self, error: MondeError, seq: int | None) -> None:
        refusal = Refused.of(serving(error), seq)
        self.desk.metrics.answers.labels(f"refused_{refusal.status}").inc()
        await self.send(refusal)

    async def _receive(self) -> bytes | str:
        event = await self.socket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1001))
        body = event.get("bytes")
        return body if isinstance(body, bytes) else str(event.get("text"))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _checked(taken: Float32[np.ndarray, "n dim"], actions: ActionSpec) -> Float32[np.ndarray, "n dim"]:
    finite = bool(np.isfinite(taken).all())
    if taken.shape[1] != actions.dim or len(taken) > MAX_EPISODE_STEPS or not finite:
        raise ServingError(
            "observe.taken is not usable",
            got=f"{list(taken.shape)}" + ("" if finite else ", not finite"),
            expected=f"[n, {actions.dim}], finite",
        )
    return taken
