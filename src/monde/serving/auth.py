"""One token, compared in constant time, on every route but health."""

import hashlib
import hmac
from collections.abc import Sequence

from monde.errors import ServingError

OPEN = ("/health/live", "/health/ready")
"""Routes that ask for no token: they tell nothing but yes or no."""


class Token:
    """Knows the hash of the token, not the token.

    Args:
        token: It.
    """

    def __init__(self, token: str) -> None:
        self._digest = hashlib.sha256(token.encode()).digest()

    def check(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Refuse a request whose headers do not carry it.

        Raises:
            ServingError: No token, several, or a wrong one; never what was sent.
        """
        given = [value for name, value in headers if name.lower() == b"authorization"]
        scheme, _, token = given[0].partition(b" ") if len(given) == 1 else (b"", b"", b"")
        right = hmac.compare_digest(hashlib.sha256(token.strip()).digest(), self._digest)
        if scheme.lower() != b"bearer" or not right:
            raise ServingError(
                "no or wrong token",
                status=401,
                expected="the header Authorization: Bearer TOKEN",
                remedy="the token is in the file or the variable that the server was started with",
            )
