"""`McapFile`: where every message of an MCAP file lies, found by walking over its records; and the messages themselves.

Chunks are not decompressed for it: the message index behind each says what is in it. A file that breaks off (a robot
lost power) is read up to the break.
"""

import mmap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from monde.data.mcap.chunks import (
    CHANNEL,
    CHUNK,
    DATA_END,
    FOOTER,
    HEAD,
    MESSAGE,
    MESSAGE_HEAD,
    MESSAGE_INDEX,
    METADATA,
    SCHEMA,
    Chunk,
    records_of,
)
from monde.data.mcap.library import needed, read_channel, read_metadata, read_schema
from monde.errors import DataError
from monde.limits import MAX_MCAP_RECORD_BYTES

if TYPE_CHECKING:
    from mcap.records import Channel, Schema

MAGIC = b"\x89MCAP0\r\n"
LOOSE = -1
"""Number of the chunk of messages that lie in none."""


@dataclass(frozen=True)
class Places:
    """Where the messages of a channel lie, in the order of the file.

    Args:
        times_ns: [N] log times.
        chunks: [N] number of the chunk that each lies in, or `LOOSE`.
        offsets: [N] where its record begins: in the decompressed chunk, or in the file.
    """

    times_ns: Int64[np.ndarray, " N"]
    chunks: Int64[np.ndarray, " N"]
    offsets: Int64[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.times_ns)


