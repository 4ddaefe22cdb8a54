"""`Scorecard`: the one form in which anything that evaluates reports. Stable JSON, schema `monde.scorecard/1`.

{"schema": "monde.scorecard/1", "name": …, "created": …, "protocol": {…}, "protocol_id": …, "machine": {…},
 "commit": …, "seeds": […], "rows": [{"metric": …, "value": …, "unit": …, "interval": [low, high] | null, "n": …,
 "floors": {name: value}, "note": …}]}
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from monde.errors import ContractError, StoreError, unknown_name
from monde.limits import MAX_NAME_CHARACTERS

SCHEMA = "monde.scorecard/1"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure.

    Args:
        metric: Its name; parts are separated by "/" ("success/tworoom/cem").
        value: The figure. Not NaN.
        unit: Its unit ("px", "s", "1" for a fraction).
        interval: 95% interval, or none where the figure is a single measurement.
        n: What it was measured over (episodes, windows, runs).
        floors: Figures of the baselines that it must beat to mean anything, by name.
        note: Anything a reader must know to not misread it.
    """

    metric: str
    value: float
    unit: str = "1"
    interval: tuple[float, float] | None = None
    n: int
    floors: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.metric) <= MAX_NAME_CHARACTERS:
            raise ContractError("Row.metric has an unusable name", got=repr(self.metric[:40]))
        if math.isnan(self.value):
            raise ContractError(f"Row {self.metric!r} is NaN", expected="a number", remedy="report why it is missing")
        if self.interval is not None and not self.interval[0] <= self.interval[1]:
            raise ContractError(f"Row {self.metric!r} has a reversed interval", got=self.interval)
        if self.n < 1:
            raise ContractError(f"Row {self.metric!r} was measured over nothing", got=self.n, expected="n ≥ 1")

    def __str__(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        interval = "" if self.interval is None else f" [{self.interval[0]:.4g}, {self.interval[1]:.4g}]"
        floors = ", ".join(f"{name} {value:.4g}" for name, value in self.floors.items())
        return f"{self.metric} {self.value:.4g}{unit}{interval} n={self.n}" + (f" (floors: {floors})" if floors else "")


@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """Figures that share one protocol.

    Args:
        name: What was scored.
        rows: The figures; metric names are unique.
        protocol: The protocol card: goal sampling, budget, success test, seeds, normalisation, data hash…
        machine: What it ran on.
        commit: Commit of the code, with "+dirty" where files differed from it.
        seeds: Seeds of training and evaluation.
        created: UTC time, ISO 8601.
    """

    name: str
    rows: tuple[Row, ...]
    protocol: Mapping[str, object]
    machine: Mapping[str, object]
    commit: str
    seeds: tuple[int, ...]
    created: str

    def __post_init__(self) -> None:
        names = [row.metric for row in self.rows]
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            raise ContractError("Scorecard holds a metric twice", got=doubles, expected="unique metric names")

    @property
    def protocol_id(self) -> str:
        """First 12 hex digits of the SHA-256 of the protocol card; equal ids mean equal protocols."""
        canonical = json.dumps(dict(self.protocol), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def __getitem__(self, metric: str) -> Row:
        for row in self.rows:
            if row.metric == metric:
                return row
        raise unknown_name("metric", metric, [row.metric for row in self.rows], ContractError)

    def __contains__(self, metric: object) -> bool:
        return any(row.metric == metric for row in self.rows)

    def to_json(self) -> dict[str, object]:
        """The JSON form; raises ContractError if anything in it is not finite JSON."""
        document: dict[str, object] = {
            "schema": SCHEMA,
            "name": self.name,
            "created": self.created,
            "commit": self.commit,
            "machine": dict(self.machine),
            "seeds": list(self.seeds),
            "protocol_id": self.protocol_id,
            "protocol": dict(self.protocol),
            "rows": [
                {
                    "metric": row.metric,
                    "value": row.value,
                    "unit": row.unit,
                    "interval": None if row.interval is None else list(row.interval),
                    "n": row.n,
                    "floors": dict(row.floors),
                    "note": row.note,
                }
                for row in self.rows
            ],
        }
        try:
            json.dumps(document, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ContractError(f"Scorecard {self.name!r} cannot be written as JSON", got=error) from error
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Self:
        """Read the JSON form back; raises StoreError on another schema or a malformed document."""
        if document.get("schema") != SCHEMA:
            raise StoreError("this is not a scorecard", got=document.get("schema"), expected=SCHEMA)
        try:
            rows = tuple(_row(item) for item in _list(document["rows"]))
            return cls(
                name=str(document["name"]),
                rows=rows,
                protocol=_mapping(document["protocol"]),
                machine=_mapping(document["machine"]),
                commit=str(document["commit"]),
                seeds=tuple(int(str(seed)) for seed in _list(document["seeds"])),
                created=str(document["created"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError("this scorecard is malformed", got=repr(error), expected=f"a {SCHEMA} document") from error

    def __str__(self) -> str:
        return "\n".join([f"{self.name} (protocol {self.protocol_id})", *(f"  {row}" for row in self.rows)])


def _row(item: object) -> Row:
    fields = _mapping(item)
    interval = fields.get("interval")
    low_high = None if interval is None else tuple(float(str(bound)) for bound in _list(interval))
    if low_high is not None and len(low_high) != 2:
        raise ValueError(f"interval {interval!r}")
    return Row(
        metric=str(fields["metric"]),
        value=float(str(fields["value"])),
        unit=str(fields["unit"]),
        interval=None if low_high is None else (low_high[0], low_high[1]),
        n=int(str(fields["n"])),
        floors={name: float(str(value)) for name, value in _mapping(fields.get("floors", {})).items()},
        note=str(fields.get("note", "")),
    )


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"an object was expected, got {type(value).__name__}")
    return {str(key): item for key, item in value.items()}


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, got {type(value).__name__}")
    return list(value)
