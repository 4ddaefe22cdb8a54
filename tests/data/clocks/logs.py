"""A log in memory: numbers on clocks of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from monde.data.clocks.config import LogConfig
from monde.data.clocks.opening import Opened, aligned
from monde.data.clocks.recording import AlignedRecording
from monde.data.clocks.tracks import Commands, Samples
from monde.types import Sensor


@dataclass
class MemoryLog:
    times: Mapping[str, np.ndarray]
    values: Mapping[str, np.ndarray]
    commands: Commands | None = None
    name: str = "log"
    there: Mapping[str, np.ndarray] = field(default_factory=dict)

    def read(self, wanted: Mapping[str, np.ndarray]) -> dict[str, Samples]:
        return {
            name: Samples(
                self.values[name][index],
                self.there.get(name, np.ones(len(self.values[name]), dtype=bool))[index],
            )
            for name, index in wanted.items()
        }


def opened(
    sensors: Sequence[Sensor], logs: Sequence[MemoryLog], root: Path, config: LogConfig | None = None
) -> AlignedRecording:
    root.mkdir(exist_ok=True)
    found = Opened(
        root=root, layout="memory", sensors=tuple(sensors), logs=tuple(logs), files=(), config=config or LogConfig()
    )
    return aligned(found)
