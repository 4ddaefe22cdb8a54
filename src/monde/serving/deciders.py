"""Decisions of all sessions, a batch at a time: whoever asks while one batch is decided is part of the next."""

import asyncio
import logging
import math
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from time import monotonic

from monde.errors import MondeError, ServingError
from monde.limits import MAX_DECISION_BATCH, MAX_DECISIONS_WAITING, MAX_SESSION_PENDING
from monde.serving.metrics import Metrics
from monde.serving.pilot import Choice, Pilot, Pursuit, Request

LOG = logging.getLogger("monde.serving")


@dataclass
class Course:
    """One episode of one session, as its decisions leave it.

    Args:
        pursuit: What is known and wanted; none before the first decision.
        begun: Whether its goal is understood and its first job waits, or has been done.
        failed: Whether it could not even begin.
        gap: Whether something that was seen is not part of what is known: the belief then begins anew.
    """

    pursuit: Pursuit | None = None
    begun: bool = False
    failed: bool = False
    gap: bool = False


@dataclass(eq=False)
class Job:
    """One observation that waits for its decision.

    Args:
        course: Whose; its pursuit is taken when the job starts.
        request: What was seen.
        due: When the answer is late, on `monotonic`'s clock.
        wanted: Whether a decision is still wanted: no newer observation has come, and no answer was given.
        begins: Whether it is the first of its episode.
        done: The choice.
    """

    course: Course
    request: Request
    begins: bool = False
    due: float = math.inf
    wanted: bool = True
    done: "asyncio.Future[Choice]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def __post_init__(self) -> None:
        # Nobody may be waiting any more when it fails.
        self.done.add_done_callback(lambda done: done.cancelled() or done.exception())

    def refuse(self, error: MondeError) -> None:
        """It will not be decided."""
        if not self.done.done():
            self.done.set_exception(error)


@dataclass
class Deciders:
    """One thread that decides, and who waits for it.

    Jobs of one session keep their order; a batch holds at most one of each, so that a belief is changed by one thing at
    a time.

    Args:
        pilot: Decides.
        metrics: Counted in.
    """

    pilot: Pilot
    metrics: Metrics
    _waiting: deque[Job] = field(default_factory=deque)
    _come: asyncio.Event = field(default_factory=asyncio.Event)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "monde-decide"))

    def submit(self, job: Job) -> None:
        """Let a job wait for the next batch.

        Raises:
            ServingError: 503: as many wait as may.
        """
        if job.wanted and sum(each.wanted for each in self._waiting) >= MAX_DECISIONS_WAITING:
            raise ServingError(
                "the server is busy",
                status=503,
                got=f"{MAX_DECISIONS_WAITING} decisions wait",
                remedy="send fewer observations a second, or serve fewer robots with one server",
            )
        mine = [each for each in self._waiting if each.course is job.course]
        if len(mine) >= MAX_SESSION_PENDING:
            # Nobody waits for these any more: a belief that is so far behind begins anew.
            self.forget(job.course)
            job.course.gap = not job.begins
        self._waiting.append(job)
        self.metrics.waiting.set(len(self._waiting))
        self._come.set()

    def supersede(self, course: Course) -> None:
        """A newer observation has come: those of this course that wait only add to its belief."""
        for job in self._waiting:
            if job.course is course and job.wanted:
                job.wanted = False
                job.refuse(ServingError("a newer observation has come", status=409))

    def forget(self, course: Course) -> None:
        """Drop what waits of a course that is over."""
        for job in [job for job in self._waiting if job.course is course]:
            self._waiting.remove(job)
            job.refuse(ServingError("another episode has begun", status=409))

    async def run(self) -> None:
        """Decide until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._come.wait()
            batch = self._batch()
            if not batch:
                self._come.clear()
                continue
            started = monotonic()
            requests = [self._request(job) for job in batch]
            found = await loop.run_in_executor(self._thread, self._decide, requests)
            self.metrics.decide_seconds.observe(monotonic() - started)
            self.metrics.batch_rows.observe(len(batch))
            for job, choice in zip(batch, found, strict=True):
                self._settle(job, choice)

    def close(self) -> None:
        """Let the thread end after what it is at."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _batch(self) -> list[Job]:
        batch: list[Job] = []
        for job in self._waiting:
            if len(batch) < MAX_DECISION_BATCH and all(job.course is not other.course for other in batch):
                batch.append(job)
        for job in batch:
            self._waiting.remove(job)
        self.metrics.waiting.set(len(self._waiting))
        return batch

    def _request(self, job: Job) -> Request:
        left = job.due - monotonic()
        return replace(
            job.request,
            taken=None if job.course.gap else job.request.taken,
            pursuit=job.course.pursuit,
            plan=job.wanted and left > 0,
            deadline_seconds=max(left, 0.0),
        )

    def _decide(self, requests: list[Request]) -> list[Choice | MondeError]:
        try:
            return self.pilot.decide(requests)
        except Exception:
            # Whatever happened, the server goes on, and those whose decision it was are told.
            LOG.exception("a decision failed")
            failed = ServingError("the decision failed", status=500, remedy="the server's log says why")
            return [failed] * len(requests)

    def _settle(self, job: Job, choice: Choice | MondeError) -> None:
        job.course.gap = not isinstance(choice, Choice)
        if isinstance(choice, Choice):
            job.course.pursuit = choice.pursuit
            if not job.done.done():
                job.done.set_result(choice)
        else:
            job.course.failed = job.course.failed or job.begins
            job.refuse(choice)
