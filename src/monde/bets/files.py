"""Question sets on disk: JSON lines and arrays, hashed and versioned.

SET/
  bets.json          {"schema": "monde.bets/1", "name", "seed", "split", "files": {name: sha256}, "families": …}
  questions.jsonl    what contestants see, one question a line
  truths.jsonl       what they do not
  arrays/N.npz       sensor renderings; N is the line, so that no name tells anything
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from monde.bets.types import Question, Truth
from monde.errors import ContractError, StoreError
from monde.limits import MAX_BETS_QUESTIONS
from monde.store import atomic_folder, digest_json, read_json, sha256_bytes, write_json
from monde.store.typed import from_json, to_json

SCHEMA = "monde.bets/1"
MANIFEST, QUESTIONS, TRUTHS, ARRAYS = "bets.json", "questions.jsonl", "truths.jsonl", "arrays"


@dataclass(frozen=True, repr=False)
class QuestionSet:
    """A set that was opened: its files are what they were when it was written.

    Args:
        root: Its folder.
        name: Its name.
        seed: It was drawn with.
        split: Whose sizes and speeds: train or test.
        content_hash: Of all of its files.
        ids: Of its questions, in order.
        families: What each family's renderings give away and withhold (JSON).
    """

    root: Path
    name: str
    seed: int
    split: str
    content_hash: str
    ids: tuple[str, ...]
    families: Mapping[str, object]
    _lines: tuple[Mapping[str, object], ...]
    _hashes: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.ids)

    def question(self, index: int, *, sensors: bool = True) -> Question:
        """One question, its arrays read and verified.

        Raises:
            StoreError: The arrays are missing or altered.
        """
        line = self._lines[index]
        return _question(line, self._arrays(index) if sensors and line.get("arrays") else {})

    def questions(self, *, sensors: bool = True) -> Iterator[Question]:
        """All of them, one after another."""
        return (self.question(index, sensors=sensors) for index in range(len(self)))

    def truths(self) -> dict[str, Truth]:
        """What is true, by id. For judges alone.

        Raises:
            StoreError: The file is missing or altered.
        """
        lines = _lines(self.root / TRUTHS, self._hashes[TRUTHS])
        return {truth.id: truth for truth in (from_json(Truth, line) for line in lines)}

    def _arrays(self, index: int) -> dict[str, np.ndarray]:
        name = f"{ARRAYS}/{index:05d}.npz"
        data = _verified(self.root / name, self._hashes.get(name))
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}

    def __repr__(self) -> str:
        return f"QuestionSet({self.name}, {len(self)} questions, {self.content_hash[:12]})"


def write_set(
    folder: Path,
    items: Sequence[tuple[Question, Truth]],
    *,
    name: str,
    seed: int,
    split: str,
    families: Mapping[str, object],
) -> QuestionSet:
    """Write a set; the folder appears whole or not at all.

    Raises:
        ContractError: No questions, too many, two of one id, or a truth of another question.
        StoreError: The folder exists, or the disk refuses.
    """
    ids = [question.id for question, _ in items]
    if not 0 < len(ids) <= MAX_BETS_QUESTIONS or len(set(ids)) < len(ids):
        got = f"{len(ids)} questions, {len(set(ids))} ids"
        raise ContractError("this is no set of questions", got=got, expected=f"1 to {MAX_BETS_QUESTIONS}, unique ids")
    if any(question.id != truth.id for question, truth in items):
        raise ContractError("a truth is of another question", expected="pairs of one id")
    files: dict[str, bytes] = {}
    lines = []
    for index, (question, _) in enumerate(items):
        lines.append({**question.to_json(), "arrays": sorted(question.sensors)})
        if question.sensors:
            files[f"{ARRAYS}/{index:05d}.npz"] = _packed(question.sensors)
    files[QUESTIONS] = _joined(lines)
    files[TRUTHS] = _joined([to_json(truth) for _, truth in items])
    manifest: dict[str, object] = {
        "schema": SCHEMA,
        "name": name,
        "seed": seed,
        "split": split,
        "families": dict(families),
        "files": {path: sha256_bytes(data) for path, data in sorted(files.items())},
    }
    with atomic_folder(folder) as temporary:
        (temporary / ARRAYS).mkdir()
        for path, data in files.items():
            (temporary / path).write_bytes(data)
        write_json(temporary / MANIFEST, {**manifest, "content_hash": digest_json(manifest)})
    return open_set(folder)


def open_set(folder: Path) -> QuestionSet:
    """Open a set and verify its manifest and questions.

    Raises:
        StoreError: Missing, of another version, or altered since it was written.
    """
    manifest = read_json(folder / MANIFEST)
    if manifest.get("schema") != SCHEMA:
        raise StoreError(
            f"{folder} holds questions of another version",
            got=manifest.get("schema"),
            expected=SCHEMA,
            remedy="build the set again with this version of monde",
        )
    told = manifest.pop("content_hash", None)
    files, families = manifest.get("files"), manifest.get("families")
    if told != digest_json(manifest) or not isinstance(files, dict) or not isinstance(families, dict):
        raise StoreError(f"{folder / MANIFEST} was altered", expected="its own hash", remedy="build the set again")
    hashes = {str(name): str(digest) for name, digest in files.items()}
    lines = tuple(_lines(folder / QUESTIONS, hashes.get(QUESTIONS)))
    return QuestionSet(
        root=folder,
        name=str(manifest.get("name")),
        seed=int(str(manifest.get("seed"))),
        split=str(manifest.get("split")),
        content_hash=str(told),
        ids=tuple(str(line.get("id")) for line in lines),
        families=families,
        _lines=lines,
        _hashes=hashes,
    )


def _question(line: Mapping[str, object], sensors: Mapping[str, np.ndarray]) -> Question:
    told = {key: value for key, value in line.items() if key != "arrays"}
    return replace(from_json(Question, told, str(line.get("id"))), sensors=sensors)


def _packed(sensors: Mapping[str, np.ndarray]) -> bytes:
    """A compressed archive; equal arrays give equal bytes (NumPy stamps every member with one fixed date)."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **{name: sensors[name] for name in sorted(sensors)})
    return buffer.getvalue()


def _joined(lines: Sequence[object]) -> bytes:
    return "".join(json.dumps(line, allow_nan=False, ensure_ascii=False) + "\n" for line in lines).encode()


def _lines(path: Path, digest: str | None) -> list[dict[str, object]]:
    try:
        found = [json.loads(line) for line in _verified(path, digest).splitlines()]
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise StoreError(f"{path} is not JSON lines", got=error, remedy="build the set again") from error
    return [line for line in found if isinstance(line, dict)]


def _verified(path: Path, digest: str | None) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read", got=error.strerror, remedy="build the set again") from error
    if digest != sha256_bytes(data):
        raise StoreError(
            f"{path} was altered after it was written",
            got=f"sha256 {sha256_bytes(data)[:16]}…",
            expected=f"{str(digest)[:16]}…",
            remedy="build the set again: equal arguments give equal questions",
        )
    return data
