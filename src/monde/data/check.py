"""`check_dataset`: what is wrong with a recording, found before a model is trained on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64

from monde.data.recording import open_recording
from monde.errors import DataError
from monde.protocols import Recording
from monde.types import ActionSpec, Clip

Level = Literal["error", "warning", "note"]
_GAP = 1.5
_SATURATED = 0.5


@dataclass(frozen=True)
class Finding:
    """Something about a recording that its user should know.

    Args:
        level: "error": it cannot be used as it is; "warning": a model learned from it suffers; "note": good to know.
        what: What was found, and where.
        remedy: What to do about it.
    """

    level: Level
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.level}: {self.what}. Remedy: {self.remedy}."


def check_dataset(path: Path | str) -> list[Finding]:
    """Look through a recording: does it open, are its rows whole and finite, do its columns move, are actions in range.

    Reads all numbers and a few frames of each episode; never raises for what is wrong with the data.

    Returns:
        The findings, gravest first; empty when there is nothing to say.
    """
    try:
        recording = open_recording(path)
    except DataError as error:
        return [_from(error)]
    findings: list[Finding] = [*_lengths(recording)]
    columns = _Columns(recording)
    for episode, length in enumerate(recording.lengths):
        try:
            clip = recording.read(episode, 0, length, columns.names)
            for frame in sorted({0, length // 2, length - 1}) if columns.cameras else ():
                columns.see(recording.read(episode, frame, frame + 1, columns.cameras))
        except DataError as error:
            findings.append(_from(error))
            continue
        findings += _times(clip, episode)
        columns.add(clip)
    findings += columns.findings()
    return sorted(findings, key=lambda finding: ("error", "warning", "note").index(finding.level))


class _Columns:
    """Ranges of every column over all episodes."""

    def __init__(self, recording: Recording) -> None:
        self.cameras = [sensor.name for sensor in recording.sensors if sensor.kind == "rgb"]
        numbers = [sensor.name for sensor in recording.sensors if sensor.kind != "rgb"]
        # A clip needs a stream; where there are only cameras, the first one comes along with the actions.
        self.names = numbers or self.cameras[:1]
        self._numbers, self._actions = set(numbers), recording.actions
        self._ranges: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._at_bound, self._taken, self._outside = 0.0, 0, 0

    def see(self, clip: Clip) -> None:
        """One moment of every camera."""
        for name, stream in clip.streams.items():
            self._widen(f"camera {name!r}", stream.values.flatten(0, 1).flatten(1).numpy())

    def add(self, clip: Clip) -> None:
        """One whole episode."""
        for name in self._numbers:
            self._widen(f"sensor {name!r}", clip.stream(name).values[0].flatten(1).numpy())
        if clip.actions is not None and self._actions is not None and clip.actions.steps:
            controls = clip.actions.values[0].numpy().astype(np.float64)
            self._widen("action", controls)
            outside, at_bound = _against_bounds(controls, self._actions)
            self._taken += len(controls)
            self._outside += int(outside.any(1).sum())
            self._at_bound = self._at_bound + at_bound.sum(0)

    def findings(self) -> Iterator[Finding]:
        """What the ranges say."""
        for name, (low, high) in self._ranges.items():
            still = np.flatnonzero(low == high)
            if len(still) == len(low):
                yield Finding("warning", f"{name} never changes", "check that it was connected, or leave it out")
            elif len(still) and not name.startswith("camera"):
                listed = ", ".join(map(str, still[:8]))
                yield Finding("note", f"{name} has components that never change: {listed}", "leave them out if unused")
        if self._outside and self._actions is not None:
            yield Finding(
                "error",
                f"{self._outside} of {self._taken} actions are out of their bounds",
                "record the bounds that the actuator really has",
            )
        if self._taken and self._actions is not None and not self._actions.discrete:
            share = np.atleast_1d(self._at_bound / self._taken)
            for component in np.flatnonzero(share > _SATURATED):
                yield Finding(
                    "warning",
                    f"action component {component} is at a bound in {share[component]:.0%} of all steps",
                    "a model sees no graded effect of it: act less strongly, or widen the bounds",
                )

    def _widen(self, name: str, rows: np.ndarray) -> None:
        low, high = rows.min(0), rows.max(0)
        before = self._ranges.get(name, (low, high))
        self._ranges[name] = np.minimum(before[0], low), np.maximum(before[1], high)


def _lengths(recording: Recording) -> Iterator[Finding]:
    short = [episode for episode, length in enumerate(recording.lengths) if length < 2]
    if short:
        yield Finding(
            "warning",
            f"{len(short)} episodes hold a single frame: {', '.join(map(str, short[:8]))}",
            "leave them out: there is nothing to predict in them",
        )
    if len(recording.lengths) < 2:
        yield Finding("warning", "there is only one episode", "record more: a model must be judged on others")
    if recording.actions is None:
        yield Finding("note", "there are no actions", "a model of it can predict, but not plan")


def _times(clip: Clip, episode: int) -> Iterator[Finding]:
    times = next(iter(clip.streams.values())).times_seconds[0].numpy()
    gaps: Float64[np.ndarray, " T1"] = np.diff(times)
    if len(gaps) == 0:
        return
    if bool((gaps <= 0).any()):
        frame = int(np.argmax(gaps <= 0)) + 1
        yield Finding("error", f"time stands still or goes back in episode {episode}, frame {frame}", "leave it out")
    elif bool((gaps > _GAP * np.median(gaps)).any()):
        frame, usual = int(np.argmax(gaps)) + 1, float(np.median(gaps))
        yield Finding(
            "warning",
            f"episode {episode} has a gap of {gaps.max():.3g} s before frame {frame}; {usual:.3g} s are usual",
            "cut the episode there, or find out why frames were lost",
        )


def _against_bounds(controls: Float[np.ndarray, "T A"], actions: ActionSpec) -> tuple[np.ndarray, np.ndarray]:
    low, high = (bound.double().numpy() for bound in actions.bounds())
    slack = 1e-4 * (high - low)
    outside = (controls < low - slack) | (controls > high + slack)
    return outside, (controls <= low + slack) | (controls >= high - slack)


def _from(error: DataError) -> Finding:
    return Finding("error", str(error.what) + (f" ({error.got})" if error.got else ""), error.remedy or "leave it out")
