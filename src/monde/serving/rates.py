"""How often something may happen."""

import time


class Bucket:
    """A token bucket.

    Args:
        rate: Times a second.
        burst: Times at once; none for a second's worth.
    """

    def __init__(self, rate: float, burst: float | None = None) -> None:
        self.rate, self.burst = rate, rate if burst is None else burst
        self._left, self._at = self.burst, time.monotonic()

    def take(self) -> bool:
        """Whether it may happen now; if so, it is counted."""
        now = time.monotonic()
        self._left = min(self.burst, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
