"""How a run is served."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from monde.errors import UsageError
from monde.limits import (
    MAX_CONTROL_SESSIONS,
    MAX_DEADLINE_SECONDS,
    MAX_TOKEN_CHARACTERS,
    MIN_DEADLINE_SECONDS,
    MIN_TOKEN_CHARACTERS,
)

TOKEN = "MONDE_TOKEN"
"""The environment variable that holds the token."""


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """How a run is served.

    Args:
        token: Asked for on every route but health. It is never shown.
        host: Where to listen; this machine only, unless told otherwise.
        port: Likewise; 0 takes a free one.
        deadline_seconds: Time for one answer of a control session where its client does not say; none for the
            duration of one control step. A later answer is the safe action.
        stale_seconds: Age from which on an observation is not acted on; none for the duration of one block.
        sessions: Robots served at once.
        safe: A control step to answer with when there is no plan, in the world's units; none for `ActionSpec.rest`.
        abstain: Whether to answer with the safe action where the goal cannot be reached, as trust tells.
        seed: Of the planner's noise.
        certificate: File of a TLS certificate, or none for plain HTTP.
        key: File of its key.

    Raises:
        UsageError: A setting out of range.
    """

    token: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8420
    deadline_seconds: float | None = None
    stale_seconds: float | None = None
    sessions: int = 16
    safe: tuple[float, ...] | None = None
    abstain: bool = False
    seed: int = 0
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if not MIN_TOKEN_CHARACTERS <= len(self.token) <= MAX_TOKEN_CHARACTERS or not self.token.isascii():
            raise UsageError(
                "the token is unusable",
                got=f"{len(self.token)} characters",
                expected=f"{MIN_TOKEN_CHARACTERS} to {MAX_TOKEN_CHARACTERS} ASCII characters",
                remedy=MAKE_ONE,
            )
        if not 1 <= self.sessions <= MAX_CONTROL_SESSIONS:
            raise UsageError("--sessions is out of range", got=self.sessions, expected=f"1 to {MAX_CONTROL_SESSIONS}")
        if not 0 <= self.port <= 65535:
            raise UsageError("--port is out of range", got=self.port, expected="0 to 65535")
        for name, seconds in (("--deadline", self.deadline_seconds), ("--stale", self.stale_seconds)):
            if seconds is not None and not MIN_DEADLINE_SECONDS <= seconds <= MAX_DEADLINE_SECONDS:
                expected = f"{MIN_DEADLINE_SECONDS:g} to {MAX_DEADLINE_SECONDS:g} s"
                raise UsageError(f"{name} is out of range", got=seconds, expected=expected)
        if (self.certificate is None) != (self.key is None):
            raise UsageError("TLS needs both a certificate and its key", remedy="give --certificate and --key")


MAKE_ONE = "make one: python -c 'import secrets; print(secrets.token_urlsafe(32))' > token; then --token-file token"


def find_token(file: Path | None) -> str:
    """The token from a file, or else from the environment.

    Raises:
        UsageError: Neither, or a file that cannot be read.
    """
    if file is not None:
        try:
            with file.open("rb") as opened:
                return opened.read(MAX_TOKEN_CHARACTERS + 2).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"the token in {file} cannot be read", got=type(error).__name__, remedy=MAKE_ONE
            ) from error
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise UsageError(
            "a server needs a token",
            got=f"no --token-file, and {TOKEN} is not set",
            remedy=MAKE_ONE,
        )
    return token
