"""The WebSocket under a session: it is opened again whenever it breaks, by a thread of its own."""

import threading
from time import monotonic, sleep
from typing import TYPE_CHECKING

from monde.errors import ServingError
from monde.limits import MAX_BODY_BYTES, MAX_PING_SECONDS
from monde.wire import Closing, Hello, Message, Refused, Welcome, decode, encode

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 1.0
"""Between two tries to open a connection, doubling."""


class Link:
    """A connection that renews itself.

    Args:
        url: Of the server, with http or https.
        token: Its token.
        seconds: How long to try before it is given up.
    """

    def __init__(self, url: str, token: str, seconds: float) -> None:
        self.url, self._token, self._seconds = url.rstrip("/"), token, seconds
        self.openings = 0
        self.renewed = False
        """Whether the server may know less than it was told: the connection was opened again since."""
        self._socket: ClientConnection | None = None
        self._welcome: Welcome | None = None
        self._error: ServingError | None = None
        self._closed = False
        self._sending = threading.Lock()
        self._opener: threading.Thread | None = None

    def wait(self) -> Welcome:
        """The server's welcome, once it has given one.

        Raises:
            ServingError: It cannot be reached, or refuses.
        """
        while True:
            welcome = self.welcome()
            if welcome is not None:
                return welcome
            if self._opener is not None:
                self._opener.join()

    def welcome(self) -> Welcome | None:
        """The server's welcome, or none while the connection is being opened.

        Raises:
            ServingError: It could not be reached, or refuses; or the link was closed.
        """
        if self._closed:
            raise ServingError("the session is closed", status=409)
        if self._opener is None or not self._opener.is_alive():
            if self._error is not None:
                raise self._error
            if self._socket is None:
                self._opener = threading.Thread(target=self._open, name="monde-link", daemon=True)
                self._opener.start()
                return None
            return self._welcome
        return None

    def send(self, message: Message) -> None:
        """Send a message. A connection that breaks by it is noticed by the one who receives."""
        socket = self._socket
        if socket is None:
            return
        from websockets.exceptions import ConnectionClosed

        try:
            with self._sending:
                socket.send(encode(message))
        except (ConnectionClosed, OSError):
            return

    def receive(self, seconds: float) -> Message | None:
        """The next message, or none if there is none in time.

        Raises:
            ConnectionError: The connection broke, or the server is going.
        """
        from websockets.exceptions import ConnectionClosed

        socket = self._socket
        if socket is None:
            raise ConnectionError("no connection")
        try:
            message = decode(socket.recv(timeout=max(seconds, 0.0)))
        except TimeoutError:
            return None
        except (ConnectionClosed, OSError) as error:
            self._lose()
            raise ConnectionError(str(error)) from error
        if isinstance(message, Closing):
            self._lose()
            raise ConnectionError(message.reason)
        return message

    def close(self) -> None:
        """Close it for good."""
        self._closed = True
        self._lose()

    def _lose(self) -> None:
        socket, self._socket = self._socket, None
        self.renewed = True
        if socket is not None:
            # Nobody waits for a server that has gone to say goodbye.
            threading.Thread(target=socket.__exit__, args=(None, None, None), daemon=True).start()

    def _open(self) -> None:
        until, pause = monotonic() + self._seconds, FIRST_PAUSE_SECONDS
        while not self._closed:
            try:
                self._welcome = self._greeted(until - monotonic())
                self.openings += 1
                return
            except ServingError as error:
                if error.status != 503 or monotonic() + pause > until:
                    self._error = error
                    return
            except Exception as error:
                # Nobody else would hear of it: this is a thread of its own.
                self._error = ServingError("the connection cannot be opened", status=500, got=repr(error)[:200])
                raise
            sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _greeted(self, seconds: float) -> Welcome:
        """One try.

        Raises:
            ServingError: 503 where another may succeed.
        """
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
        from websockets.sync.client import connect

        seconds = max(seconds, 0.1)
        try:
            # What `connect` makes is entered here and left in `_lose`: the connection outlives this call.
            socket = connect(
                self.url.replace("http", "ws", 1) + "/v1/control",
                additional_headers={"Authorization": f"Bearer {self._token}"},
                compression=None,
                max_size=MAX_BODY_BYTES,
                ping_interval=MAX_PING_SECONDS,
                ping_timeout=MAX_PING_SECONDS,
                open_timeout=seconds,
                close_timeout=1.0,
            ).__enter__()
            socket.send(encode(Hello(session=None if self._welcome is None else self._welcome.session)))
            welcome = decode(socket.recv(timeout=seconds))
        except InvalidStatus as error:
            status = error.response.status_code
            if status == 401:
                raise ServingError("no or wrong token", status=401, expected="the token of the server") from error
            raise ServingError(f"the server at {self.url} refuses", status=503, got=f"status {status}") from error
        except (ConnectionClosed, InvalidHandshake, OSError, EOFError, TimeoutError) as error:
            raise ServingError(
                f"no server answers at {self.url}",
                status=503,
                got=f"{type(error).__name__} {error}",
                remedy="start it: monde serve RUN --token-file FILE",
            ) from error
        if isinstance(welcome, Refused):
            raise welcome.error
        if not isinstance(welcome, Welcome):
            raise ServingError("the server speaks another protocol", status=400, got=type(welcome).__name__)
        self._socket = socket
        return welcome
