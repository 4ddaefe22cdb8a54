"""Reading JSON with a bound on its size and an error that names the file."""

import json
from pathlib import Path

from monde.errors import StoreError
from monde.limits import MAX_JSON_BYTES


def read_json(path: Path) -> dict[str, object]:
    """The object in a JSON file.

    Raises:
        StoreError: The file is missing, too large, not JSON, or not an object.
    """
    try:
        size = path.stat().st_size
        if size > MAX_JSON_BYTES:
            raise StoreError(f"{path} is too large to be read as JSON", got=f"{size} bytes", expected=MAX_JSON_BYTES)
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StoreError(f"{path} does not exist") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise StoreError(
            f"{path} is not valid JSON", got=error, remedy="restore the file from where it came"
        ) from error
    if not isinstance(document, dict):
        raise StoreError(f"{path} does not hold a JSON object", got=type(document).__name__, expected="an object")
    return document
