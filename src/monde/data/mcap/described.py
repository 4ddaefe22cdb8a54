"""What monde itself writes into an MCAP file about the recording in it, so that it is read back as it was."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from monde.data.clocks.config import LogConfig
from monde.data.clocks.rules import Rule
from monde.data.mcap.file import McapFile
from monde.data.mcap.parts import Convert, Part, sensor_name
from monde.errors import DataError, MondeError
from monde.spatial import yaw
from monde.store.typed import from_json, to_json
from monde.types import ActionSpec, Sensor

METADATA = "monde"
_KEY = "recording"
SCHEMA = "monde.mcap/1"


@dataclass(frozen=True, kw_only=True)
class Described:
    """A recording as monde writes it.

    Args:
        sensors: Its sensors, at the rate of the steps.
        topics: The topic of each, by name.
        actions: The action space, or none.
        action_topic: Where the actions are.
        clock_topic: The topic of which every message is a step.
        rules: How each sensor is aligned to the steps.
        task: What was to be done, in words.
        source: Where the recording came from (JSON).
        schema: Version of these fields.
    """

    sensors: tuple[Sensor, ...]
    topics: Mapping[str, str]
    actions: ActionSpec | None
    action_topic: str
    clock_topic: str
    rules: Mapping[str, Rule]
    task: str = ""
    source: Mapping[str, object] = field(default_factory=dict)
    schema: str = SCHEMA

    @property
    def step_hz(self) -> float:
        """Steps per second."""
        return self.sensors[0].rate_hz if self.actions is None else 1 / self.actions.dt_seconds

    def applied(self, config: LogConfig) -> LogConfig:
        """A configuration with what is described here, where it says nothing else."""
        return replace(
            config,
            actions=None if self.actions is None else self.action_topic,
            rules={**self.rules, **config.rules},
            reference=config.reference or sensor_name(self.clock_topic),
            settle_seconds=0.0,
        )


def clock_parts(own: Described) -> dict[str, tuple[Part, ...]]:
    """The topic of which every message is a step, as if it were a sensor: its times are what counts."""
    sensor = Sensor(name=sensor_name(own.clock_topic), kind="state", shape=(1,), rate_hz=1.0)
    return {own.clock_topic: (Part(sensor, lambda message: np.zeros(1, dtype=np.float32)),)}


def described(file: McapFile) -> Described | None:
    """What monde wrote about the recording in a file, or none: another program wrote it.

    Raises:
        DataError: It cannot be read, or is of another version.
    """
    entry = file.metadata.get(METADATA, {}).get(_KEY)
    if entry is None:
        return None
    try:
        found = from_json(Described, json.loads(entry), METADATA)
    except (ValueError, MondeError) as error:
        raise DataError(
            f"what {file.path} says about its recording cannot be read",
            got=error,
            remedy="convert it again with this version of monde",
        ) from error
    if found.schema != SCHEMA:
        raise DataError(f"{file.path} was written by another version", got=found.schema, expected=SCHEMA)
    return found


def metadata(told: Described) -> dict[str, str]:
    """The entries of the metadata record."""
    return {_KEY: json.dumps(to_json(told), allow_nan=False)}


def as_described(convert: Convert, sensor: Sensor) -> Convert:
    """A message as a sample in the described sensor's shape: messages of poses and twists are always in space."""

    def shaped(message: object) -> np.ndarray | None:
        sample = convert(message)
        if sample is None or sensor.picture or sensor.kind == "points":
            return sample
        if (sensor.kind, sensor.shape) == ("pose", (3,)):
            return np.array([sample[0], sample[1], yaw(sample[None, 3:7].astype(np.float64))[0]], dtype=np.float32)
        if (sensor.kind, sensor.shape) == ("twist", (3,)):
            return sample[[0, 1, 5]]
        return sample[:3] if sensor.kind == "gnss" else sample.reshape(sensor.shape)

    return shaped
