"""The files of a frame cache while they are written: .npy arrays, row by row, hashed as they grow."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from monde.data.cache_index import FileEntry
from monde.errors import DataError


class ArrayFile:
    """A .npy file written row by row, hashed as it grows."""

    def __init__(self, path: Path, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> None:
        self._path, self._dtype, self._shape, self._rows = path, dtype, shape, 0
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._file.flush()
        self._digest.update(path.read_bytes())

    def write(self, rows: np.ndarray) -> None:
        """Further rows.

        Raises:
            DataError: Of another shape.
        """
        if rows.shape[1:] != self._shape[1:]:
            raise DataError("a recording gave another shape than it announced", got=rows.shape, expected=self._shape)
        data = np.ascontiguousarray(rows, dtype=self._dtype)
        view = data.reshape(-1).view(np.uint8).data
        self._file.write(view)
        self._digest.update(view)
        self._rows += len(rows)

    def finish(self) -> FileEntry:
        """Close it, complete and durable.

        Raises:
            DataError: It lacks rows, or has more than announced.
        """
        if self._rows != self._shape[0]:
            raise DataError(
                "a recording gave another number of frames than it announced", got=self._rows, expected=self._shape[0]
            )
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()
        return FileEntry.of(self._path, self._digest.hexdigest())

    def close(self) -> None:
        """Close it as it is."""
        self._file.close()


class SaidFile:
    """A number for each sample, in a file that is begun only when one is not what is usual.

    Args:
        path: Where it comes to lie.
        frames: Samples of all episodes.
        usual: What holds where nothing is said.
    """

    def __init__(self, path: Path, frames: int, usual: bool | float) -> None:
        self._path, self._frames, self._usual, self._done = path, frames, usual, 0
        self._file: ArrayFile | None = None

    def write(self, rows: np.ndarray | None, count: int) -> None:
        """What is said of `count` further samples; none where all are as usual."""
        if self._file is None and rows is not None and bool((rows != self._usual).any()):
            self._file = ArrayFile(self._path, np.asarray(self._usual).dtype, (self._frames,))
            self._file.write(np.full(self._done, self._usual))
        if self._file is not None:
            self._file.write(np.full(count, self._usual) if rows is None else rows)
        self._done += count

    def finish(self) -> FileEntry | None:
        """Close it, or none where it was never begun."""
        return None if self._file is None else self._file.finish()

    def close(self) -> None:
        """Close it as it is."""
        if self._file is not None:
            self._file.close()


class Closing:
    """Closes files, whatever happens."""

    def __init__(self, files: Sequence[ArrayFile | SaidFile]) -> None:
        self._files = files

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()