class McapFile:
    """One MCAP file: its channels, and where their messages lie.

    Args:
        path: The file; it is walked over once.

    Raises:
        DataError: No MCAP file, or damaged otherwise than by breaking off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.channels: dict[int, Channel] = {}
        self.schemas: dict[int, Schema] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self.broken: str | None = None
        """Where the file breaks off, in words; none for a whole one."""
        self._chunks: list[Chunk] = []
        self._found: dict[int, list[np.ndarray]] = {}
        self._held: tuple[int, memoryview] | None = None
        with needed(path), self._mapped() as data:
            self._walk(data)
            self._name_channels(data)
        self.places: Mapping[int, Places] = {
            channel: Places(*np.ascontiguousarray(np.concatenate(parts).T)) for channel, parts in self._found.items()
        }
        self._found = {}

    def payloads(
        self, channels: Sequence[int], index: Sequence[Int64[np.ndarray, " _"]]
    ) -> Iterator[tuple[int, int, bytes]]:
        """Messages of several channels, in the order of the file, so that no chunk is decompressed twice.

        Args:
            channels: Of which channels.
            index: For each of them, which messages by number.

        Yields:
            Position in `channels`, position in its `index`, and the message's bytes.

        Raises:
            DataError: They are damaged.
        """
        rows = [
            np.stack(
                [self.places[c].chunks[i], self.places[c].offsets[i], np.full(len(i), n), np.arange(len(i))], axis=1
            )
            for n, (c, i) in enumerate(zip(channels, index, strict=True))
            if len(i)
        ]
        if not rows:
            return
        wanted = np.concatenate(rows)
        with self._mapped() as data:
            for chunk, offset, channel, position in wanted[np.lexsort((wanted[:, 1], wanted[:, 0]))].tolist():
                content = data if chunk == LOOSE else self._records(data, chunk)
                yield channel, position, self._payload(content, offset)

    def _payload(self, content: memoryview, offset: int) -> bytes:
        start = offset + HEAD.size
        code, length = HEAD.unpack_from(content, offset) if start <= len(content) else (0, 0)
        if code != MESSAGE or length < MESSAGE_HEAD.size or start + length > len(content):
            raise DataError(f"{self.path} is damaged: there is no message at {offset}", got=f"record {code}")
        return bytes(content[start + MESSAGE_HEAD.size : start + length])

    def _records(self, data: memoryview, chunk: int) -> memoryview:
        """A chunk's records; the last one decompressed is kept."""
        held = self._held
        if held is not None and held[0] == chunk:
            return held[1]
        found = self._chunks[chunk]
        content = found.records(self.path, data)
        if found.compression:
            self._held = (chunk, content)
        return content

    @contextmanager
    def _mapped(self) -> Iterator[memoryview]:
        with self.path.open("rb") as file:
            if self.path.stat().st_size < len(MAGIC):
                raise DataError(f"{self.path} is no MCAP file", got=f"{self.path.stat().st_size} bytes")
            # Not closed here: the views of it that are still held would forbid it. It goes with the last of them.
            yield memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def _walk(self, data: memoryview) -> None:
        if data[: len(MAGIC)] != MAGIC:
            raise DataError(
                f"{self.path} is no MCAP file",
                got=bytes(data[: len(MAGIC)]),
                expected=MAGIC,
                remedy="give another file",
            )
        position, indexed = len(MAGIC), True
        while True:
            start = position + HEAD.size
            code, length = HEAD.unpack_from(data, position) if start <= len(data) else (0, 0)
            if start > len(data) or start + length > len(data):
                self.broken = f"breaks off at byte {position:,} of {len(data):,}"
                break
            if length > MAX_MCAP_RECORD_BYTES or code == 0:
                self.broken = f"is damaged from byte {position:,} of {len(data):,} on"
                break
            if code in {CHUNK, DATA_END, FOOTER} and not indexed:
                self._index(data, len(self._chunks) - 1)
                indexed = True
            indexed = indexed or code == MESSAGE_INDEX
            if code == FOOTER:
                return
            if code == CHUNK:
                self._chunks.append(Chunk.at(self.path, data, start, length))
                indexed = self._chunks[-1].size == 0
            else:
                self._record(code, data, start, length)
            position = start + length
        if self._chunks:
            # Some of the indices behind the last chunk may be missing.
            self._index(data, len(self._chunks) - 1)

    def _record(self, code: int, data: memoryview, start: int, length: int) -> None:
        """What a record outside of chunks tells."""
        if code == MESSAGE_INDEX and length >= 6 and self._chunks:
            channel = int.from_bytes(data[start : start + 2], "little")
            entries = np.frombuffer(data[start + 6 : start + 6 + (length - 6) // 16 * 16], dtype="<i8").reshape(-1, 2)
            self._add(channel, len(self._chunks) - 1, entries)
        elif code == MESSAGE and length >= MESSAGE_HEAD.size:
            channel, _, time, _ = MESSAGE_HEAD.unpack_from(data, start)
            self._add(channel, LOOSE, np.array([[time, start - HEAD.size]], dtype=np.int64))
        elif code == METADATA:
            name, entries_by_name = read_metadata(bytes(data[start : start + length]))
            self.metadata[name] = entries_by_name
        else:
            self._declaration(code, bytes(data[start : start + length]) if code in {SCHEMA, CHANNEL} else b"")

    def _declaration(self, code: int, content: bytes) -> None:
        if code == SCHEMA:
            schema = read_schema(content)
            self.schemas[schema.id] = schema
        elif code == CHANNEL:
            channel = read_channel(content)
            self.channels[channel.id] = channel

    def _index(self, data: memoryview, chunk: int) -> None:
        """What is in a chunk whose index is not there, or may be incomplete."""
        content = self._chunks[chunk].records(self.path, data)
        found: dict[int, list[tuple[int, int]]] = {}
        for code, start, length in records_of(content):
            if code == MESSAGE and length >= MESSAGE_HEAD.size:
                channel, _, time, _ = MESSAGE_HEAD.unpack_from(content, start)
                found.setdefault(channel, []).append((time, start - HEAD.size))
            elif code in {SCHEMA, CHANNEL}:
                self._declaration(code, bytes(content[start : start + length]))
        for parts in self._found.values():
            parts[:] = [part for part in parts if part[0, 1] != chunk]
        self._found = {channel: parts for channel, parts in self._found.items() if parts}
        for channel, entries in found.items():
            self._add(channel, chunk, np.array(entries, dtype=np.int64))

    def _add(self, channel: int, chunk: int, entries: Int64[np.ndarray, "n 2"]) -> None:
        if len(entries):
            numbers = np.full(len(entries), chunk)
            self._found.setdefault(channel, []).append(np.stack([entries[:, 0], numbers, entries[:, 1]], axis=1))

    def _name_channels(self, data: memoryview) -> None:
        """Channels that only a chunk declares: the summary that would repeat them is not there."""
        for channel, parts in self._found.items():
            for chunk in [] if channel in self.channels else [int(part[0, 1]) for part in parts]:
                content = self._chunks[chunk].records(self.path, data)
                for code, start, length in records_of(content):
                    if code in {SCHEMA, CHANNEL}:
                        self._declaration(code, bytes(content[start : start + length]))
                if channel in self.channels:
                    break
