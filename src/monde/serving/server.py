"""A server's life: listen, say where, serve, and end gracefully when asked."""

import asyncio
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import uvicorn

from monde.errors import UsageError
from monde.limits import MAX_BODY_BYTES, MAX_CONNECTIONS, MAX_PING_SECONDS, MAX_SHUTDOWN_SECONDS
from monde.serving.app import make_app
from monde.serving.desk import Desk

SWITCH_SECONDS = 0.001
"""How long one thread keeps the interpreter while another waits for it."""


@dataclass(frozen=True)
class Served:
    """What came of serving.

    Args:
        url: Where.
        answers: That control sessions were given.
    """

    url: str
    answers: int


def serve(desk: Desk, told: Callable[[str], None] = lambda _: None) -> Served:
    """Serve a desk until SIGINT or SIGTERM; a second signal ends it at once.

    Args:
        desk: What is served.
        told: Called with the server's address as soon as it listens.

    Raises:
        UsageError: The address is taken, or cannot be listened on.
    """
    server = Server(desk, told)
    server.run()
    return Served(server.url, desk.metrics.answered)


class Server(uvicorn.Server):
    """Listens from the start, says where when it serves, and tells robots before it goes.

    Args:
        desk: What is served.
        told: Called with the server's address as soon as it listens.

    Raises:
        UsageError: The address is taken, or cannot be listened on.
    """

    def __init__(self, desk: Desk, told: Callable[[str], None] = lambda _: None) -> None:
        config = desk.config
        super().__init__(
            uvicorn.Config(
                make_app(desk),
                log_config=None,
                log_level="info",  # below, it logs headers, and the token is one
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="websockets-sansio",
                ws_max_size=MAX_BODY_BYTES,
                ws_ping_interval=MAX_PING_SECONDS,
                ws_ping_timeout=MAX_PING_SECONDS,
                ws_per_message_deflate=False,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_graceful_shutdown=int(MAX_SHUTDOWN_SECONDS),
                ssl_certfile=None if config.certificate is None else str(config.certificate),
                ssl_keyfile=None if config.key is None else str(config.key),
            )
        )
        self.desk, self._told = desk, told
        self._listener = _listener(config.host, config.port)
        scheme = "http" if config.certificate is None else "https"
        host = f"[{config.host}]" if ":" in config.host else config.host
        self.url = f"{scheme}://{host}:{self._listener.getsockname()[1]}"

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until asked to end."""
        before = sys.getswitchinterval()
        # Messages are taken beside a thread that computes: they are not to wait for it for Python's usual 5 ms.
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            with self._listener:
                super().run(sockets or [self._listener])
        finally:
            sys.setswitchinterval(before)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        if self.started:
            self._told(self.url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that it goes, then let what is under way end."""
        self.desk.ready = False
        try:
            async with asyncio.timeout(MAX_SHUTDOWN_SECONDS):
                await self.desk.sessions.close()
        except TimeoutError:
            logging.getLogger("monde.serving").warning("not all robots could be told that the server ends")
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take the signals while serving, and give them back afterwards: an end that was asked for is no failure."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends gracefully, a second at once."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:
        listener.close()
        raise UsageError(
            f"{host}:{port} cannot be listened on", got=error, remedy="choose another --port, or --host 127.0.0.1"
        ) from error
    listener.set_inheritable(True)
    return listener
