"""The application: routes, their OpenAPI schema, and what runs beside them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from fastapi import FastAPI, Request, WebSocket
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

import monde
from monde.errors import MondeError, ServingError
from monde.serving.asking import add_verbs
from monde.serving.auth import OPEN, Token
from monde.serving.bodies import answer, read_document
from monde.serving.control import Control
from monde.serving.desk import Desk
from monde.serving.gate import Gate
from monde.serving.schemas import body_of
from monde.serving.telling import as_document, serving, told
from monde.wire import PROTOCOL, read

ABOUT = f"""The mind of a trained run, and its hands.

- `POST /v1/ask/VERB` asks the verbs of `monde.Mind`, with the requests and answers of `monde.mind`. Bodies are JSON
  (arrays as {{dtype, shape, base64}}) or msgpack (arrays as {{dtype, shape, bytes}}).
- `/v1/control` is a WebSocket: one session a robot, msgpack messages of the protocol `{PROTOCOL}` (`monde.wire`).
- Every route but health asks for `Authorization: Bearer TOKEN`.
- Errors are `{{"status", "error": {{"what", "got", "expected", "remedy"}}}}`.
"""


@dataclass(frozen=True)
class StopRequest:
    """Whom to stop.

    Args:
        session: One session, or none for all, until `go`.
        reason: What their clients are told.
    """

    session: str | None = None
    reason: str = "stopped by an operator"


def make_app(desk: Desk) -> ASGIApp:
    """The application that serves a desk, behind its gate."""

    @asynccontextmanager
    async def beside(_: FastAPI) -> AsyncIterator[None]:
        running = asyncio.get_running_loop().create_task(desk.run())
        running.add_done_callback(lambda task: None if task.cancelled() else desk.failed(task.exception()))
        yield
        desk.ready = False
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        desk.close()

    app = FastAPI(
        title=f"monde: {desk.name}",
        version=monde.__version__,
        description=ABOUT,
        lifespan=beside,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    for kind in (MondeError, HTTPException, Exception):
        app.add_exception_handler(kind, _plain)
    _add_health(app, desk)
    _add_control(app, desk)
    add_verbs(app, desk.thinker)
    _add_security(app)
    return Gate(app, Token(desk.config.token), desk.metrics)


def _add_health(app: FastAPI, desk: Desk) -> None:
    @app.get("/health/live", tags=["health"])
    async def live() -> dict[str, bool]:
        """Whether the process answers. Needs no token."""
        return {"live": True}

    @app.get("/health/ready", tags=["health"])
    async def ready() -> dict[str, bool]:
        """Whether it is ready to decide: warmed up, and not shutting down. Needs no token."""
        if not desk.ready:
            raise ServingError("not ready", status=503)
        return {"ready": True}

    @app.get("/metrics", tags=["health"], response_class=Response)
    async def metrics() -> Response:
        """Counts and times, for Prometheus."""
        return Response(generate_latest(desk.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _add_control(app: FastAPI, desk: Desk) -> None:
    @app.get("/v1/model", tags=["control"], response_class=Response)
    async def model(request: Request) -> Response:
        """What the model reads and does: sensors, actions, the safe action."""
        held = desk.pilot.model
        document = {
            "model": desk.name,
            "sensors": [as_document(sensor) for sensor in held.sensors],
            "actions": as_document(held.actions),
            "safe": desk.safe.tolist(),
            "deadline_seconds": desk.deadline_seconds,
            "stale_seconds": desk.stale_seconds,
        }
        return answer(request, document)

    @app.post("/v1/stop", tags=["control"], response_class=Response, openapi_extra=body_of(StopRequest))
    async def stop(request: Request) -> Response:
        """Stop one session, or all until `go`: their robots are sent the safe action at once."""
        wanted = read(StopRequest, await read_document(request), "the body")
        return answer(request, {"stopped": await desk.sessions.stop(wanted.session, wanted.reason)})

    @app.post("/v1/go", tags=["control"], response_class=Response)
    async def go(request: Request) -> Response:
        """Take back a stop of all. Robots act again when their clients begin an episode."""
        desk.sessions.go()
        return answer(request, {"stopped": 0})

    @app.websocket("/v1/control")
    async def control(socket: WebSocket) -> None:
        await socket.accept()
        await Control(desk, socket).serve()


def _add_security(app: FastAPI) -> None:
    """The schema says that a token is asked for, which happens at the gate."""
    schema = app.openapi()
    schema.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schema["security"] = [{"token": []}]
    for path in OPEN:
        for operation in schema["paths"][path].values():
            operation["security"] = []
    app.openapi_schema = schema


async def _plain(_: Request, error: Exception) -> Response:
    """Any error as a plain answer; never the text of one that nobody foresaw."""
    if isinstance(error, MondeError):
        return told(serving(error))
    if isinstance(error, HTTPException):
        what = {404: "there is no such route", 405: "this route takes another method"}.get(error.status_code)
        return told(ServingError(what or "the request cannot be answered", status=error.status_code))
    return told(ServingError("the server has a fault", status=500, remedy="its log says why"))
