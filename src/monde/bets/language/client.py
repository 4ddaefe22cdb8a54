"""Chat completions of any OpenAI-compatible server, over httpx: streamed, retried, bounded, its key never told."""

import json
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monde.bets.language.prompting import Message
from monde.bets.types import Failure
from monde.errors import UsageError
from monde.limits import MAX_BETS_REPLY_CHARACTERS

if TYPE_CHECKING:
    import httpx

RETRIED = (408, 409, 429, 500, 502, 503, 504)
MAX_TOKEN_CHARACTERS = 32
"""Characters of one token, at most."""

MAX_WAIT_SECONDS = 20.0
"""Longest pause before a request is tried again, whatever the server asks for."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A server and a model on it.

    Args:
        url: Base URL, up to and with "/v1".
        model: Its name there.
        key_variable: Environment variable that holds the key; empty for servers that want none. The key itself is never
            kept, written or told.
        timeout_seconds: Of one request, from its beginning to its end.
        retries: Further tries after 408, 409, 429 and 5xx.
        per_minute: Most requests a minute.
        max_tokens: Most tokens of a reply.
        usd_per_million_in: Price of a million tokens read.
        usd_per_million_out: Price of a million tokens written.

    Raises:
        UsageError: No http or https URL, or numbers out of limits.
    """

    url: str
    model: str
    key_variable: str = "OPENAI_API_KEY"
    timeout_seconds: float = 60.0
    retries: int = 4
    per_minute: float = 600.0
    max_tokens: int = 1024
    usd_per_million_in: float = 0.0
    usd_per_million_out: float = 0.0

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")) or "@" in self.url:
            raise UsageError(
                "this is no URL of a server",
                got=self.url.rpartition("@")[2],
                expected="http://… or https://…, without a user or a key in it",
            )
        limits = (0 < self.timeout_seconds <= 3600, 0 <= self.retries <= 10, self.per_minute > 0)
        if not all(limits) or not 1 <= self.max_tokens <= 100_000 or self.least_price < 0:
            raise UsageError("an endpoint's numbers are out of limits", got=self, remedy="see its documentation")

    @property
    def least_price(self) -> float:
        """The lower of the two prices."""
        return min(self.usd_per_million_in, self.usd_per_million_out)

    def price(self, tokens_in: int, tokens_out: int) -> float:
        """US dollars."""
        return (tokens_in * self.usd_per_million_in + tokens_out * self.usd_per_million_out) / 1e6


