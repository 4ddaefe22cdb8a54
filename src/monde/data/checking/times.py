"""Clocks: gaps, jitter, time that goes back, declared rates, and sensors whose clocks differ."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from monde.data.checking.findings import Finding, episodes, listed
from monde.data.checking.looking import Look
from monde.protocols import Recording

GAP = 1.5
"""An interval of more than this many usual ones is a gap."""

JITTER = 0.15
"""Root mean square deviation of intervals, in usual ones, above which clocks jitter."""

RATE_WARNING, RATE_ERROR = 0.05, 0.2
"""Relative difference of declared and measured rate."""

SKEW = 0.5
"""Difference of two sensors' clocks, in intervals, above which they are not of one moment."""


@dataclass(frozen=True)
class _Gap:
    seconds: float
    usual: float
    frame: int
    episode: int


class Clocks:
    """Gathers times over episodes.

    Args:
        recording: What is checked.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._source = recording.source
        self._layout = str(self._source.get("dataset") or self._source.get("layout") or "its layout")
        self._rates = {sensor.name: sensor.rate_hz for sensor in recording.sensors}
        self._back: list[tuple[int, int]] = []
        self._gaps: list[_Gap] = []
        self._gap_count = 0
        self._deviations: list[float] = []
        self._usual: dict[str, list[float]] = {}
        self._apart: dict[str, tuple[float, int]] = {}
        self._counts: dict[str, tuple[int, int, int]] = {}

    def add(self, look: Look) -> None:
        """One episode."""
        reference = look.reference
        for name, times in look.times.items():
            if len(times) != look.length:
                self._counts.setdefault(name, (look.episode, len(times), look.length))
            elif len(reference) and times is not reference:
                self._part(name, float(np.abs(times - reference).max()), look.episode)
            steps = np.diff(times)
            if len(steps) and np.isfinite(steps).all() and (usual := float(np.median(steps))) > 0:
                self._usual.setdefault(name or self._recording.sensors[0].name, []).append(usual)
        for name, pairs in look.pairs.items():
            self._part(name, pairs.skew_seconds, look.episode)
        if len(reference) > 1:
            self._intervals(reference, look.episode)

    def findings(self) -> Iterator[Finding]:
        """What the clocks show."""
        if self._back:
            yield Finding(
                level="error",
                code="time-back",
                what=f"time stands still or goes back in {episodes(len(self._back))}: "
                + listed([f"episode {episode}, frame {frame}" for episode, frame in self._back]),
                remedy="leave these episodes out, or mend their times from the recorder's own log",
                figures={"episodes": len(self._back)},
            )
        yield from self._about_gaps()
        yield from self._about_rates()
        yield from self._about_assumed()
        yield from self._about_differences()

    def _intervals(self, times: Float64[np.ndarray, " T"], episode: int) -> None:
        steps = np.diff(times)
        wrong = ~(steps > 0)
        if wrong.any():
            self._back.append((episode, int(np.argmax(wrong)) + 1))
            return
        usual = float(np.median(steps))
        gaps = steps > GAP * usual
        if gaps.any():
            self._gap_count += int(gaps.sum())
            self._gaps.append(_Gap(float(steps.max()), usual, int(np.argmax(steps)) + 1, episode))
        if len(steps) > 2:
            self._deviations.append(float(np.square(steps[~gaps] / usual - 1).mean()))

    def _part(self, name: str, seconds: float, episode: int) -> None:
        if seconds > self._apart.get(name, (0.0, 0))[0]:
            self._apart[name] = seconds, episode

    def _about_gaps(self) -> Iterator[Finding]:
        if self._gaps:
            worst = max(self._gaps, key=lambda gap: gap.seconds)
            yield Finding(
                level="warning",
                code="gap",
                what=f"{self._gap_count} gaps in {episodes(len(self._gaps))}, the longest of {worst.seconds:.3g} s "
                f"before frame {worst.frame} of episode {worst.episode}; {worst.usual:.3g} s are usual",
                remedy="cut the episodes there, or find out why frames were lost",
                figures={
                    "gaps": self._gap_count,
                    "episodes": len(self._gaps),
                    "longest_seconds": worst.seconds,
                    "usual_seconds": worst.usual,
                    "episode": worst.episode,
                    "frame": worst.frame,
                },
            )
        jitter = float(np.sqrt(np.mean(self._deviations))) if self._deviations else 0.0
        if jitter > JITTER:
            worst_at = int(np.argmax(self._deviations))
            yield Finding(
                level="warning",
                code="jitter",
                what=f"the intervals between frames deviate by {jitter:.0%} of the usual one "
                f"({np.sqrt(self._deviations[worst_at]):.0%} in the worst episode)",
                remedy="resample to an even clock, or record with the sensor's own time stamps: a model takes one step "
                "to be as long as another",
                figures={"relative_deviation": jitter, "worst_relative_deviation": self._deviations[worst_at] ** 0.5},
            )

    def _about_assumed(self) -> Iterator[Finding]:
        rate = self._source.get("rate_hz")
        if self._source.get("rate_assumed") is True and isinstance(rate, float):
            yield Finding(
                level="warning",
                code="rate-assumed",
                what=f"the recording does not say its rate; {rate:g} Hz is assumed, as is usual for {self._layout}",
                remedy="give the true one: --rate HZ; every horizon in seconds depends on it",
                figures={"rate_hz": rate},
            )

    def _about_rates(self) -> Iterator[Finding]:
        declared = {name: 1 / rate for name, rate in self._rates.items()}
        if self._recording.actions is not None and self._usual:
            declared["actions"] = self._recording.actions.dt_seconds
            self._usual.setdefault("actions", next(iter(self._usual.values())))
        told = set()
        for name, usual in self._usual.items():
            measured = float(np.median(usual))
            off = abs(declared[name] / measured - 1)
            # One wrong entry of the meta files is one finding, however many sensors take their rate from it.
            if off <= RATE_WARNING or (round(declared[name], 6), round(measured, 6)) in told:
                continue
            told.add((round(declared[name], 6), round(measured, 6)))
            yield Finding(
                level="error" if off > RATE_ERROR else "warning",
                code="rate-disagrees",
                what=f"{'the actions are' if name == 'actions' else f'sensor {name!r} is'} declared at "
                f"{1 / declared[name]:.4g} Hz, but the times say {1 / measured:.4g} Hz",
                remedy="correct the rate (fps) in the dataset's meta files, or the times: every horizon in seconds "
                "depends on them",
                figures={"declared_hz": 1 / declared[name], "measured_hz": 1 / measured},
            )

    def _about_differences(self) -> Iterator[Finding]:
        for name, (episode, got, wanted) in self._counts.items():
            yield Finding(
                level="warning",
                code="clocks-differ",
                what=f"sensor {name!r} has a clock of its own: {got} samples in episode {episode}, which has {wanted} "
                "frames",
                remedy="align the sensors to one clock before training",
                figures={"samples": got, "frames": wanted},
            )
        usual = [step for steps in self._usual.values() for step in steps]
        for name, (seconds, episode) in self._apart.items() if usual else ():
            if name not in self._counts and seconds > SKEW * float(np.median(usual)):
                yield Finding(
                    level="warning",
                    code="clocks-differ",
                    what=f"sensor {name!r} is up to {seconds:.3g} s off the other clocks (episode {episode}); frames "
                    f"come every {float(np.median(usual)):.3g} s",
                    remedy="align the sensors to one clock, or correct the offset of this one",
                    figures={"seconds": seconds, "episode": episode},
                )
