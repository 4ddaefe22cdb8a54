"""Columns: NaN, constants, action ranges and saturation, and whether a sensor changes at all within an episode."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from monde.data.checking.findings import Finding, component, listed
from monde.data.checking.looking import Look
from monde.protocols import Recording
from monde.types import ActionSpec

SATURATED = 0.5
"""Share of steps at a bound above which an action component is saturated."""

STILL_LEVELS = 2
"""Levels (of 255) that pixels of a picture that never changes may flicker by: what lossy video does to one."""

NOISE = 0.1
"""Correlation with itself a lag later below which a sensor looks like noise."""

_SWITCH, _EITHER = 0.9, 0.02


class _Column:
    """Spread of one sensor's components, pooled over episodes."""

    def __init__(self) -> None:
        self.count, self.episodes, self.missing, self.bad_episode = 0, 0, 0, -1
        self.low = self.high = self.mean = self.within = self.between = self.change = np.empty(0)
        self.bad: Int64[np.ndarray, " n"] = np.empty(0, np.int64)

    def add(self, rows: Float[np.ndarray, "T n"], lag: int, episode: int) -> None:
        """One episode; rows that are not finite are counted and left out."""
        values = rows.astype(np.float64)
        finite = np.isfinite(values)
        if len(self.bad) != values.shape[1]:
            self.bad = np.zeros(values.shape[1], np.int64)
        if not finite.all():
            self.bad = self.bad + (~finite).sum(0)
            self.bad_episode = episode if self.bad_episode < 0 else self.bad_episode
            values = values[finite.all(1)]
        if not len(values):
            return
        low, high, mean = values.min(0), values.max(0), values.mean(0)
        within = np.square(values - mean).sum(0)
        change = np.square(values[lag:] - values[:-lag]).mean(0) * len(values) if 0 < lag < len(values) else 2 * within
        if not self.count:
            self.low, self.high, self.mean, self.within, self.change = low, high, mean, within, change
            self.between = np.zeros_like(mean)
        else:
            # Chan, Golub and LeVeque (1979): pooled without the cancellation of sums of squares.
            delta, total = mean - self.mean, self.count + len(values)
            self.between = self.between + delta**2 * (self.count * len(values) / total)
            self.mean = self.mean + delta * (len(values) / total)
            self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)
            self.within, self.change = self.within + within, self.change + change
        self.count, self.episodes = self.count + len(values), self.episodes + 1

    @property
    def still(self) -> Bool[np.ndarray, " n"]:
        """Components that never change."""
        return self.low == self.high

    @property
    def within_share(self) -> float:
        """Variance within episodes, of all variance, over components that vary; 0 where none does."""
        varies = ~self.still
        total = (self.within + self.between)[varies]
        return float((self.within[varies] / total).mean()) if varies.any() else 0.0

    @property
    def carried(self) -> float:
        """Correlation of a value with the one a lag later in its episode, over components that change in episodes."""
        varies = self.within > 1e-12 * np.maximum(self.within + self.between, 1e-300)
        return float((1 - self.change[varies] / (2 * self.within[varies])).mean()) if varies.any() else 0.0


