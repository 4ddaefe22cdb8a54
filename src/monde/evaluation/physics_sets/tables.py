"""Lists that sets come with: CSV, JSON lines, Parquet. Every error names the file and the line."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from monde.errors import DataError, StoreError
from monde.limits import MAX_JSON_BYTES
from monde.store.jsons import read_json

_RESTORE = "restore the file from where the set came"


def malformed(path: Path, line: int, got: object, expected: object = None) -> DataError:
    """The error for one line of a list."""
    return DataError(f"line {line} of {path} is malformed", got=got, expected=expected, remedy=_RESTORE)


def csv_rows(path: Path, needed: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a comma-separated list with a header, each with its line number.

    Raises:
        DataError: Missing, too large, not text, without a needed column, or a row of another width.
    """
    rows: list[tuple[int, dict[str, str]]] = []
    reader = csv.reader(_lines(path), strict=True)
    try:
        header = next(reader, [])
        missing = [name for name in needed if name not in header]
        if missing:
            raise DataError(
                f"{path} lacks columns",
                got=", ".join(header) or "an empty file",
                expected=", ".join(needed),
                remedy=_RESTORE,
            )
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise malformed(path, reader.line_num, f"{len(cells)} cells", f"{len(header)}")
            rows.append((reader.line_num, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        raise malformed(path, reader.line_num, error, "comma-separated cells") from error
    return rows


def json_lines(path: Path, needed: Sequence[str]) -> list[tuple[int, dict[str, object]]]:
    """The objects of a file of JSON lines, each with its line number.

    Raises:
        DataError: Missing, too large, not text, a line that is no JSON object, or one without a needed key.
    """
    rows: list[tuple[int, dict[str, object]]] = []
    for number, text in enumerate(_lines(path), 1):
        if not text.strip():
            continue
        try:
            found = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise malformed(path, number, error, "one JSON object a line") from error
        rows.append((number, _with_keys(path, number, found, needed)))
    return rows


def parquet_rows(path: Path, needed: Sequence[str]) -> list[tuple[int, dict[str, object]]]:
    """The rows of a Parquet file, numbered from 1.

    Raises:
        DataError: It cannot be read, or lacks a needed column.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        columns = pyarrow.parquet.read_schema(path).names
        missing = [name for name in needed if name not in columns]
        if missing:
            raise DataError(
                f"{path} lacks columns", got=", ".join(columns), expected=", ".join(needed), remedy=_RESTORE
            )
        found = pyarrow.parquet.read_table(path, columns=list(needed)).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(
            f"{path} cannot be read", got=error, expected="a whole Parquet file", remedy=_RESTORE
        ) from error
    return [(number, _with_keys(path, number, row, needed)) for number, row in enumerate(found, 1)]


def json_object(path: Path) -> dict[str, object]:
    """The object in a JSON file.

    Raises:
        DataError: Missing, too large, or no JSON object; the error says where it stops being JSON.
    """
    try:
        return read_json(path)
    except StoreError as error:
        raise DataError(error.what, got=error.got, expected=error.expected, remedy=_RESTORE) from error


def inside(base: Path, name: str, listed: Path, line: int) -> Path:
    """The file `name` below `base`, as a list names it.

    Raises:
        DataError: The name is absolute, climbs out by "..", or is a link that leads out of `base`.
    """
    parts = PurePosixPath(name.replace("\\", "/"))
    path = base / parts
    if not name or "\0" in name or parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[0]:
        raise _leaves(base, name, listed, line)
    if not path.resolve().is_relative_to(base.resolve()):
        raise _leaves(base, name, listed, line)
    return path


def _leaves(base: Path, name: str, listed: Path, line: int) -> DataError:
    return DataError(
        f"line {line} of {listed} names a file outside the set",
        got=repr(name),
        expected=f"a path below {base}",
        remedy="do not use this list; fetch the set again from its makers",
    )


def _with_keys(path: Path, line: int, found: object, needed: Sequence[str]) -> dict[str, object]:
    if not isinstance(found, Mapping):
        raise malformed(path, line, type(found).__name__, "one JSON object a line")
    missing = [key for key in needed if key not in found]
    if missing:
        raise malformed(path, line, f"no {', '.join(missing)}", ", ".join(needed))
    return {str(key): value for key, value in found.items()}


def _lines(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise DataError(f"{path} is missing", remedy=_RESTORE)
    if path.stat().st_size > MAX_JSON_BYTES:
        raise DataError(f"{path} is too large", got=f"{path.stat().st_size} bytes", expected=f"{MAX_JSON_BYTES}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            yield from file
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not text", got=error, expected="UTF-8", remedy=_RESTORE) from error
