"""Writes that happen whole or not at all: temporary name beside the target, fsync, rename last."""

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from monde.errors import StoreError
from monde.limits import FREE_DISK_MARGIN_BYTES

_TEMPORARY_PREFIX = ".incomplete-"


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file that appears under `path` complete when the block ends, or not at all.

    Raises:
        StoreError: The disk is full or read-only, or the folder cannot be written to; whatever stood at `path` stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_TEMPORARY_PREFIX, dir=path.parent)
    except OSError as error:
        raise disk_error(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise disk_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """As `atomic_file`, for libraries that write to a path themselves: a temporary name with the same ending.

    Raises:
        StoreError: The disk is full or read-only, or the folder cannot be written to; whatever stood at `path` stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_TEMPORARY_PREFIX, suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise disk_error(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise disk_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A folder to write into that appears under `path` complete when the block ends, or not at all.

    Raises:
        StoreError: `path` exists already, or the disk is full or read-only.
    """
    if path.exists():
        raise StoreError(f"{path} exists already", remedy="choose another name, or remove it first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=_TEMPORARY_PREFIX, dir=path.parent))
    except OSError as error:
        raise disk_error(path, error) from error
    try:
        yield temporary
        for file in sorted(temporary.rglob("*")):
            if file.is_file():
                with file.open("rb") as handle:
                    os.fsync(handle.fileno())
        sync_folder(temporary)
        temporary.chmod(0o755)
        temporary.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise disk_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_file(path) as file:
        file.write(data)


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """Write a JSON object to `path` atomically, indented and with a final newline."""
    write_bytes(path, (json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode())


def require_room(folder: Path, wanted_bytes: int, what: str) -> None:
    """Refuse to start writing what the disk cannot hold.

    Raises:
        StoreError: Fewer than `wanted_bytes` plus a margin are free where `folder` is.
    """
    existing = folder
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < wanted_bytes + FREE_DISK_MARGIN_BYTES:
        raise StoreError(
            f"there is no room for {what} in {folder}",
            got=f"{free / 2**20:.0f} MiB free",
            expected=f"{(wanted_bytes + FREE_DISK_MARGIN_BYTES) / 2**20:.0f} MiB",
            remedy="free some space, or put it on another disk",
        )


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def disk_error(path: Path, error: OSError) -> StoreError:
    """The StoreError that tells what an OSError while writing `path` means to the user."""
    remedies = {
        errno.ENOSPC: "free some space on this disk; nothing that was there before is lost",
        errno.EDQUOT: "free some of your quota; nothing that was there before is lost",
        errno.EROFS: "choose a folder on a disk that can be written to",
        errno.EACCES: "choose a folder that you may write to",
        errno.EPERM: "choose a folder that you may write to",
    }
    return StoreError(f"{path} could not be written", got=error.strerror, remedy=remedies.get(error.errno or 0))
