"""Reading a request's body within limits of size, inflation and time; and writing answers in the format asked for."""

import asyncio
import zlib

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from monde.errors import ServingError
from monde.limits import MAX_BODY_BYTES, MAX_BODY_SECONDS
from monde.wire import from_json, from_msgpack, to_json, to_msgpack

JSON, MSGPACK = "application/json", "application/msgpack"

_WINDOWS = {"gzip": 31, "deflate": 15}
"""`zlib` window bits by content encoding."""


async def read_document(request: Request) -> object:
    """The document in a request's body: JSON or msgpack, plain, gzip or deflate.

    Raises:
        ServingError: 400 truncated or unreadable, 408 too slow, 413 too large, also when inflated, 415 another format.
    """
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind not in {JSON, MSGPACK}:
        raise ServingError("the body has an unknown format", status=415, got=kind[:60], expected=f"{JSON} or {MSGPACK}")
    body = await _read(request)
    if not body:
        return {}
    return await asyncio.to_thread(from_json if kind == JSON else from_msgpack, body)


def answer(request: Request, document: object, status: int = 200) -> Response:
    """A document in the format that the request accepts: msgpack where it says so, else JSON."""
    packed = MSGPACK in request.headers.get("accept", "").lower()
    content = to_msgpack(document) if packed else to_json(document)
    return Response(content, status, media_type=MSGPACK if packed else JSON)


async def _read(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise _too_large(f"{declared} bytes")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity" and encoding not in _WINDOWS:
        raise ServingError(
            "the body has an unknown encoding", status=415, got=encoding[:40], expected="gzip, deflate or none"
        )
    parts, size = [], 0
    try:
        async with asyncio.timeout(MAX_BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY_BYTES:
                    raise _too_large(f"more than {MAX_BODY_BYTES} bytes")
                parts.append(part)
    except TimeoutError as error:
        raise ServingError(
            "the body took too long to arrive", status=408, expected=f"at most {MAX_BODY_SECONDS:g} s"
        ) from error
    except ClientDisconnect as error:
        raise ServingError("the body ended before its end", status=400) from error
    body = b"".join(parts)
    return body if encoding == "identity" else await asyncio.to_thread(_inflated, body, _WINDOWS[encoding])


def _inflated(body: bytes, window: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        found = inflater.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise ServingError("the body cannot be decompressed", status=400, got=error) from error
    if len(found) > MAX_BODY_BYTES:
        raise _too_large("more, once decompressed")
    if not inflater.eof or inflater.unused_data:
        raise ServingError("the compressed body is not whole", status=400, got=f"{len(body)} bytes")
    return found


def _too_large(got: str) -> ServingError:
    return ServingError("the body is too large", status=413, got=got, expected=f"at most {MAX_BODY_BYTES} bytes")
