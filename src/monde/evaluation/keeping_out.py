"""Volumes to keep out of as they are typed: `gripper=0,0,0.1±0.05` is a ball, `gripper=0,0,0.1±0.05,0.05,0.1` a box."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool
from torch import Tensor

from monde.agents import Judge, Strategy
from monde.costs import KeepOut
from monde.costs.base import Sum
from monde.errors import UsageError
from monde.evaluation.goals import NUMBER
from monde.evaluation.statistics import wilson
from monde.protocols import Observation
from monde.scorecard import Row
from monde.types import Sensor

VOLUME = re.compile(
    rf"(?P<name>[\w-]+)=(?P<centre>{NUMBER}(?:,{NUMBER})*)(?:±|\+-|\+/-)(?P<sizes>{NUMBER}(?:,{NUMBER})*)"
)

MARGIN_SHARE = 0.25
"""How far around a volume plans stay, for errors of model and readout, as a share of its least half side."""


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A ball or a box that a recorded state must not enter.

    Args:
        name: Of the state.
        centre: One number for each of its components, in its unit.
        sizes: The ball's radius alone, or half a side for each component.
    """

    name: str
    centre: tuple[float, ...]
    sizes: tuple[float, ...]

    def cost(self, readout: Callable[[Tensor], Tensor]) -> KeepOut:
        """What forbids it to plans, by a readout of the state."""
        margin = MARGIN_SHARE * min(self.sizes)
        if len(self.sizes) == 1:
            return KeepOut(readout=readout, centre=self.centre, radius=self.sizes[0], margin=margin)
        return KeepOut(readout=readout, centre=self.centre, half_sides=self.sizes, margin=margin)

    def holds(self, observation: Observation) -> Bool[np.ndarray, " B"]:
        """Whether the state itself, as the world shows it, is inside."""
        away = np.abs(observation.values[self.name].reshape(observation.batch, -1) - np.array(self.centre))
        if len(self.sizes) == 1:
            return np.asarray(np.sqrt((away**2).sum(axis=1)) < self.sizes[0])
        return np.asarray((away < np.array(self.sizes)).all(axis=1))


def parse_volume(text: str, states: Mapping[str, Sensor]) -> Volume:
    """A ball or a box as typed.

    Raises:
        UsageError: It cannot be read, or does not fit a state that was recorded.
    """
    found = VOLUME.fullmatch(text)
    expected = "NAME=CENTRE,…±RADIUS, or NAME=CENTRE,…±HALF,SIDE,…"
    if found is None:
        raise UsageError(f"the volume {text!r} cannot be understood", expected=expected)
    if found["name"] not in states:
        got, known = found["name"], ", ".join(sorted(states)) or "none"
        raise UsageError(f"the volume {text!r} is of no recorded state", got=got, expected=f"one of {known}")
    width = int(np.prod(states[found["name"]].shape))
    centre, sizes = (tuple(float(number) for number in found[part].split(",")) for part in ("centre", "sizes"))
    if len(centre) != width or len(sizes) not in (1, width) or min(sizes) <= 0:
        raise UsageError(
            f"the volume {text!r} does not fit {found['name']!r}",
            got=f"{len(centre)} numbers ± {len(sizes)}",
            expected=f"{width} numbers ± a radius, or {width} half sides above 0",
        )
    return Volume(name=found["name"], centre=centre, sizes=sizes)


def kept_out(
    strategy: Strategy, volumes: tuple[Volume, ...], readouts: Mapping[str, Callable[[Tensor], Tensor]]
) -> Strategy:
    """The strategy with the volumes added to its cost; trust is of plans without them, and is left behind."""
    if not volumes:
        return strategy
    forbidden = [(1.0, volume.cost(readouts[volume.name])) for volume in volumes]
    return replace(strategy, cost=Sum(((1.0, strategy.cost), *forbidden)), trust=None)


class Watch:
    """Notes which episodes enter a volume before they reach their goal.

    Args:
        volumes: To keep out of.
        judge: The success test, or none where nothing tells of success.
    """

    def __init__(self, volumes: tuple[Volume, ...], judge: Judge | None = None) -> None:
        self._volumes, self._judge = volumes, judge
        self._done: Bool[np.ndarray, " B"] | None = None
        self._entered: Bool[np.ndarray, " B"] | None = None

    def __call__(self, observation: Observation) -> Bool[np.ndarray, " B"]:
        """Which rows have reached their goal."""
        nobody = np.zeros(observation.batch, dtype=np.bool_)
        inside = np.logical_or.reduce([nobody, *(volume.holds(observation) for volume in self._volumes)])
        done = nobody if self._done is None else self._done
        self._entered = (nobody if self._entered is None else self._entered) | (inside & ~done)
        reached = nobody if self._judge is None else self._judge(observation)
        self._done = done | reached
        return reached

    def rows(self) -> tuple[Row, ...]:
        """Share of episodes that entered a volume; nothing where there is none to enter."""
        return () if self._entered is None or not self._volumes else (entered_row(self._entered),)


def entered_row(entered: Bool[np.ndarray, " B"]) -> Row:
    """Share of episodes in which a volume was entered at some control step until success or the end."""
    n, count = len(entered), int(entered.sum())
    note = "episodes in which a volume to keep out of was entered, by the world's own sensors, after any control step"
    return Row(metric="entered", value=count / n, interval=wilson(count, n), n=n, note=note)
