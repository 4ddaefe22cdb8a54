"""How much memory a process really takes: anonymous memory, which no file backs and the system cannot drop."""

import threading
from pathlib import Path
from typing import Self


def anonymous_bytes() -> int | None:
    """RssAnon of this process, or none where the system does not tell (it is Linux that does)."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("RssAnon:")]
    return kilobytes[0] * 1024 if kilobytes else None


class PeakMemory:
    """The largest anonymous memory seen while the block runs, sampled in the background."""

    def __init__(self, every_seconds: float = 0.2) -> None:
        self.peak_bytes = anonymous_bytes()
        self._every = every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            now = anonymous_bytes()
            if now is not None and self.peak_bytes is not None:
                self.peak_bytes = max(self.peak_bytes, now)
