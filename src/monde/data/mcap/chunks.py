"""Chunks of an MCAP file (specification 0, mcap.dev/spec): where one lies, what is in it, its records."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monde.errors import DataError
from monde.limits import MAX_MCAP_RECORD_BYTES

SCHEMA, CHANNEL, MESSAGE, CHUNK, MESSAGE_INDEX, METADATA, DATA_END, FOOTER = 3, 4, 5, 6, 7, 12, 15, 2
HEAD = struct.Struct("<BQ")
"""Opcode and length of every record."""
MESSAGE_HEAD = struct.Struct("<HIQQ")
"""Channel, sequence number, log time and publish time of a message."""
_CHUNK_HEAD = struct.Struct("<QQQII")
_REMEDY = "copy the file again from where it came, or recover it with the mcap command line tool (mcap recover)"


@dataclass(frozen=True)
class Chunk:
    """A chunk: a stretch of records, compressed or not.

    Args:
        start: Offset of its records in the file.
        length: Bytes there.
        size: Bytes when decompressed.
        crc: CRC-32 of them, or 0.
        compression: "", "lz4" or "zstd".
    """

    start: int
    length: int
    size: int
    crc: int
    compression: str

    @classmethod
    def at(cls, path: Path, data: memoryview, start: int, length: int) -> "Chunk":
        """The chunk record whose content lies at `start`.

        Raises:
            DataError: It contradicts itself, or is too large.
        """
        if length < _CHUNK_HEAD.size + 8:
            raise DataError(f"{path} holds a chunk of {length} bytes at {start}", remedy=_REMEDY)
        _, _, size, crc, letters = _CHUNK_HEAD.unpack_from(data, start)
        begin = start + _CHUNK_HEAD.size + letters
        inside = length - _CHUNK_HEAD.size - letters - 8
        if inside < 0 or letters > 16 or size > MAX_MCAP_RECORD_BYTES:
            raise DataError(
                f"{path} holds a chunk at {start} that cannot be",
                got=f"{size} bytes",
                expected=f"up to {MAX_MCAP_RECORD_BYTES}",
                remedy=_REMEDY,
            )
        (held,) = struct.unpack_from("<Q", data, begin)
        compression = bytes(data[start + _CHUNK_HEAD.size : begin]).decode("ascii", "replace")
        if held != inside or (not compression and held != size):
            raise DataError(f"{path} holds a chunk at {start} that contradicts itself", got=held, expected=inside)
        return cls(begin + 8, inside, size, crc, compression)

    def records(self, path: Path, data: memoryview) -> memoryview:
        """Its records, decompressed and checked against their CRC.

        Raises:
            DataError: Damaged, of an unknown compression, or of another size than it says.
        """
        raw = data[self.start : self.start + self.length]
        content = raw if not self.compression else memoryview(_decompressed(path, self, raw))
        if len(content) != self.size or (self.crc and zlib.crc32(content) != self.crc):
            raise DataError(f"{path} is damaged in the chunk at {self.start}", got="another CRC", remedy=_REMEDY)
        return content


def records_of(content: memoryview) -> Iterator[tuple[int, int, int]]:
    """Opcode, offset of the content and its length of every record in a chunk that is whole."""
    offset = 0
    while offset + HEAD.size <= len(content):
        code, length = HEAD.unpack_from(content, offset)
        if length > len(content) - offset - HEAD.size:
            return
        yield code, offset + HEAD.size, length
        offset += HEAD.size + length


def _decompressed(path: Path, chunk: Chunk, raw: memoryview) -> bytes:
    import lz4.frame
    import zstandard

    try:
        if chunk.compression == "zstd":
            # The size that the frame itself names may be another one: no more than the chunk says is made room for.
            if zstandard.frame_content_size(raw) > chunk.size:
                raise ValueError("the compressed data names another size")
            return zstandard.ZstdDecompressor().decompress(raw, max_output_size=chunk.size)
        if chunk.compression == "lz4":
            return bytes(lz4.frame.decompress(raw))
    except (zstandard.ZstdError, RuntimeError, ValueError) as error:
        raise DataError(f"{path} is damaged in the chunk at {chunk.start}", got=error, remedy=_REMEDY) from error
    raise DataError(
        f"{path} is compressed in a way that is not known", got=repr(chunk.compression), expected="zstd, lz4 or none"
    )
