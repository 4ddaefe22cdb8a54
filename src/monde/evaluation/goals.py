"""Goals as they are typed: `state=40,20±3` for a target of a readout, `state.x>40,state.y<20` for a predicate."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from monde.errors import UsageError
from monde.models import JEPA
from monde.readouts import LinearReadout, fit_linear
from monde.training.frame_latents import FrameLatents, encode_frames
from monde.training.setup import Setup
from monde.types import PredicateGoal, ReadoutGoal, Sensor

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
TARGET = re.compile(rf"(?P<name>[\w-]+)=(?P<values>{NUMBER}(?:,{NUMBER})*)(?:±|\+-|\+/-)(?P<tolerance>{NUMBER})")
BOUND = re.compile(rf"(?P<name>[\w-]+)\.(?P<component>[\w-]+)(?P<side>[<>])(?P<value>{NUMBER})")

EXPECTED = "NAME=NUMBER,…±TOLERANCE, or NAME.COMPONENT<NUMBER and > likewise, several with commas between"

BANK_FRAMES = 20_000
"""Training frames that a goal told by a readout is looked for in."""


@dataclass(frozen=True, kw_only=True)
class _Bound:
    """One component of one readout above or below a value."""

    readout: int
    component: int
    above: bool
    value: float


@dataclass(frozen=True)
class _Within:
    """A predicate: all bounds hold."""

    bounds: tuple[_Bound, ...]

    def __call__(self, *values: Tensor) -> Bool[Tensor, "..."]:
        """Truth of each state."""
        found = [
            values[bound.readout][..., bound.component] > bound.value
            if bound.above
            else values[bound.readout][..., bound.component] < bound.value
            for bound in self.bounds
        ]
        return torch.stack(found).all(0)


def is_readout_goal(text: str) -> bool:
    """Whether this looks like a target or a predicate rather than a frame or a file."""
    return bool(TARGET.fullmatch(text) or all(BOUND.fullmatch(part) for part in text.split(",")))


def parse_goal(text: str, sensors: Mapping[str, Sensor], rows: int) -> ReadoutGoal | PredicateGoal:
    """A target or a predicate of the recording's states.

    Args:
        text: As typed.
        sensors: Those that a readout can be fitted on, by name.
        rows: B.

    Raises:
        UsageError: It cannot be read, or names a state or component that was not recorded.
    """
    target = TARGET.fullmatch(text)
    if target:
        sensor = _sensor(target["name"], sensors)
        values = [float(value) for value in target["values"].split(",")]
        width, tolerance = int(np.prod(sensor.shape)), float(target["tolerance"])
        if len(values) != width or tolerance <= 0:
            raise UsageError(
                f"goal {text!r} does not fit {sensor.name!r}",
                got=f"{len(values)} numbers, a tolerance of {tolerance:g}",
                expected=f"{width} numbers ({', '.join(sensor.names) or 'in order'}), a tolerance above 0",
            )
        return ReadoutGoal(sensor.name, torch.tensor(values).expand(rows, -1), tolerance)
    parts = [BOUND.fullmatch(part) for part in text.split(",")]
    found = [part for part in parts if part]
    if len(found) < len(parts):
        raise UsageError(f"goal {text!r} cannot be understood", expected=EXPECTED)
    names = tuple(dict.fromkeys(part["name"] for part in found))
    bounds = tuple(
        _Bound(
            readout=names.index(part["name"]),
            component=_component(part["component"], _sensor(part["name"], sensors)),
            above=part["side"] == ">",
            value=float(part["value"]),
        )
        for part in found
    )
    return PredicateGoal(text, names, _Within(bounds))


def readable_states(setup: Setup) -> dict[str, Sensor]:
    """States of the recording that readouts can be fitted on, by name."""
    return {sensor.name: sensor for sensor in setup.recording.sensors if sensor.kind == "state"}


def fit_readouts(
    model: JEPA, setup: Setup, names: tuple[str, ...]
) -> tuple[FrameLatents, dict[str, Callable[[Tensor], Tensor]]]:
    """The latents of the training frames, and linear readouts of some recorded states, fitted on them."""
    data = encode_frames(model, setup)
    found: dict[str, Callable[[Tensor], Tensor]] = {}
    for name in names:
        parts = []
        for episode in setup.split.train:
            clip = setup.recording.read(episode, 0, setup.recording.lengths[episode], [name])
            parts.append(clip.stream(name).values[0].flatten(1))
        values = torch.cat(parts).to(data.latents.device)
        index = spread(len(values), BANK_FRAMES)
        sensor = readable_states(setup)[name]
        readout: LinearReadout = fit_linear(
            data.latents[index], values[index], name=name, unit=sensor.unit, names=sensor.names
        )
        found[name] = readout.to(data.latents.device)
    return data, found


def spread(total: int, count: int) -> Tensor:
    """At most `count` indices, evenly over `total`."""
    return torch.linspace(0, total - 1, min(count, total)).round().long()


def _sensor(name: str, sensors: Mapping[str, Sensor]) -> Sensor:
    if name not in sensors:
        raise UsageError(
            f"no state called {name!r} was recorded",
            got=sorted(sensors) or "no states at all",
            expected=EXPECTED,
            remedy="give the goal as a picture or as EPISODE:FRAME of the recording",
        )
    return sensors[name]


def _component(text: str, sensor: Sensor) -> int:
    if text in sensor.names:
        return sensor.names.index(text)
    if text.isdigit() and int(text) < int(np.prod(sensor.shape)):
        return int(text)
    raise UsageError(
        f"{sensor.name!r} has no component {text!r}",
        expected=", ".join(sensor.names) or f"0 to {int(np.prod(sensor.shape)) - 1}",
    )
