"""What a frame cache says of itself: `index.json`, and whether its files are still what was written."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from monde.errors import CacheError, MondeError, StoreError
from monde.store import read_json, sha256_file, write_json
from monde.store.typed import from_json, to_json
from monde.types import ActionSpec, Sensor

INDEX = "index.json"
SCHEMA = "monde.cache/1"


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """One array file: its size, its hash, and the time of its last change when that was checked."""

    name: str
    bytes: int
    sha256: str
    mtime_ns: int

    @classmethod
    def of(cls, path: Path, sha256: str) -> Self:
        """The entry of a file just written."""
        stat = path.stat()
        return cls(name=path.name, bytes=stat.st_size, sha256=sha256, mtime_ns=stat.st_mtime_ns)


@dataclass(frozen=True, kw_only=True)
class CacheIndex:
    """What a frame cache holds.

    Args:
        schema: Version of the layout.
        fingerprint: Of the recording it was made from.
        source: Where that recording was (for people; not compared).
        sensors: What is cached, cameras in their cached size.
        arrays: File of each sensor, by its place in `sensors`.
        actions: Action space of the recording, or none.
        frames: Frames of all episodes.
        episodes: Number of episodes.
        files: The array files.
    """

    schema: str = SCHEMA
    fingerprint: str
    source: str
    sensors: tuple[Sensor, ...]
    arrays: tuple[str, ...]
    actions: ActionSpec | None
    frames: int
    episodes: int
    files: tuple[FileEntry, ...]

    def write(self, folder: Path) -> None:
        """Write index.json."""
        document = to_json(self)
        if isinstance(document, Mapping):
            write_json(folder / INDEX, document)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read index.json.

        Raises:
            CacheError: Missing, malformed, or of another version.
        """
        try:
            index = from_json(cls, read_json(folder / INDEX), INDEX)
        except MondeError as error:
            raise CacheError(f"{folder / INDEX}: {error.what}", got=error.got, expected=error.expected) from error
        if index.schema != SCHEMA:
            raise CacheError(f"{folder} is a cache of another version", got=index.schema, expected=SCHEMA)
        return index

    def check_files(self, folder: Path, everything: bool) -> Self:
        """Whether the files are what was written: by size and time of change, and by hash where the time differs.

        Args:
            folder: Where they are.
            everything: Hash every file, whatever its time says.

        Returns:
            The index with the times brought up to date.

        Raises:
            CacheError: A file is missing or altered; it is named.
        """
        entries = []
        for entry in self.files:
            path = folder / entry.name
            try:
                stat = path.stat()
            except OSError as error:
                raise altered(path, "missing", f"{entry.bytes} bytes") from error
            if stat.st_size != entry.bytes:
                raise altered(path, f"{stat.st_size} bytes", f"{entry.bytes} bytes")
            if everything or stat.st_mtime_ns != entry.mtime_ns:
                found = sha256_file(path)
                if found != entry.sha256:
                    raise altered(path, f"SHA-256 {found[:12]}…", f"{entry.sha256[:12]}…")
            entries.append(replace(entry, mtime_ns=stat.st_mtime_ns))
        return replace(self, files=tuple(entries))


def altered(path: Path, got: str, expected: str) -> CacheError:
    """The error for a cache file that is not what was written."""
    return CacheError(
        f"cache file {path} is not what was written",
        got=got,
        expected=expected,
        remedy="remove the cache folder (it is made again from the recording), or open it with verify=True",
    )


def update_index(folder: Path, index: CacheIndex) -> None:
    """Keep the new times of files whose hashes were checked; a cache that cannot be written to stays as it is."""
    with contextlib.suppress(StoreError):
        index.write(folder)
