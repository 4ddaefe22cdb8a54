"""TFRecord files: length, masked CRC-32C of the length, payload, masked CRC-32C of the payload; one after another.

Source: tensorflow/core/lib/io/record_writer.h (the framing) and RFC 3720, appendix B.4 (CRC-32C).
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from monde.errors import DataError
from monde.limits import MAX_EPISODES, MAX_RECORD_BYTES

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8
_REMEDY = "restore the file from where the dataset came"


@dataclass(frozen=True)
class Record:
    """Where the payload of one record lies.

    Args:
        path: The file.
        number: Its number in the file, from 0.
        offset: First byte of the payload.
        size: Bytes of the payload.
    """

    path: Path
    number: int
    offset: int
    size: int

    def __str__(self) -> str:
        return f"{self.path}, record {self.number}"


def masked_crc(data: bytes) -> int:
    """CRC-32C of `data`, rotated and shifted as TensorFlow stores it.

    Raises:
        DataError: google-crc32c is not installed.
    """
    try:
        import google_crc32c
    except ImportError as error:
        raise DataError(
            "TFRecord files need google-crc32c for their checksums", got=error, remedy="pip install 'monde[rlds]'"
        ) from error
    crc = int(google_crc32c.value(data))
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def index_records(path: Path) -> list[Record]:
    """Where the records of a file are; reads their headers only, whose checksums are checked.

    Raises:
        DataError: Missing, empty, truncated, damaged, not a TFRecord file, or records out of limits.
    """
    records: list[Record] = []
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            offset = 0
            while offset < size:
                header = file.read(_HEADER.size)
                if len(header) < _HEADER.size:
                    raise _truncated(path, len(records), size)
                length, crc = _HEADER.unpack(header)
                if masked_crc(header[:8]) != crc:
                    raise DataError(
                        f"{path}, record {len(records)}: the checksum of its length does not fit",
                        expected="the TFRecord format, uncompressed",
                        remedy=_REMEDY,
                    )
                if length > MAX_RECORD_BYTES or len(records) >= MAX_EPISODES:
                    raise DataError(
                        f"{path} is out of limits",
                        got=f"{len(records)} records, one of {length} bytes",
                        expected=f"at most {MAX_EPISODES} of {MAX_RECORD_BYTES} bytes",
                    )
                end = offset + _HEADER.size + length + _FOOTER.size
                if end > size:
                    raise _truncated(path, len(records), size)
                records.append(Record(path, len(records), offset + _HEADER.size, length))
                file.seek(end)
                offset = end
    except OSError as error:
        raise DataError(f"{path} cannot be read", got=error, remedy=_REMEDY) from error
    if not records:
        raise DataError(f"{path} is empty", expected="a TFRecord file", remedy=_REMEDY)
    return records


def read_record(record: Record) -> bytes:
    """The payload of a record, its checksum checked.

    Raises:
        DataError: Truncated or damaged.
    """
    try:
        with record.path.open("rb") as file:
            file.seek(record.offset)
            data = file.read(record.size)
            footer = file.read(_FOOTER.size)
    except OSError as error:
        raise DataError(f"{record.path} cannot be read", got=error, remedy=_REMEDY) from error
    if len(data) < record.size or len(footer) < _FOOTER.size:
        raise _truncated(record.path, record.number, record.offset + len(data))
    if masked_crc(data) != _FOOTER.unpack(footer)[0]:
        raise DataError(
            f"{record}: the checksum of its content does not fit", expected="unchanged bytes", remedy=_REMEDY
        )
    return data


def _truncated(path: Path, number: int, size: int) -> DataError:
    return DataError(f"{path} is truncated in record {number}", got=f"{size} bytes", remedy=_REMEDY)