class Columns:
    """Gathers the columns over episodes.

    Args:
        recording: What is checked.
    """

    def __init__(self, recording: Recording) -> None:
        self._sensors = {sensor.name: sensor for sensor in recording.sensors}
        self._spec = recording.actions
        self._columns: dict[str, _Column] = {}
        self._action = _Column()
        self._spans: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._samples: dict[str, int] = {}
        self._missing: dict[str, int] = {}
        self._outside: Int64[np.ndarray, " dim"] = np.empty(0, np.int64)
        self._bounds: Float64[np.ndarray, "two dim"] = np.empty((2, 0))
        self._taken, self._taken_outside = 0, 0

    def add(self, look: Look) -> None:
        """One episode."""
        for name, values in look.values.items():
            self._columns.setdefault(name, _Column()).add(values, look.reach, look.episode)
            self._missing[name] = self._missing.get(name, 0) + look.missing.get(name, 0)
            self._samples[name] = self._samples.get(name, 0) + len(values)
        for name, pairs in look.pairs.items():
            self._missing[name] = self._missing.get(name, 0) + pairs.missing
            self._samples[name] = self._samples.get(name, 0) + 2 * len(look.starts)
            if pairs.odd:
                continue
            low, high = self._spans.get(name, (pairs.low, pairs.high))
            self._spans[name] = np.minimum(low, pairs.low), np.maximum(high, pairs.high)
            if pairs.small.shape[1]:
                # The two of a pair as an episode of their own would say nothing of within: their firsts are enough.
                self._columns.setdefault(name, _Column()).add(pairs.small[:, 0], 0, look.episode)
        if look.actions is not None and self._spec is not None and look.actions.shape[1] == self._spec.dim:
            self._act(look.actions.astype(np.float64), self._spec, look.episode)

    def findings(self) -> Iterator[Finding]:
        """What the columns say."""
        for name, column in [*self._columns.items(), *([("action", self._action)] if self._taken else [])]:
            yield from self._about_column(name, column)
        for name, missing in self._missing.items():
            if missing:
                yield Finding(
                    level="warning",
                    code="missing-samples",
                    what=f"sensor {name!r} delivered nothing for {missing} of {self._samples[name]} frames looked at",
                    remedy="a model goes by its other sensors there; if there are many, find out why",
                    figures={"missing": missing, "frames": self._samples[name]},
                )
        yield from self._about_actions()
        yield from self._about_signals()

    def _act(self, controls: Float64[np.ndarray, "T dim"], spec: ActionSpec, episode: int) -> None:
        self._action.add(controls, 1, episode)
        low, high = (bound.double().numpy() for bound in spec.bounds())
        slack = 1e-4 * (high - low)
        outside = (controls < low - slack) | (controls > high + slack)
        at = np.stack([(controls <= low + slack).sum(0), (controls >= high - slack).sum(0)])
        self._outside = outside.sum(0) + (self._outside if self._taken else 0)
        self._bounds = at + (self._bounds if self._taken else 0)
        self._taken += len(controls)
        self._taken_outside += int(outside.any(1).sum())

    def _about_column(self, name: str, column: _Column) -> Iterator[Finding]:
        sensor = self._sensors.get(name)
        picture = name in self._spans
        names = (self._spec.names if self._spec else ()) if name == "action" else sensor.names if sensor else ()
        label = f"camera {name!r}" if picture else "action" if name == "action" else f"sensor {name!r}"
        if column.bad.any():
            bad = [component(names, index) for index in np.flatnonzero(column.bad).tolist()]
            told = "in its pictures" if picture else f"components {listed(bad)}"
            yield Finding(
                level="error",
                code="not-finite",
                what=f"{label} holds {int(column.bad.sum())} NaN or infinite values from episode {column.bad_episode} "
                f"on; {told}",
                remedy="leave these episodes out, or find out why the sensor delivered none; nothing is filled in here",
                figures={"values": int(column.bad.sum()), "episode": column.bad_episode},
            )
        if not column.count:
            return
        still = column.still
        if picture:
            low, high = self._spans[name]
            span = float((high.astype(np.float64) - low).max())
            rgb = sensor is not None and sensor.kind == "rgb"
            still = np.full(1, span <= (STILL_LEVELS if rgb else 0.0))
        if still.all():
            yield Finding(
                level="warning",
                code="constant",
                what=f"{label} never changes",
                remedy="check that it was connected, or leave it out",
                figures={"components": len(column.low)},
            )
        elif still.any():
            yield Finding(
                level="note",
                code="constant-components",
                what=f"{label} has components that never change: "
                + listed([component(names, index) for index in np.flatnonzero(still).tolist()]),
                remedy="leave them out if they are not used",
                figures={"components": int(still.sum())},
            )
        elif column.episodes > 1 and column.within_share < 1e-9:
            yield Finding(
                level="note",
                code="constant-within-episodes",
                what=f"{label} has one value per episode",
                remedy="it is a label, not a measurement: there is nothing to predict in it",
                figures={"episodes": column.episodes},
            )

    def _about_actions(self) -> Iterator[Finding]:
        spec = self._spec
        if spec is None or not self._taken:
            return
        if self._taken_outside:
            told = [component(spec.names, index) for index in np.flatnonzero(self._outside).tolist()]
            yield Finding(
                level="error",
                code="out-of-bounds",
                what=f"{self._taken_outside} of {self._taken} actions are out of their bounds, in components "
                f"{listed(told)}",
                remedy="record the bounds that the actuator really has",
                figures={"outside": self._taken_outside, "actions": self._taken},
            )
        if spec.discrete:
            return
        low, high = self._bounds / self._taken
        for index in np.flatnonzero(low + high > SATURATED).tolist():
            name = component(spec.names, index)
            figures = {"at_low": float(low[index]), "at_high": float(high[index])}
            if low[index] + high[index] > _SWITCH and min(low[index], high[index]) > _EITHER:
                yield Finding(
                    level="note",
                    code="switch",
                    what=f"action component {name} is a switch: at its low bound in {low[index]:.0%} of all steps, at "
                    f"its high one in {high[index]:.0%}",
                    remedy="nothing, if that is what it is",
                    figures=figures,
                )
            elif not self._action.still[index]:
                yield Finding(
                    level="warning",
                    code="saturated",
                    what=f"action component {name} is at a bound in {low[index] + high[index]:.0%} of all steps",
                    remedy="a model sees no graded effect of it: act less strongly, or widen the bounds",
                    figures=figures,
                )

    def _about_signals(self) -> Iterator[Finding]:
        told, figures, noisy = [], {}, []
        for name, column in self._columns.items():
            if not column.count or column.still.all():
                continue
            figures[f"within/{name}"] = column.within_share
            words = f"{name} {column.within_share:.0%}"
            if name not in self._spans:
                figures[f"carried/{name}"] = column.carried
                words += f" (correlation {column.carried:.2f} a step later)"
                noisy += [name] if column.carried < NOISE and column.within_share > 1e-9 else []
            told.append(words)
        if told:
            yield Finding(
                level="note",
                code="signals",
                what=f"variance within episodes, of all: {listed(told)}",
                remedy="leave out what hardly varies within episodes: it tells episodes apart, not what happens",
                figures=figures,
            )
        if noisy:
            yield Finding(
                level="note",
                code="noise",
                what=f"from one step to the next, {listed(noisy)} changes like noise",
                remedy="filter it, sample it faster, or leave it out: what cannot be predicted teaches nothing",
                figures={name: figures[f"carried/{name}"] for name in noisy},
            )
