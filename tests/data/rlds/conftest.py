"""Small RLDS datasets, really written."""

import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.data.rlds.writing import Value, example, png, write_features, write_records

Episode = dict[str, np.ndarray]


def make_arrays(length: int, seed: int) -> Episode:
    rng = np.random.default_rng(seed)
    return {
        "camera": rng.integers(0, 256, (length, 8, 12, 3), dtype=np.uint8),
        "state": rng.normal(size=(length, 3)).astype(np.float32),
        "closed": rng.integers(0, 2, length),
        "exact": rng.normal(size=(length, 2)),
        "vector": rng.normal(size=(length, 2)).astype(np.float32),
        "grip": rng.integers(-300, 300, length),
    }


def flatten(arrays: Episode, task: str) -> dict[str, Value]:
    length = len(arrays["state"])
    return {
        "steps/observation/camera": [png(frame) for frame in arrays["camera"]],
        "steps/observation/state": arrays["state"],
        "steps/observation/closed": arrays["closed"],
        "steps/observation/exact": [zlib.compress(row.astype("<f8").tobytes()) for row in arrays["exact"]],
        "steps/observation/language_embedding": np.zeros((length, 4), dtype=np.float32),
        "steps/observation/note": [b"a note"] * length,
        "steps/action/world_vector": arrays["vector"],
        "steps/action/grip": arrays["grip"],
        "steps/is_last": np.arange(length) == length - 1,
        "steps/language_instruction": [task.encode()] * length,
        "episode_metadata/file_path": [b"/somewhere/else"],
    }


@pytest.fixture(scope="session")
def make_rlds() -> Callable[..., list[Episode]]:
    def made(
        root: Path,
        splits: Mapping[str, tuple[tuple[int, ...], ...]],
        change: Callable[[int, dict[str, Value]], dict[str, Value]] = lambda _, features: features,
        packed: bool = True,
    ) -> list[Episode]:
        """Splits of shards of episode lengths; `change` edits the features of the n-th episode. Returns the arrays."""
        root.mkdir(parents=True, exist_ok=True)
        write_features(root)
        written: list[Episode] = []
        for split, shards in splits.items():
            for number, lengths in enumerate(shards):
                payloads = []
                for length in lengths:
                    index = len(written)
                    written.append(make_arrays(length, index))
                    payloads.append(example(change(index, flatten(written[-1], f"task {index}")), packed))
                write_records(root / f"toy-{split}.tfrecord-{number:05d}-of-{len(shards):05d}", payloads)
        told = [{"name": n, "shardLengths": [str(len(s)) for s in shards]} for n, shards in splits.items()]
        (root / "dataset_info.json").write_text(json.dumps({"name": "toy", "version": "1.0.0", "splits": told}))
        return written

    return made