@dataclass(frozen=True, kw_only=True)
class Call:
    """One use of a tool that a reply asks for."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back, or a failure; tokens as the server counted them, else bounded by characters."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    failure: Failure | None = None
    note: str = ""


@dataclass
class _Heard:
    """What a stream has told so far."""

    text: list[str] = field(default_factory=list)
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    usage: Mapping[str, object] = field(default_factory=dict)
    finish: str = ""
    refusal: str = ""
    characters: int = 0
    cut: bool = False


class Chat:
    """Asks an endpoint.

    Args:
        endpoint: Whom.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._next_at = 0.0

    def complete(self, messages: Sequence[Message], tools: Sequence[Mapping[str, object]] = ()) -> Reply:
        """One reply, streamed. Timeouts, refusals and servers that stay busy are failures in it.

        Raises:
            UsageError: No key, a key that is refused, a model or an address that does not exist, a connection that is
                refused or not trusted: what no other question would mend.
        """
        try:
            import httpx
        except ImportError as error:
            raise UsageError("asking a server needs httpx", remedy='pip install "monde[language]"') from error
        headers = self._headers()
        body = self._body(messages, tools)
        bound = prompt_bound(messages)
        busy = ""
        for attempt in range(self.endpoint.retries + 1):
            self._pace()
            try:
                with httpx.Client(timeout=self.endpoint.timeout_seconds) as client:
                    found = self._once(client, headers, body, bound)
            except httpx.ConnectTimeout as error:
                raise self._unreachable(error) from None
            except httpx.TimeoutException:
                # It may have been counted: what it could have cost is taken as spent.
                most = self.endpoint.max_tokens
                return Reply(failure="timeout", tokens_in=bound, tokens_out=most, note="no reply in time")
            except (httpx.ConnectError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                if attempt == self.endpoint.retries:
                    raise self._unreachable(error) from None
                self._rest(attempt, None)
                continue
            except (httpx.TransportError, httpx.StreamError) as error:
                note = f"the connection was lost: {type(error).__name__}"
                return Reply(failure="error", tokens_in=bound, tokens_out=self.endpoint.max_tokens, note=note)
            if isinstance(found, Reply):
                return found
            busy, wait = found
            self._rest(attempt, wait)
        return Reply(failure="error", note=f"still {busy} after {self.endpoint.retries} retries")

    def _once(
        self, client: "httpx.Client", headers: Mapping[str, str], body: Mapping[str, object], bound: int
    ) -> Reply | tuple[str, float | None]:
        """A reply, or why and how long to wait."""
        address = self.endpoint.url.rstrip("/") + "/chat/completions"
        deadline = time.monotonic() + self.endpoint.timeout_seconds
        with client.stream("POST", address, headers=dict(headers), json=body) as response:
            status = response.status_code
            if status in RETRIED:
                return f"answered by {status}", _seconds(response.headers.get("retry-after"))
            if status in (401, 403, 404):
                raise self._refusal(status)
            if status != 200:
                return Reply(failure="error", note=f"answered by status {status}")
            heard = _Heard()
            if "text/event-stream" in response.headers.get("content-type", ""):
                for event in _events(response.iter_lines()):
                    # Lines that hold no event count too: some servers send them to keep a connection open.
                    if event is not None:
                        _hear(heard, event, "delta")
                    if heard.characters > self._longest or time.monotonic() > deadline:
                        heard.cut = True
                        break
            else:
                whole = _whole(response.iter_bytes(), deadline)
                heard.cut = whole is None
                _hear(heard, whole or {}, "message")
        if time.monotonic() > deadline and heard.cut:
            most = self.endpoint.max_tokens
            return Reply(failure="timeout", tokens_in=bound, tokens_out=most, note="no end of the reply in time")
        return _reply(heard, bound, self.endpoint.max_tokens)

    @property
    def _longest(self) -> int:
        """Characters after which a server has not kept to `max_tokens`, and is not listened to any longer."""
        return min(MAX_BETS_REPLY_CHARACTERS, MAX_TOKEN_CHARACTERS * self.endpoint.max_tokens)

    def _headers(self) -> dict[str, str]:
        if not self.endpoint.key_variable:
            return {}
        key = os.environ.get(self.endpoint.key_variable, "")
        if not key.strip() or not key.isascii() or any(ord(character) < 32 for character in key.strip()):
            raise UsageError(
                f"there is no usable key in {self.endpoint.key_variable}",
                remedy=f"export {self.endpoint.key_variable}=…, or give no variable if the server wants no key",
            )
        return {"Authorization": f"Bearer {key.strip()}"}

    def _body(self, messages: Sequence[Message], tools: Sequence[Mapping[str, object]]) -> dict[str, object]:
        body: dict[str, object] = {
            "model": self.endpoint.model,
            "messages": list(messages),
            "temperature": 0,
            "max_tokens": self.endpoint.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return {**body, "tools": list(tools)} if tools else body

    def _pace(self) -> None:
        now = time.monotonic()
        if now < self._next_at:
            time.sleep(self._next_at - now)
        self._next_at = max(now, self._next_at) + 60 / self.endpoint.per_minute

    def _rest(self, attempt: int, asked: float | None) -> None:
        if attempt < self.endpoint.retries:
            wait = 0.25 * 2**attempt * random.uniform(0.8, 1.2) if asked is None else asked
            time.sleep(min(wait, MAX_WAIT_SECONDS))

    def _refusal(self, status: int) -> UsageError:
        why = "there is no such model or address" if status == 404 else "the key was refused"
        return UsageError(
            f"{self.endpoint.url} answered by {status}: {why}",
            got=f"model {self.endpoint.model!r}, key from {self.endpoint.key_variable or 'nowhere'}",
            remedy="check the URL (it ends with /v1), the model's name and the key",
        )

    def _unreachable(self, error: Exception) -> UsageError:
        trusted = "CERTIFICATE" not in str(error).upper() and "SSL" not in str(error).upper()
        return UsageError(
            f"{self.endpoint.url} cannot be reached" if trusted else f"{self.endpoint.url} is not to be trusted",
            got=f"{type(error).__name__}" if trusted else "its certificate does not hold, or it speaks no TLS",
            remedy="see that the server runs; answers up to now are kept, and the same command goes on",
        )


def prompt_bound(messages: Sequence[Message]) -> int:
    """A bound of the tokens of a prompt: no tokenizer makes more tokens than there are bytes; pictures count 2,000."""
    total = 16
    for message in messages:
        content = message.get("content")
        total += 16 + len(json.dumps(message.get("tool_calls", "")).encode())
        for part in content if isinstance(content, list) else [content]:
            if isinstance(part, Mapping):
                total += 2000 if part.get("type") == "image_url" else len(str(part.get("text", "")).encode())
            else:
                total += len(str(part).encode())
    return total


def _events(lines: Iterator[str]) -> Iterator[Mapping[str, object] | None]:
    """The events of a stream, and none for each line that holds none."""
    for line in lines:
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if data == "[DONE]":
            return
        try:
            event = json.loads(data) if data else None
        except json.JSONDecodeError:
            event = None
        yield event if isinstance(event, dict) else None


def _whole(parts: Iterator[bytes], deadline: float) -> Mapping[str, object] | None:
    """What was sent, or none where it had not ended in time."""
    data = b""
    for part in parts:
        if time.monotonic() > deadline:
            return None
        data += part
        if len(data) > 4 * MAX_BETS_REPLY_CHARACTERS:
            return {}
    try:
        told = json.loads(data)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return told if isinstance(told, dict) else {}


def _hear(heard: _Heard, event: Mapping[str, object], part: str) -> None:
    usage, choices = event.get("usage"), event.get("choices")
    if isinstance(usage, Mapping):
        heard.usage = usage
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, Mapping):
        return
    heard.finish = str(choice.get("finish_reason") or heard.finish)
    delta = choice.get(part)
    if not isinstance(delta, Mapping):
        return
    heard.refusal += str(delta.get("refusal") or "")
    content = delta.get("content")
    if isinstance(content, str):
        heard.text.append(content)
        heard.characters += len(content)
    calls = delta.get("tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else []):
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping):
            continue
        place = call.get("index")
        known = heard.calls.setdefault(
            place if isinstance(place, int) else index, {"id": "", "name": "", "arguments": ""}
        )
        known["id"] += str(call.get("id") or "")
        known["name"] += str(function.get("name") or "")
        known["arguments"] += str(function.get("arguments") or "")
        heard.characters += len(str(function.get("arguments") or ""))


def _reply(heard: _Heard, bound: int, max_tokens: int) -> Reply:
    text = "".join(heard.text)[:MAX_BETS_REPLY_CHARACTERS]
    counted_in, counted_out = heard.usage.get("prompt_tokens"), heard.usage.get("completion_tokens")
    counted = isinstance(counted_in, int) and isinstance(counted_out, int) and min(counted_in, counted_out) >= 0
    notes = [] if counted else ["tokens were not counted by the server: bounded by bytes"]
    if heard.cut:
        notes.append("the reply was cut off")
    refused = bool(heard.refusal) or heard.finish == "content_filter"
    return Reply(
        text=text or heard.refusal,
        calls=tuple(Call(**call) for _, call in sorted(heard.calls.items())),
        tokens_in=counted_in if isinstance(counted_in, int) and counted else bound,
        tokens_out=counted_out if isinstance(counted_out, int) and counted else min(len(text.encode()), max_tokens),
        failure="refused" if refused else None,
        note="; ".join(notes),
    )


def _seconds(header: str | None) -> float | None:
    try:
        return None if header is None else max(0.0, float(header))
    except ValueError:
        return None
