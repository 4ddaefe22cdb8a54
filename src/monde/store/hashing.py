"""SHA-256 of files and of JSON documents."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path


def sha256_bytes(data: bytes | memoryview) -> str:
    """Hex SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_json(document: Mapping[str, object] | Sequence[object]) -> str:
    """Hex SHA-256 of a JSON document in canonical form (sorted keys, no spaces, no NaN)."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256_bytes(canonical.encode())
