"""What must be known of every RLDS episode before one is read: its length, its task, the range of its actions."""

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from monde.data.bounds import ActionRange
from monde.data.rlds.example import Feature, WireError, byte_strings, numbers, parse_example
from monde.data.rlds.features import STEPS, Described
from monde.data.rlds.rows import malformed, samples, texts
from monde.data.rlds.tfrecord import Record, read_record
from monde.errors import DataError

INSTRUCTIONS = (f"{STEPS}/language_instruction", f"{STEPS}/observation/natural_language_instruction")


@dataclass(frozen=True, kw_only=True)
class Index:
    """What a look through all records gave.

    Args:
        lengths: Steps of each episode.
        tasks: Its instruction in words, or an empty text.
        actions: Range of the actions, or none.
    """

    lengths: tuple[int, ...]
    tasks: tuple[str, ...]
    actions: ActionRange | None


def build_index(records: Sequence[Record], features: Mapping[str, Described], action_keys: Sequence[str]) -> Index:
    """Look through all records. The files are mapped: of pictures, only their sizes are loaded.

    The content's checksum is not looked at here, for that would mean reading everything; it is when an episode is read.

    Raises:
        DataError: A record is not what features.json describes; a damaged one is told from one of another version.
    """
    spread = ActionRange(sum(features[key].size for key in action_keys)) if action_keys else None
    lengths: list[int] = []
    tasks: list[str] = []
    for path, group in groupby(records, key=lambda record: record.path):
        with path.open("rb") as file:
            # Not closed by hand, which fails while a traceback still holds a slice: the last slice closes it.
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        for record in group:
            data = mapped[record.offset : record.offset + record.size]
            length, task, actions = _look(data, record, features, action_keys)
            lengths.append(length)
            tasks.append(task)
            if spread is not None and actions is not None:
                spread.add(actions)
    return Index(lengths=tuple(lengths), tasks=tuple(tasks), actions=spread)


def join(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays [T, ...] as one of rows [T, n]."""
    return np.concatenate([part.reshape(len(part), -1).astype(np.float32) for part in parts], axis=1)


def _look(
    data: memoryview, record: Record, features: Mapping[str, Described], action_keys: Sequence[str]
) -> tuple[int, str, np.ndarray | None]:
    try:
        found = parse_example(data)
        length = _length(found, features)
        task = next((text for key in INSTRUCTIONS if key in found for text in texts(found, key)[:1]), "")
        actions = [samples(found, features[key], 0, length, length, str(record)) for key in action_keys]
        return length, task, join(actions) if actions else None
    except (WireError, DataError) as error:
        read_record(record)  # Says so, if it is the file that is damaged.
        raise malformed(str(record), error) if isinstance(error, WireError) else error from error


def _length(found: Mapping[str, Feature], features: Mapping[str, Described]) -> int:
    """Steps of an episode: from the first number per step there is, else from pictures or texts."""
    present = [described for key, described in features.items() if key in found]
    if not present:
        raise WireError("none of the features of a step is there")
    described = min(present, key=lambda one: (one.form != "tensor" or one.encoding != "none", one.size))
    if described.form == "tensor" and described.encoding == "none":
        count = len(numbers(found[described.key]))
        if count % described.size:
            raise WireError(f"{count} numbers in {described.key!r}, {described.size} a step")
        return count // described.size
    return len(byte_strings(found[described.key]))
