"""bets-v1, the standard bench, and the leaderboard JSON with its validator."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from monde.bets.files import QuestionSet
from monde.bets.marking import Mark
from monde.bets.questions.build import build_set
from monde.bets.verdict import groups
from monde.errors import StoreError

SCHEMA = "monde.bets-leaderboard/1"
STANDARD, STANDARD_SEED, STANDARD_N = "bets-v1", 20_261_126, 100
"""Name, seed and questions of each family and grade of the standard bench."""


def build_standard(
    out: Path, shared: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> QuestionSet:
    """Build bets-v1: every family for which there is data, every grade.

    Raises:
        As `build_set`.
    """
    return build_set(out, name=STANDARD, n=STANDARD_N, seed=STANDARD_SEED, shared=shared, progress=progress)


def leaderboard(
    questions: QuestionSet, marks: Mapping[str, Sequence[Mark]], identities: Mapping[str, Mapping[str, object]]
) -> dict[str, object]:
    """The leaderboard of a run: counts of right answers by family and grade, the mean over these cells, best first."""
    entries = [_entry(name, given, identities.get(name, {})) for name, given in marks.items()]
    entries.sort(key=lambda entry: (-float(str(entry["mean"])), str(entry["contestant"])))
    return {"schema": SCHEMA, "set": questions.name, "content_hash": questions.content_hash, "entries": entries}


def check_leaderboard(document: Mapping[str, object], questions: QuestionSet) -> int:
    """Validate a leaderboard against its set; returns how many entries it has.

    Raises:
        StoreError: Another schema or set, counts that the set does not have, or a mean that does not follow from them.
    """
    if document.get("schema") != SCHEMA or document.get("content_hash") != questions.content_hash:
        got = f"{document.get('schema')}, {str(document.get('content_hash'))[:16]}…"
        expected = f"{SCHEMA}, {questions.content_hash[:16]}…"
        raise StoreError("this is no leaderboard of this set", got=got, expected=expected)
    sizes: dict[tuple[str, str], int] = {}
    for question in questions.questions(sensors=False):
        cell = (question.family, question.grade)
        sizes[cell] = sizes.get(cell, 0) + 1
    entries = document.get("entries")
    if not isinstance(entries, list):
        raise StoreError("a leaderboard has no entries", got=type(entries).__name__, expected="a list")
    for entry in entries:
        _check_entry(entry, sizes)
    return len(entries)


def _entry(name: str, given: Sequence[Mark], identity: Mapping[str, object]) -> dict[str, object]:
    families: dict[str, dict[str, dict[str, int]]] = {}
    shares = []
    for (family, grade), of in groups(given).items():
        correct = sum(mark.correct for mark in of)
        families.setdefault(family, {})[grade] = {"correct": correct, "n": len(of)}
        shares.append(correct / len(of))
    return {
        "contestant": name,
        "identity": dict(identity),
        "mean": sum(shares) / len(shares),
        "families": families,
        "usd": sum(mark.usd for mark in given),
        "seconds": sum(mark.seconds for mark in given),
    }


def _check_entry(entry: object, sizes: Mapping[tuple[str, str], int]) -> None:
    families = entry.get("families") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(families, Mapping):
        raise StoreError("an entry of the leaderboard is malformed", got=str(entry)[:80])
    name = entry.get("contestant")
    cells = {}
    for family, grades in families.items():
        for grade, told in grades.items() if isinstance(grades, Mapping) else ():
            correct, n = (told.get("correct"), told.get("n")) if isinstance(told, Mapping) else (None, None)
            size = sizes.get((family, grade), 0)
            if n != size or not isinstance(correct, int) or not 0 <= correct <= size or not size:
                expected = f"0 ≤ correct ≤ n = {size}"
                raise StoreError(f"{name!r} has impossible counts in {family}/{grade}", got=told, expected=expected)
            cells[family, grade] = correct / size
    if set(cells) != set(sizes):
        missing = sorted(set(sizes) - set(cells))[:3]
        raise StoreError(f"{name!r} was not marked in every family and grade", got=f"missing {missing}")
    mean, told = sum(cells.values()) / len(cells), entry.get("mean")
    if not isinstance(told, int | float) or abs(told - mean) > 1e-9:
        raise StoreError(f"{name!r} has a mean that does not follow from its counts", got=told, expected=mean)
