"""The libraries that MCAP needs, imported when it is read or written."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monde.errors import DataError

if TYPE_CHECKING:
    from mcap.records import Channel, Schema


@contextmanager
def needed(what: object) -> Iterator[None]:
    """Say what to install where a library is not there.

    Raises:
        DataError: An import inside failed.
    """
    try:
        yield
    except ImportError as error:
        raise DataError(
            f"{what} is MCAP, which needs a few libraries", got=error, remedy="pip install 'monde[logs]'"
        ) from error


def read_schema(content: bytes) -> "Schema":
    """A schema record."""
    from io import BytesIO

    from mcap.data_stream import ReadDataStream
    from mcap.records import Schema

    return Schema.read(ReadDataStream(BytesIO(content)))


def read_channel(content: bytes) -> "Channel":
    """A channel record."""
    from io import BytesIO

    from mcap.data_stream import ReadDataStream
    from mcap.records import Channel

    return Channel.read(ReadDataStream(BytesIO(content)))


def read_metadata(content: bytes) -> tuple[str, dict[str, str]]:
    """Name and entries of a metadata record."""
    from io import BytesIO

    from mcap.data_stream import ReadDataStream
    from mcap.records import Metadata

    found = Metadata.read(ReadDataStream(BytesIO(content)))
    return found.name, dict(found.metadata)
