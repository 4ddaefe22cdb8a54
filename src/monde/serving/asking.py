"""The verbs of the mind over HTTP: one question at a time is thought about, a few wait, the others are told so."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from monde.errors import ServingError
from monde.limits import MAX_REQUEST_SECONDS, MAX_REQUESTS_WAITING
from monde.mind import VERBS, Answer
from monde.mind import Request as MindRequest
from monde.serving.bodies import answer, read_document
from monde.serving.metrics import Metrics
from monde.serving.schemas import answer_of, body_of
from monde.wire import read

Ask = Callable[[MindRequest], Answer]
"""`monde.Mind.ask`."""


class Thinker:
    """Thinks in a thread of its own, beside the one that decides for robots.

    Args:
        mind: Answers; it is asked by one thread at a time.
        metrics: Counted in.
    """

    def __init__(self, mind: Ask, metrics: Metrics) -> None:
        self.mind, self.metrics = mind, metrics
        self._thread = ThreadPoolExecutor(1, "monde-think")
        self._asked = 0

    async def ask(self, verb: str, request: MindRequest) -> Answer:
        """The answer to one question.

        Raises:
            ServingError: 503: as many wait as may, or it took too long.
        """
        if self._asked > MAX_REQUESTS_WAITING:
            raise ServingError("the server is busy", status=503, got=f"{self._asked} questions wait")
        self._asked += 1
        started = monotonic()
        thought = asyncio.get_running_loop().run_in_executor(self._thread, self.mind, request)
        thought.add_done_callback(lambda _: self._end())
        try:
            async with asyncio.timeout(MAX_REQUEST_SECONDS):
                found = await asyncio.shield(thought)
        except TimeoutError as error:
            raise ServingError(
                "the question took too long", status=503, expected=f"at most {MAX_REQUEST_SECONDS:g} s"
            ) from error
        self.metrics.think_seconds.labels(verb).observe(monotonic() - started)
        return found

    def close(self) -> None:
        """Let the thread end after what it is at."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _end(self) -> None:
        self._asked -= 1


def add_verbs(app: FastAPI, thinker: Thinker) -> None:
    """`POST /v1/ask/VERB` for each verb."""
    for verb in VERBS:
        _add(app, thinker, verb)


def _add(app: FastAPI, thinker: Thinker, verb: str) -> None:
    wanted, given = VERBS[verb]

    @app.post(
        f"/v1/ask/{verb}",
        name=verb,
        description=wanted.__doc__,
        tags=["ask"],
        response_class=Response,
        responses=answer_of(given),
        openapi_extra=body_of(wanted),
    )
    async def ask(request: Request) -> Response:
        document = await read_document(request)
        question = await asyncio.to_thread(_question, verb, document)
        found = await thinker.ask(verb, question)
        # Pictures and latents are large, and the loop that would write them out also takes stops.
        return await asyncio.to_thread(answer, request, found)


def _question(verb: str, document: object) -> MindRequest:
    return read(VERBS[verb][0], document, verb)
