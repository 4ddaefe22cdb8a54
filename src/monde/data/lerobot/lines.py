"""JSON lines, as v2.1 keeps its episodes, tasks and statistics."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from monde.errors import DataError
from monde.limits import MAX_JSON_BYTES


class Line(TypedDict, total=False):
    """What one line may hold."""

    episode_index: int
    length: int
    tasks: list[str]
    task_index: int
    task: str
    stats: dict[str, dict[str, list[float]]]


def read_lines(path: Path, keys: Sequence[str]) -> list[Line]:
    """All lines of a file, each of which must have these keys.

    Raises:
        DataError: The file is missing, too large, or a line is malformed; the error says which.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing", remedy="restore it from where the dataset came")
    if path.stat().st_size > MAX_JSON_BYTES:
        raise DataError(f"{path} is too large", got=f"{path.stat().st_size} bytes", expected=f"{MAX_JSON_BYTES}")
    found: list[Line] = []
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            raise _malformed(path, number, error) from error
        missing = [key for key in keys if not isinstance(line, dict) or key not in line]
        if missing:
            raise _malformed(path, number, f"no {', '.join(missing)}")
        found.append(line)
    return found


def _malformed(path: Path, number: int, error: object) -> DataError:
    return DataError(
        f"line {number} of {path} is malformed", got=error, remedy="restore the file from where the dataset came"
    )
