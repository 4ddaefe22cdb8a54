"""Recordings with one thing wrong, really written; what no writer of ours would write is edited into the files."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monde.data import EpisodeData, Finding, RecordingWriter
from monde.protocols import Recording
from monde.types import ActionSpec, Clip, Sensor

Parts = dict[str, np.ndarray]

SENSORS = (
    Sensor(name="top", kind="rgb", shape=(3, 8, 8), rate_hz=10.0),
    Sensor(name="state", kind="state", shape=(2,), rate_hz=10.0, names=("x", "y")),
)
BOX = ActionSpec(low=(-1.0,), high=(1.0,), dt_seconds=0.1, names=("push",))


def parts(rng: np.random.Generator, length: int) -> Parts:
    """A point on a line, pushed: a dot in the picture, its place and a clock as state."""
    actions = rng.uniform(-1, 1, (length - 1, 1))
    x = np.clip(np.concatenate([[rng.uniform(1, 6)], rng.uniform(1, 6) + np.cumsum(actions[:, 0])]), 0, 7)
    top = np.zeros((length, 3, 8, 8), np.uint8)
    top[np.arange(length), :, 4, x.astype(int)] = 255
    state = np.stack([x, np.sin(0.3 * np.arange(length) + rng.uniform(0, 6))], 1)
    return {"top": top, "state": state, "times": np.arange(length) * 0.1, "actions": actions}


def record(
    root: Path,
    change: Callable[[Parts], None] = lambda parts: None,
    *,
    episodes: int = 6,
    length: int = 24,
    copies: Mapping[int, int] | None = None,
    sensors: Sequence[Sensor] = SENSORS,
) -> Path:
    """Write `episodes` episodes, each changed; episode a of `copies` repeats episode copies[a]."""
    with RecordingWriter(root, sensors=tuple(sensors), actions=BOX, source={}) as writer:
        for episode in range(episodes):
            made = parts(np.random.default_rng((copies or {}).get(episode, episode)), length)
            change(made)
            values = {sensor.name: made[sensor.name] for sensor in sensors}
            writer.append([EpisodeData(values, made["times"], made["actions"])])
    return root


def overwrite(root: Path, episode: int, column: str, change: Callable[[list[object]], list[object]]) -> None:
    """Edit one column of one episode's Parquet file, past every check of the writer."""
    path = root / f"data/chunk-000/file-{episode:03d}.parquet"
    table = pq.read_table(path)
    index = table.schema.get_field_index(column)
    field = table.schema.field(index)
    pq.write_table(table.set_column(index, field, pa.array(change(table[column].to_pylist()), field.type)), path)


def declare(root: Path, **entries: object) -> None:
    """Change entries of meta/info.json, and drop what only our own tools read."""
    path = root / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))
    (root / "meta/monde.json").unlink()


def coded(findings: Sequence[Finding], code: str) -> list[Finding]:
    """The findings of one kind."""
    return [finding for finding in findings if finding.code == code]


@dataclass(frozen=True)
class Altered:
    """A recording whose clips are changed as they are read: what a reader of another layout might deliver."""

    inner: Recording
    change: Callable[[Clip], Clip]

    @property
    def root(self) -> Path:
        return self.inner.root

    @property
    def source(self) -> Mapping[str, object]:
        return self.inner.source

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        return self.inner.sensors

    @property
    def actions(self) -> ActionSpec | None:
        return self.inner.actions

    @property
    def lengths(self) -> tuple[int, ...]:
        return self.inner.lengths

    @property
    def fingerprint(self) -> str:
        return self.inner.fingerprint

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        return self.change(self.inner.read(episode, start, stop, sensors))
