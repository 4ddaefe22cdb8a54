"""HDF5 files, opened without trusting them: no object that lies elsewhere, no pickled value, no chunk out of limits."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from monde.errors import DataError
from monde.limits import MAX_CHUNK_BYTES, MAX_JSON_BYTES

if TYPE_CHECKING:
    import h5py

_REMEDY = "restore the file from where the dataset came"


@contextmanager
def opened(path: Path) -> "Iterator[h5py.File]":
    """The file, open for reading; whatever the library raises inside becomes a DataError that names the file.

    Raises:
        DataError: h5py is not installed, or the file is missing, not HDF5, truncated or damaged.
    """
    try:
        import h5py
    except ImportError as error:
        raise DataError(f"{path} is HDF5, which needs h5py", got=error, remedy="pip install 'monde[hdf5]'") from error
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise DataError(f"{path} does not exist", remedy=_REMEDY) from error
        raise DataError(
            f"{path} cannot be read as HDF5", got=str(error)[:200], expected="a whole HDF5 file", remedy=_REMEDY
        ) from error


def group(parent: "h5py.Group", name: str) -> "h5py.Group | None":
    """A group inside another, or none.

    Raises:
        DataError: It is a link out of the file.
    """
    import h5py

    child = _child(parent, name)
    return child if isinstance(child, h5py.Group) else None


def array(parent: "h5py.Group", name: str) -> "h5py.Dataset | None":
    """An array inside a group, or none.

    Raises:
        DataError: It is stored outside the file, or in chunks out of limits.
    """
    import h5py

    child = _child(parent, name)
    if not isinstance(child, h5py.Dataset):
        return None
    if child.is_virtual or child.external:
        raise _outside(parent, name, "its values lie in another file")
    size = int(np.prod(child.chunks or (1,))) * child.dtype.itemsize
    if size > MAX_CHUNK_BYTES:
        raise DataError(
            f"{parent.file.filename}: {child.name} is stored in chunks too large to be read",
            got=f"{size} bytes",
            expected=f"at most {MAX_CHUNK_BYTES}",
        )
    return child


def attribute(parent: "h5py.Group | h5py.Dataset", name: str) -> str | int | float | bool | None:
    """An attribute that is a text or a number; none where it is absent or anything else (pickled bytes, for one)."""
    value = parent.attrs.get(name)
    if isinstance(value, np.generic | np.ndarray):
        value = value.item() if value.size == 1 and value.dtype.kind in "biufSU" else None
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return None
    return value if isinstance(value, str | int | float | bool) else None


def json_attribute(parent: "h5py.Group", name: str) -> dict[str, object]:
    """An attribute that holds a JSON object; empty where there is none or it is not one."""
    text = attribute(parent, name)
    if not isinstance(text, str) or len(text) > MAX_JSON_BYTES:
        return {}
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _child(parent: "h5py.Group", name: str) -> "h5py.Group | h5py.Dataset | h5py.Datatype | None":
    import h5py

    link = parent.get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        raise _outside(parent, name, f"a link to {link.filename}")
    # A soft link may lead to an external one: only links that end in this very file are followed.
    child = None if link is None else parent.get(name)
    if child is not None and child.file.filename != parent.file.filename:
        raise _outside(parent, name, f"a link to {child.file.filename}")
    return child


def _outside(parent: "h5py.Group", name: str, why: str) -> DataError:
    return DataError(
        f"{parent.file.filename}: {parent.name}/{name} leaves the file",
        got=why,
        expected="a dataset that is whole in itself",
        remedy="copy what it refers to into the file (h5repack, or h5py with expand_external)",
    )
