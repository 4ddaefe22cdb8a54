"""Whether actions look like commanded positions: then reading the state of a robot from them is trivial."""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Float, Float64

from monde.data.checking.findings import Finding
from monde.protocols import Recording
from monde.types import ActionSpec, Sensor

COMMANDED = 0.99
"""Correlation of an action with the next state above which it looks like the position commanded."""

ROUGHLY = 0.8
"""The same, where actions are to be taken as differences from the state."""

Pairing = tuple[list[int], list[int], int]
"""Components of an action, the sensor's that belong to them, and the width of an action."""


class Commands:
    """Gathers, over episodes, how far actions are the state of a few steps later.

    Args:
        recording: What is checked.
        delays: Control steps after an action up to which the state may follow it.
    """

    def __init__(self, recording: Recording, delays: int) -> None:
        self._spec, self._delays = recording.actions, range(1, delays + 1)
        self._sums: dict[tuple[str, int], Float64[np.ndarray, "six n"]] = {}
        self._sensors = {sensor.name: sensor for sensor in recording.sensors}

    def add(self, values: Mapping[str, Float[np.ndarray, "T n"]], actions: Float[np.ndarray, "T1 dim"]) -> None:
        """One episode."""
        for name, state in values.items():
            mine, its = pairing(self._spec, self._sensors[name])
            for delay in self._delays if len(mine) else ():
                s = state[delay:, its].astype(np.float64)
                a = actions[: len(s), mine].astype(np.float64)
                sums = np.stack([np.full(len(mine), len(a)), a.sum(0), s.sum(0), (a * a).sum(0), (s * s).sum(0),
                                 (a * s).sum(0)])  # fmt: skip
                self._sums[name, delay] = self._sums.get((name, delay), 0.0) + sums

    def findings(self) -> Iterator[Finding]:
        """A note for each sensor that the actions command."""
        for name in dict.fromkeys(name for name, _ in self._sums):
            alike, delay, off, moving = max(self._alike(name, delay) for delay in self._delays)
            if alike > COMMANDED and self._spec is not None:
                seconds = delay * self._spec.dt_seconds
                yield Finding(
                    level="note",
                    code="actions-are-positions",
                    what=f"actions look like commanded positions of {name!r} (median correlation {alike:.4f} with "
                    f"its value {seconds:.2g} s later, root mean square difference {off:.3g})",
                    remedy='judge state readouts against the floor "state := commanded action": with these actions, or '
                    "with the state as input, reading the state is trivial",
                    figures={
                        "correlation": alike,
                        "rms_difference": off,
                        "delay_seconds": seconds,
                        "components": moving,
                    },
                )

    def pairings(self) -> dict[str, Pairing]:
        """The sensors whose positions the actions look like, roughly, and which components belong together."""
        found = {}
        for name in dict.fromkeys(name for name, _ in self._sums):
            if self._spec is not None and max(self._alike(name, delay) for delay in self._delays)[0] > ROUGHLY:
                found[name] = (*pairing(self._spec, self._sensors[name]), self._spec.dim)
        return found

    def _alike(self, name: str, delay: int) -> tuple[float, int, float, int]:
        """Median correlation over components that move, the delay, the difference, and how many move."""
        n, a, s, aa, ss, both = self._sums[name, delay]
        spread = np.sqrt(np.maximum(aa / n - (a / n) ** 2, 0) * np.maximum(ss / n - (s / n) ** 2, 0))
        moves = spread > 1e-9
        if not moves.any():
            return 0.0, delay, 0.0, 0
        alike = (both / n - a * s / n**2)[moves] / spread[moves]
        off = np.sqrt(np.maximum((aa - 2 * both + ss) / n, 0)[moves].mean())
        return float(np.median(alike)), delay, float(off), int(moves.sum())


def pairing(spec: ActionSpec | None, sensor: Sensor) -> tuple[list[int], list[int]]:
    """Components of the action and of a sensor that belong together: by name, or all in order if as many."""
    width = int(np.prod(sensor.shape))
    if spec is None or spec.discrete:
        return [], []
    common = [part for part in spec.names if part in sensor.names]
    if common:
        return [spec.names.index(part) for part in common], [sensor.names.index(part) for part in common]
    return (list(range(width)),) * 2 if width == spec.dim else ([], [])
