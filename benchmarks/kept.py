"""What is kept beside a run says what it was measured with: figures of another model or protocol are not taken over."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from monde.errors import UsageError
from monde.models import weights_hash
from monde.store import RunFolder, content_hash
from monde.store.hashing import digest_json
from monde.store.run import LEVEL_PARTS

FACTS = "facts"


def made_of(run: Path, planner: Mapping[str, object]) -> str:
    """The weights of a run and of all that a planner (as `describe_strategy` has it) uses of it, as one hash."""
    folder, parts = RunFolder(run), []
    if planner.get("actor") or "guide" in planner:
        parts += [folder.actor, folder.temporal_distance]
    if "guide" in planner:
        parts.append(folder.landmarks)
        parts += [folder.level(number) / part for number in folder.levels() for part in LEVEL_PARTS]
    return digest_json([weights_hash(run), *(content_hash(part) for part in parts if part.exists())])


def differing(earlier: Mapping[str, object], wanted: Mapping[str, object], lenient: bool = False) -> list[str]:
    """Names of what was kept otherwise than it is wanted; what was not kept at all counts, unless `lenient`."""
    told = json.loads(json.dumps(dict(wanted)))
    return [
        name
        for name, value in told.items()
        if (name in earlier and earlier[name] != value) or (name not in earlier and not lenient)
    ]


def arrays(
    path: Path, facts: Mapping[str, object], make: Callable[[], Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Arrays that are kept with what they were made with; made, and made again where that is otherwise or not told."""
    if path.exists():
        with np.load(path) as file:
            found = {name: file[name] for name in file.files}
        told = found.pop(FACTS, None)
        if told is not None and not differing(json.loads(str(told)), facts):
            return found
    made = dict(make())
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, allow_pickle=False, **made, **{FACTS: np.array(json.dumps(dict(facts)))})
    return made


def not_as_wanted(path: Path, names: list[str], remedy: str) -> UsageError:
    """The error for a report of what was measured otherwise."""
    return UsageError(
        "this was measured otherwise, or with another model",
        got=f"{path} differs in {', '.join(names)}",
        expected="the run and the protocol as they are now",
        remedy=remedy,
    )
