"""Zarr groups, opened without trusting them: numbers only, known codecs only, chunks within limits."""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from monde.errors import DataError
from monde.limits import MAX_CHUNK_BYTES

if TYPE_CHECKING:
    import zarr

_READ_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)
_CODECS = frozenset(
    {
        *("blosc", "zstd", "zlib", "gzip", "lz4", "bz2", "lzma", "bytes", "crc32c", "crc32", "adler32"),
        *("transpose", "sharding_indexed", "delta", "fixedscaleoffset", "quantize", "bitround", "shuffle", "astype"),
    }
)
"""Codecs that turn bytes into numbers and can do nothing else."""
_REMEDY = "restore the dataset from where it came"


@runtime_checkable
class LongArray(Protocol):
    """What is used of a zarr array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        ...

    @property
    def chunks(self) -> tuple[int, ...]:
        """Shape of one chunk."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """Of its values."""
        ...

    @property
    def nchunks(self) -> int:
        """Chunks in all."""
        ...

    @property
    def nchunks_initialized(self) -> int:
        """Chunks that are stored."""
        ...

    def __getitem__(self, selection: slice, /) -> object:
        """Some of its rows, decoded."""
        ...


@contextmanager
def reading(where: Path | str) -> Iterator[None]:
    """Whatever zarr raises inside becomes a DataError that names the place.

    Raises:
        DataError: Missing, truncated or damaged.
    """
    try:
        yield
    except _READ_ERRORS as error:
        raise DataError(
            f"{where} cannot be read as Zarr", got=str(error)[:200] or type(error).__name__, remedy=_REMEDY
        ) from error


def open_group(path: Path) -> "zarr.Group":
    """The root group of a folder or of a .zip of one.

    Raises:
        DataError: zarr is not installed, or it is missing or no Zarr group.
    """
    try:
        import zarr
        from zarr.storage import LocalStore, ZipStore
    except ImportError as error:
        raise DataError(f"{path} is Zarr, which needs zarr", got=error, remedy="pip install 'monde[zarr]'") from error
    with reading(path):
        return zarr.open_group(
            ZipStore(path, mode="r") if path.is_file() else LocalStore(path, read_only=True), mode="r"
        )


def arrays(path: Path, root: "zarr.Group", group: str) -> dict[str, LongArray]:
    """The arrays directly in a group, by name.

    Raises:
        DataError: There is no such group, an array of objects, of an unknown codec, or in chunks out of limits.
    """
    import zarr

    with reading(path):
        held = root.get(group)
        if not isinstance(held, zarr.Group):
            raise DataError(f"{path} has no group {group!r}", remedy=_REMEDY)
        # By name, not all at once: one array that cannot be opened is then named in the error.
        names = _names(path, group)
    found: dict[str, LongArray] = {}
    for name in names:
        try:
            member = held[name]
        except _READ_ERRORS as error:
            raise DataError(
                f"{path}: array {group}/{name[:60]} is of a type or codec that is not read",
                got=str(error)[:200],
                expected="numbers, compressed by blosc, zstd, gzip or the like",
                remedy="write the dataset again without this array, or with its values as numbers",
            ) from error
        if isinstance(member, zarr.Array):
            _check(path, f"{group}/{name}", member, dict(member.metadata.to_dict()))
            found[name] = member
    return found


def _names(path: Path, group: str) -> list[str]:
    """What lies directly in a group and has metadata of its own."""
    marks = (".zarray", "zarr.json")
    if path.is_dir():
        return sorted(
            child.name for child in (path / group).iterdir() if any((child / mark).exists() for mark in marks)
        )
    with zipfile.ZipFile(path) as file:
        parts = [name.split("/") for name in file.namelist()]
    return sorted({held[1] for held in parts if len(held) == 3 and held[0] == group and held[2] in marks})


def _check(path: Path, key: str, array: LongArray, metadata: Mapping[str, object]) -> None:
    unknown = sorted(set(_codec_names(metadata)) - _CODECS)
    if array.dtype.kind not in "fiub" or unknown:
        raise DataError(
            f"{path}: array {key[:80]} is of a type or codec that is not read",
            got=", ".join([str(array.dtype), *unknown]),
            expected="numbers, compressed by blosc, zstd, gzip or the like; never pickled objects",
            remedy="write the dataset again without this array, or with its values as numbers",
        )
    size = int(np.prod([float(side) for side in array.chunks])) * array.dtype.itemsize
    if size > MAX_CHUNK_BYTES:
        raise DataError(
            f"{path}: array {key[:80]} is stored in chunks too large to be read",
            got=f"{size} bytes",
            expected=f"at most {MAX_CHUNK_BYTES}",
            remedy="write it again in smaller chunks",
        )


def _codec_names(metadata: Mapping[str, object]) -> Iterator[str]:
    """Names of all codecs in an array's metadata, of format 2 (id) or 3 (name), sharded ones included."""
    parts = [metadata.get("compressor"), metadata.get("filters"), metadata.get("codecs")]
    waiting: list[object] = [part for part in parts if part]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list | tuple):
            waiting += part
        elif isinstance(part, Mapping):
            yield str(part.get("id", part.get("name"))).removeprefix("numcodecs.")
            configuration = part.get("configuration")
            if isinstance(configuration, Mapping):
                waiting += [configuration.get("codecs"), configuration.get("index_codecs")]
