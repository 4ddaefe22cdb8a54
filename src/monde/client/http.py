"""Questions and commands over HTTP, by the standard library's client."""

import http.client
from urllib.parse import urlsplit

from monde.errors import ServingError
from monde.limits import MAX_BODY_BYTES, MAX_REQUEST_SECONDS
from monde.mind import VERBS
from monde.wire import Document, from_msgpack, read, to_msgpack

MSGPACK = "application/msgpack"


class Server:
    """A served run, asked over HTTP.

    Args:
        url: "http://127.0.0.1:8420".
        token: Its token.
        seconds: Most time for one answer.
    """

    def __init__(self, url: str, token: str, seconds: float = MAX_REQUEST_SECONDS) -> None:
        self._url, self._token, self._seconds = urlsplit(url), token, seconds
        if self._url.scheme not in {"http", "https"} or not self._url.hostname:
            raise ServingError("this is no server's address", got=url, expected="http://HOST:PORT")

    def __repr__(self) -> str:
        return f"Server({self._url.geturl()!r})"

    def ready(self) -> bool:
        """Whether it is ready to decide."""
        try:
            return self._call("GET", "/health/ready").get("ready") is True
        except ServingError:
            return False

    def model(self) -> Document:
        """What the model reads and does."""
        return self._call("GET", "/v1/model")

    def stop(self, session: str | None = None) -> None:
        """Stop one session, or all until `go`."""
        self._call("POST", "/v1/stop", {"session": session})

    def go(self) -> None:
        """Take back a stop of all."""
        self._call("POST", "/v1/go", {})

    def ask(self, verb: str, request: object) -> object:
        """Ask a verb of the mind: a request of `monde.mind` to its answer.

        Raises:
            ServingError: No such verb, a request that it refuses, or no server.
        """
        if verb not in VERBS:
            raise ServingError("there is no such verb", status=404, got=verb, expected=", ".join(VERBS))
        return read(VERBS[verb][1], self._call("POST", f"/v1/ask/{verb}", request), verb)

    def _call(self, method: str, path: str, body: object = None) -> Document:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(str(self._url.hostname), self._url.port, timeout=self._seconds)
        headers = {"Authorization": f"Bearer {self._token}", "Accept": MSGPACK, "Content-Type": MSGPACK}
        try:
            content = None if body is None else to_msgpack(body)
            connection.request(method, self._url.path.rstrip("/") + path, content, headers)
            response = connection.getresponse()
            packed = response.headers.get("Content-Type", "").startswith(MSGPACK)
            answered = response.read(MAX_BODY_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise ServingError(
                f"no server answers at {self._url.geturl()}", status=503, got=f"{type(error).__name__} {error}"
            ) from error
        finally:
            connection.close()
        return _document(answered, response.status, packed)


def _document(body: bytes, status: int, packed: bool) -> Document:
    from monde.wire import from_json

    document = from_msgpack(body) if packed else from_json(body)
    if not isinstance(document, dict):
        raise ServingError("the server's answer is no object", status=500, got=type(document).__name__)
    if status < 400:
        return document
    told = document.get("error")
    told = told if isinstance(told, dict) else {}
    parts = {name: str(told[name]) for name in ("got", "expected", "remedy") if name in told}
    raise ServingError(str(told.get("what", "refused")), status=status, **parts)
