"""Who is let in: the token, how often, how many; and errors as plain answers. Pure ASGI, for HTTP and WebSockets."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monde.errors import ServingError
from monde.limits import MAX_REQUESTS_PER_SECOND
from monde.serving.auth import OPEN, Token
from monde.serving.metrics import Metrics
from monde.serving.rates import Bucket
from monde.serving.telling import told

NEVER_TOO_OFTEN = (*OPEN, "/v1/stop")
"""Routes that are not counted: whoever wants to stop a robot gets through."""


class Gate:
    """Stands before the application.

    Args:
        app: It.
        token: Asked for.
        metrics: Counted in.
        rate: HTTP requests a second, all clients together.
    """

    def __init__(self, app: ASGIApp, token: Token, metrics: Metrics, rate: float = MAX_REQUESTS_PER_SECOND) -> None:
        self.app, self.token, self.metrics = app, token, metrics
        self._bucket = Bucket(rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or say why not."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        try:
            self._check(scope)
        except ServingError as error:
            await self._deny(error, scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        path = scope["path"]
        if path not in OPEN:
            self.token.check(scope["headers"])
        if scope["type"] == "http" and path not in NEVER_TOO_OFTEN and not self._bucket.take():
            raise ServingError(
                "requests come too often", status=429, expected=f"at most {self._bucket.rate:g} a second in all"
            )

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"])
            await send(message)

        await self.app(scope, receive, counted)

    async def _deny(self, error: ServingError, scope: Scope, receive: Receive, send: Send) -> None:
        self._count(scope, error.status)
        if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": error.what[:100]})
        else:
            await told(error)(scope, receive, send)

    def _count(self, scope: Scope, status: int) -> None:
        route = scope.get("route")
        self.metrics.requests.labels(str(getattr(route, "path", "none")), str(status)).inc()
