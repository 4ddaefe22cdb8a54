"""`LogConfig`: what a log does not say about itself, in a small JSON file beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from monde.data.clocks.rules import Rule
from monde.errors import ContractError, DataError, StoreError
from monde.limits import MAX_CLOUD_POINTS
from monde.store import read_json
from monde.store.typed import from_json, to_json

NAME = "monde.json"
"""In a folder of logs; a single file has NAME.monde.json beside it."""


@dataclass(frozen=True, kw_only=True)
class LogConfig:
    """How a log is read; every field has a default that is told in the recording's `source`.

    Args:
        actions: The topic of commands, of all numbers that say what was done (Twist, JointState, arrays of numbers);
            none for a log of which only the sensors are used. The action between two steps is the mean of the commands
            in force between them, each held until the next.
        rate_hz: Steps per second; by default a step for every sample of the reference.
        reference: The sensor whose samples make the steps; by default the slowest camera, else depth image, cloud or
            scan, else the fastest other sensor.
        time: Which time of a message counts: "log", when it was written (one clock, and what a robot would have known),
            or "header", its sensor's own.
        offsets: Seconds to add to the times of a sensor whose clock has another zero.
        rules: How a sensor is aligned; by default the last sample, no older than three of its periods (grids: of any
            age).
        without: Topics or sensors to leave out.
        base: The frame that sensors are mounted on; base_link, base_footprint or base where there is one, else the root
            of the fixed transforms.
        depth_units: "m" or "mm" of depth images that do not say it.
        cloud_points: Points of a cloud that are kept; larger ones are thinned evenly.
        settle_seconds: How long an episode waits at its beginning for the last of its sensors to deliver.

    Raises:
        ContractError: A number out of range.
    """

    actions: str | None = None
    rate_hz: float | None = None
    reference: str | None = None
    time: Literal["log", "header"] = "log"
    offsets: Mapping[str, float] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    base: str | None = None
    depth_units: Mapping[str, Literal["m", "mm"]] = field(default_factory=dict)
    cloud_points: int = 16_384
    settle_seconds: float = 2.0

    def __post_init__(self) -> None:
        if self.rate_hz is not None and not 0 < self.rate_hz < float("inf"):
            raise ContractError("this is no rate", got=self.rate_hz, expected="a finite rate > 0 Hz")
        if not 1 <= self.cloud_points <= MAX_CLOUD_POINTS:
            raise ContractError("unusable cloud_points", got=self.cloud_points, expected=f"1 to {MAX_CLOUD_POINTS}")
        if not 0 <= self.settle_seconds < float("inf"):
            raise ContractError("unusable settle_seconds", got=self.settle_seconds, expected="finite, ≥ 0")


def config_path(root: Path) -> Path:
    """Where the configuration of a log lies: in its folder, or beside the single file."""
    return root / NAME if root.is_dir() else root.with_name(f"{root.name}.{NAME}")


def read_config(root: Path) -> LogConfig:
    """What lies beside a log, or the defaults.

    Raises:
        DataError: It is no JSON of these fields; the field is named.
    """
    path = config_path(root)
    if not path.exists():
        return LogConfig()
    try:
        return from_json(LogConfig, read_json(path), path.name)
    except (StoreError, ContractError) as error:
        raise DataError(
            f"{path} does not say how to read the log: {error.what}",
            got=error.got,
            expected=error.expected or f"fields of LogConfig: {', '.join(LogConfig.__dataclass_fields__)}",
            remedy=error.remedy if isinstance(error, ContractError) else "correct the file; docs/logs.md explains it",
        ) from error


def configured(config: LogConfig | None, root: Path, rate_hz: float | None) -> LogConfig:
    """The configuration given or lying beside the log, at a rate that is given besides.

    Raises:
        DataError: It is malformed.
    """
    found = read_config(root) if config is None else config
    return found if rate_hz is None else replace(found, rate_hz=rate_hz)


def config_digest(config: LogConfig) -> str:
    """The configuration as text, for fingerprints."""
    return json.dumps(to_json(config), sort_keys=True)
