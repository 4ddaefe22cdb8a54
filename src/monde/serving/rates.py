"""How often something may happen."""

import time


class Bucket:
    """A token bucket: `rate` a second, at most a second's worth at once.

    Args:
        rate: Times a second.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._left, self._at = rate, time.monotonic()

    def take(self) -> bool:
        """Whether it may happen now; if so, it is counted."""
        now = time.monotonic()
        self._left = min(self.rate, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
