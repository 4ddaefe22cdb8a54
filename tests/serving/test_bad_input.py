"""Hostile and broken input over real HTTP and WebSockets: a plain 4xx, at once, and the server goes on."""

import gzip
import http.client
import json
import logging
import socket
import zlib
from urllib.parse import urlsplit

import numpy as np
import pytest

from monde.client import Server as Remote
from monde.client import Session
from monde.errors import UsageError
from monde.limits import MAX_BODY_BYTES, MAX_DOCUMENT_DEPTH, MAX_JSON_BODY_BYTES
from monde.serving import ServeConfig, Server, find_token
from monde.serving.rates import Bucket
from monde.store.typed import to_json
from monde.wire import Begin, Refused, from_msgpack, to_msgpack

from .served import TOKEN, at, desk, goal, served
from .test_control import document, greeted, hear, line, say

JSON, MSGPACK = "application/json", "application/msgpack"


def post(
    server: Server, path: str, body: bytes, kind: str = JSON, token: str | None = TOKEN, **headers: str
) -> tuple[int, dict[str, object]]:
    """Status and document of one answer."""
    place = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
    sent = {"Content-Type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    try:
        connection.request("POST", path, body, sent)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def what(document: dict[str, object]) -> str:
    error = document["error"]
    assert isinstance(error, dict)
    return str(error["what"])


DEEP = b'{"a":' * 10_000 + b"1" + b"}" * 10_000
BOMB = gzip.compress(bytes(4 * MAX_BODY_BYTES), 9)


@pytest.mark.parametrize(
    ("body", "kind", "headers", "status", "says"),
    [
        (DEEP, JSON, {}, 422, "nested too deeply"),
        (b"\x81\xa1a" * 10_000 + b"\x01", MSGPACK, {}, 400, "no msgpack document"),
        (b"\x91" * (MAX_DOCUMENT_DEPTH + 2) + b"\x01", MSGPACK, {}, 422, "nested too deeply"),
        (BOMB, JSON, {"Content_Encoding": "gzip"}, 413, "too large"),
        (zlib.compress(bytes(4 * MAX_BODY_BYTES), 9), MSGPACK, {"Content_Encoding": "deflate"}, 413, "too large"),
        (BOMB[:-20], JSON, {"Content_Encoding": "gzip"}, 413, "too large"),
        (gzip.compress(b"{}", mtime=0)[:-4], JSON, {"Content_Encoding": "gzip"}, 400, "not whole"),
        (b"no gzip", JSON, {"Content_Encoding": "gzip"}, 400, "cannot be decompressed"),
        (b"{}", JSON, {"Content_Encoding": "br"}, 415, "unknown encoding"),
        (b'{"session": ', JSON, {}, 400, "no JSON"),
        (b'{"reason": NaN}', JSON, {}, 400, "does not have"),
        (b"[" + b"{}," * 500_000 + b"{}]", JSON, {}, 413, "too many items"),
        (b" " * (MAX_JSON_BODY_BYTES + 1), JSON, {}, 413, "too large"),
        (b"\xdd\xff\xff\xff\xff", MSGPACK, {}, 400, "no msgpack document"),
        (b"\xc7\x01\x05a", MSGPACK, {}, 400, "no msgpack document"),
        (b"\x80", "application/x-pickle", {}, 415, "unknown format"),
        (b'{"session": 7}', JSON, {}, 422, "wrong type"),
        (b'{"surplus": 7}', JSON, {}, 422, "does not fit"),
        (b"[]", JSON, {}, 422, "not a StopRequest"),
        (b'{"session": "nobody"}', JSON, {}, 404, "no such session"),
    ],
    ids=range(20),
)
def test_bodies(server: Server, body: bytes, kind: str, headers: dict[str, str], status: int, says: str) -> None:
    found, told = post(server, "/v1/stop", body, kind, **headers)
    assert (found, told["status"]) == (status, status)
    assert says in what(told)
    assert Remote(server.url, TOKEN).ready()


def test_a_declared_length_is_not_waited_for(server: Server) -> None:
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as raw:
        head = f"POST /v1/stop HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {10**12}\r\n\r\n"
        raw.sendall(head.encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_body_that_never_comes_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monde.serving.bodies.MAX_BODY_SECONDS", 0.1)
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as raw:
        raw.sendall(f"POST /v1/stop HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n".encode())
        raw.sendall(b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        assert raw.recv(4096).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("token", [None, "", "wrong-token-of-a-length", TOKEN[:-1], TOKEN + "x", "ü" * 20])
@pytest.mark.parametrize("path", ["/v1/stop", "/v1/ask/plan", "/metrics", "/openapi.json", "/v1/nothing"])
def test_no_route_but_health_without_the_token(server: Server, path: str, token: str | None) -> None:
    found, told = post(server, path, b"{}", token=None if token is None else token.encode().decode("latin-1"))
    assert (found, what(told)) == (401, "no or wrong token")
    assert TOKEN not in json.dumps(told)


def test_unknown_routes_and_methods(server: Server) -> None:
    assert post(server, "/v1/nothing", b"{}")[0] == 404
    assert post(server, "/v1/../etc/passwd", b"{}")[0] == 404
    assert post(server, "/v1/model", b"{}")[0] == 405


def test_too_many_requests() -> None:
    with served(desk()) as server:
        server.config.app._bucket = Bucket(rate=0.0, burst=1.0)  # type: ignore[union-attr]
        assert post(server, "/v1/go", b"{}")[0] == 200
        found, told = post(server, "/v1/go", b"{}")
        assert (found, what(told)) == (429, "requests come too often")
        # Whoever wants to stop a robot, or to know whether the server lives, gets through.
        assert post(server, "/v1/stop", b"{}")[0] == 200
        assert Remote(server.url, TOKEN).ready()


def begin(**changed: object) -> bytes:
    """A begin message with some fields changed."""
    whole = to_json(Begin(seq=1, goal=document(goal(40, 40)), observation=at(10, 10)), binary=True)
    assert isinstance(whole, dict)
    return to_msgpack(whole | changed)


def array(values: np.ndarray, **changed: object) -> dict[str, object]:
    found = to_json(values, binary=True)
    assert isinstance(found, dict)
    return found | changed


PLACE = np.zeros(2, np.float32)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (begin(observation={"state": array(PLACE, shape=[2**31])}), "does not hold what its shape says"),
        (begin(observation={"state": array(PLACE, dtype="object")}), "no usable array"),
        (begin(observation={"state": array(np.float32([np.nan, 0]))}), "is not finite"),
        (begin(observation={"state": array(np.zeros(3, np.float32))}), "another shape"),
        (begin(observation={"state": array(np.zeros(2, np.int64))}), "another dtype"),
        (begin(observation={"other": array(PLACE)}), "does not hold the sensors"),
        (begin(observation={}), "does not hold the sensors"),
        (begin(observation=None), "no table of names"),
        (begin(seq="1"), "wrong type"),
        (begin(deadline_seconds=float("nan")), "deadline is out of range"),
        (begin(deadline_seconds=1e9), "deadline is out of range"),
        (begin(age_seconds=-1.0), "is no age"),
        (begin(goal={"type": "GoalFile", "path": "/etc/passwd"}), "of an unknown type"),
        (begin(goal={"type": "GoalPicture", "sensors": "http://127.0.0.1/goal.png"}), "no table of names"),
        (begin(goal={"type": "GoalPicture", "sensors": {"state": "/etc/passwd"}}), "is no array"),
        (begin(goal={"type": "GoalFrame", "episode": 0, "frame": 0}), "only pictures can be goals here"),
        (begin(type="Nothing"), "no known type"),
        (b"\x93", "no msgpack document"),
        (b"", "no msgpack document"),
    ],
)
def test_messages(server: Server, body: bytes, says: str) -> None:
    with line(server) as held:
        greeted(held)
        held.send(body)
        refused = hear(held)
        assert isinstance(refused, Refused)
        assert says in refused.what
        assert 400 <= refused.status < 500
        # The session goes on.
        say(held, Begin(seq=2, goal=document(goal(40, 40)), observation=at(10, 10)))
        assert hear(held).seq == 2  # type: ignore[union-attr]


def test_text_and_strangers_are_refused(server: Server) -> None:
    with line(server) as held:
        held.send("hello")
        assert "binary" in hear(held).what  # type: ignore[union-attr]
    with line(server) as held:
        held.send(begin())
        assert "no beginning of a session" in hear(held).what  # type: ignore[union-attr]


def test_messages_that_come_too_often_but_stop() -> None:
    with served(desk()) as server, line(server) as held:
        greeted(held)
        (session,) = server.desk.sessions._held.values()
        session.rate = Bucket(rate=0.0)
        held.send(begin())
        refused = hear(held)
        assert isinstance(refused, Refused)
        assert (refused.status, refused.what) == (429, "messages come too often")
        held.send(to_msgpack({"type": "Stop", "whatever": "else"}))
        assert "stopped by its client" in hear(held).reason  # type: ignore[union-attr]


def test_the_token_is_shown_nowhere(
    server: Server, caplog: pytest.LogCaptureFixture, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.DEBUG, "monde"), caplog.at_level(logging.INFO, "uvicorn"):
        post(server, "/v1/stop", b"{", token=TOKEN)
        with Session(server.url, TOKEN) as session:
            session.begin(goal(40, 40), at(10, 10))
    Remote(server.url, TOKEN).go()
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(server.desk.config)
    assert TOKEN not in repr(Remote(server.url, TOKEN))


def test_tokens_are_found_or_asked_for(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    monkeypatch.delenv("MONDE_TOKEN", raising=False)
    with pytest.raises(UsageError, match="needs a token"):
        find_token(None)
    monkeypatch.setenv("MONDE_TOKEN", TOKEN)
    assert find_token(None) == TOKEN
    file = Path(str(tmp_path)) / "token"
    file.write_text(f"{TOKEN}2\n", encoding="utf-8")
    assert find_token(file) == f"{TOKEN}2"
    with pytest.raises(UsageError, match="unusable"):
        ServeConfig(token="short")


def test_counts_are_for_prometheus(server: Server) -> None:
    place = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
    connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    text = connection.getresponse().read().decode()
    connection.close()
    assert 'monde_requests_total{route="/v1/stop",status="413"}' in text
    assert "monde_answer_seconds_bucket" in text
    assert 'monde_answers_total{kind="plan"}' in text


def test_the_schema_names_all_routes(server: Server) -> None:
    place = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
    connection.request("GET", "/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"})
    schema = json.loads(connection.getresponse().read())
    connection.close()
    assert {"/v1/stop", "/v1/go", "/v1/model", "/v1/ask/compare", "/v1/ask/explain"} <= set(schema["paths"])
    asked = schema["paths"]["/v1/ask/compare"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert asked["required"] == ["belief", "courses", "goal"]
    assert schema["security"] == [{"token": []}]
    assert schema["paths"]["/health/live"]["get"]["security"] == []


def test_answers_are_packed_where_that_is_asked(server: Server) -> None:
    place = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
    connection.request("GET", "/v1/model", headers={"Authorization": f"Bearer {TOKEN}", "Accept": MSGPACK})
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == MSGPACK
    packed = from_msgpack(answer.read())
    connection.close()
    assert packed == Remote(server.url, TOKEN).model()
