"""Messages travel as they are; documents are bounded before anything is made of them."""

import json
import subprocess
import sys

import msgpack
import numpy as np
import pytest

from monde.errors import ServingError
from monde.limits import MAX_DOCUMENT_DEPTH, MAX_DOCUMENT_ITEMS
from monde.wire import (
    Act,
    Begin,
    Closing,
    Hello,
    Message,
    Observe,
    Refused,
    Stop,
    Stopped,
    Welcome,
    decode,
    encode,
    from_json,
    from_msgpack,
)

SAFE = np.float32([0, 0.5])
BLOCK = np.float32([[0, 1], [1, 0]])
SEEN = {"top": np.arange(12, dtype=np.uint8).reshape(3, 2, 2), "state": np.float32([1, 2])}


def same(first: object, second: object) -> bool:
    if isinstance(first, np.ndarray):
        return isinstance(second, np.ndarray) and first.dtype == second.dtype and bool((first == second).all())
    if isinstance(first, dict) and isinstance(second, dict):
        return set(first) == set(second) and all(same(first[key], second[key]) for key in first)
    return bool(first == second)


@pytest.mark.parametrize(
    "message",
    [
        Hello(),
        Hello(session="a"),
        Welcome(
            session="a",
            resumed=False,
            sensors=({"name": "top"},),
            actions={},
            safe=SAFE,
            model="m",
            deadline_seconds=1.0,
        ),
        Begin(seq=1, goal={"type": "GoalFrame", "episode": 0, "frame": 3}, observation=SEEN, deadline_seconds=0.1),
        Observe(seq=2, observation=SEEN, taken=BLOCK, age_seconds=0.01),
        Act(seq=2, controls=BLOCK, probability=0.5, warning="far", resized=("top",), seconds=0.01),
        Act(seq=3, controls=BLOCK, safe=True, reason="late", restarted=True),
        Stop(),
        Stopped(safe=SAFE, reason="an operator"),
        Refused(seq=None, status=503, what="busy", remedy="wait"),
        Closing(safe=SAFE),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages_come_back(message: Message) -> None:
    back = decode(encode(message))
    assert type(back) is type(message)
    assert all(same(value, vars(back)[name]) for name, value in vars(message).items())


def test_a_refusal_is_the_error_that_was_raised() -> None:
    error = ServingError("too often", status=429, got="9", expected="3", remedy="wait")
    back = decode(encode(Refused.of(error, 7)))
    assert isinstance(back, Refused)
    assert (back.seq, str(back.error), back.error.status) == (7, str(error), 429)


def nested(depth: int) -> object:
    return [nested(depth - 1)] if depth else 1


@pytest.mark.parametrize(
    ("pack", "unpack"), [(lambda value: json.dumps(value).encode(), from_json), (msgpack.packb, from_msgpack)]
)
def test_bounds_are_where_they_are_said_to_be(pack, unpack) -> None:  # type: ignore[no-untyped-def]
    assert unpack(pack(nested(MAX_DOCUMENT_DEPTH))) == nested(MAX_DOCUMENT_DEPTH)
    with pytest.raises(ServingError, match="too deeply"):
        unpack(pack(nested(MAX_DOCUMENT_DEPTH + 1)))
    few = [0] * (MAX_DOCUMENT_ITEMS - 2)
    assert unpack(pack(few)) == few
    with pytest.raises(ServingError) as error:
        unpack(pack([0] * (MAX_DOCUMENT_ITEMS + 2)))
    assert error.value.status in (400, 413)


@pytest.mark.parametrize("body", [b'{"a": "]]]]}}}}"}', b'{"a": "\\"[[[[\\\\"}', '{"ü": "é[{"}'.encode()])
def test_what_is_in_strings_is_no_structure(body: bytes) -> None:
    assert isinstance(from_json(body), dict)


@pytest.mark.parametrize(
    "body", [b'"' * 999_999, b'"\\' * 500_000, b'{"a":"' + b'\\"' * 500_000, b'["' + b"\\" * 999_999]
)
def test_unfinished_strings_are_read_once(body: bytes) -> None:
    """Looked at again from every quote, a million of them would take hours; the test's own time limit would tell."""
    with pytest.raises(ServingError, match="no JSON"):
        from_json(body)


@pytest.mark.parametrize("body", [b"", b"nul", b"\xff\xfe", b"{'a': 1}", b'{"a": Infinity}', b"[1,]"])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(ServingError) as error:
        from_json(body)
    assert error.value.status == 400


def test_it_needs_no_torch() -> None:
    code = "import sys, monde.wire; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
