"""One writer at a time."""

import logging
import os
from pathlib import Path

from monde.errors import DataError

_LOG = logging.getLogger("monde.data")


class FolderLock:
    """An advisory lock on a folder; the system frees it when the process ends, however it ends.

    Args:
        folder: What is locked; made if it does not exist.
        wait: Wait until it is free instead of refusing.

    Raises:
        DataError: Another process holds it.
        OSError: The folder cannot be made or written to.
    """

    def __init__(self, folder: Path, wait: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._handle: int | None = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            import fcntl
        except ImportError:  # Windows has no flock; there the user must see to it.
            return
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if wait:
                _LOG.warning("waiting for another process to finish with %s", folder)
                fcntl.flock(self._handle, fcntl.LOCK_EX)
                return
            self.release()
            raise DataError(
                f"another process is writing into {folder.parent}", remedy="wait for it to end, or stop it"
            ) from error
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Let go of the folder; harmless when repeated."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
