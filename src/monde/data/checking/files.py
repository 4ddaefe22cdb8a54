"""What is missing, short, unreadable, or not what the meta files say."""

import re
from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from monde.data.checking.findings import Finding, component, episodes, from_error, listed
from monde.data.checking.looking import Look
from monde.errors import MondeError
from monde.limits import MAX_CHECK_FINDINGS_OF_A_KIND
from monde.protocols import Recording

_NUMBERS = re.compile(r"\d+")
_COMPONENT = re.compile(r"component \[?(\d+)\]?")


@runtime_checkable
class ReportsAbsent(Protocol):
    """A recording that knows which of its listed episodes are not there."""

    @property
    def absent(self) -> tuple[int, ...]:
        """Numbers of episodes that are listed but whose files are absent."""
        ...


@runtime_checkable
class ReportsAbsentFiles(Protocol):
    """A recording that knows which of its files were left out."""

    @property
    def absent_files(self) -> Mapping[str, str]:
        """Files that are left out, and why."""
        ...


class Files:
    """Gathers what could not be read.

    Args:
        recording: What is checked.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._errors: dict[str, tuple[MondeError, list[int]]] = {}
        self._shapes: dict[str, tuple[int, str]] = {}
        self._lengths: list[tuple[int, int, int]] = []

    def add(self, look: Look) -> None:
        """One episode."""
        for error in look.errors:
            # The same complaint about another episode, frame or file is the same finding.
            key = type(error).__name__ + _NUMBERS.sub("#", error.what)
            self._errors.setdefault(key, (error, []))[1].append(look.episode)
        for name, pairs in look.pairs.items():
            if pairs.odd:
                self._shapes.setdefault(name, (look.episode, pairs.odd))
        for sensor in self._recording.sensors:
            values, wanted = look.values.get(sensor.name), 1
            for side in sensor.shape:
                wanted *= side
            if values is not None and values.shape[1] != wanted:
                odd = f"{values.shape[1]} numbers instead of {list(sensor.shape)}"
                self._shapes.setdefault(sensor.name, (look.episode, odd))
        spec = self._recording.actions
        if look.actions is not None and spec is not None and look.actions.shape[1] != spec.dim:
            self._shapes.setdefault("actions", (look.episode, f"{look.actions.shape[1]} numbers instead of {spec.dim}"))
        if look.times and not any(len(times) == look.length for times in look.times.values()):
            self._lengths.append((look.episode, max(map(len, look.times.values())), look.length))

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the files."""
        yield from self._about_absent()
        for error, held in list(self._errors.values())[:MAX_CHECK_FINDINGS_OF_A_KIND]:
            yield self._unreadable(error, held)
        if (more := len(self._errors) - MAX_CHECK_FINDINGS_OF_A_KIND) > 0:
            yield Finding(
                level="error",
                code="unreadable",
                what=f"{more} further kinds of errors",
                remedy="mend those above, then check again",
                figures={"kinds": more},
            )
        for name, (episode, odd) in self._shapes.items():
            yield Finding(
                level="error",
                code="shape-disagrees",
                what=f"{name!r} is not what the meta files declare: {odd} in episode {episode}",
                remedy="correct the declared shape, or restore the data it was written for",
                figures={"episode": episode},
            )
        if self._lengths:
            episode, got, wanted = self._lengths[0]
            yield Finding(
                level="error",
                code="length-disagrees",
                what=f"{episodes(len(self._lengths))} have another length than declared: {got} frames instead of "
                f"{wanted} in episode {episode}",
                remedy="restore meta and data of one version",
                figures={"episodes": len(self._lengths), "episode": episode, "frames": got, "declared_frames": wanted},
            )
        yield from self._about_lengths()

    def _unreadable(self, error: MondeError, held: list[int]) -> Finding:
        nan = "nan" in error.what.lower() and "infinite" in error.what.lower()
        found = from_error(error, "not-finite" if nan else "unreadable")
        what = found.what
        if match := _COMPONENT.search(what):
            names: tuple[str, ...] = ()
            if "'action'" in what or "in action" in what:
                names = self._recording.actions.names if self._recording.actions else ()
            for sensor in self._recording.sensors:
                if re.search(rf"['.]{re.escape(sensor.name)}'", what):
                    names = sensor.names
            what = what.replace(match.group(), f"component {component(names, int(match.group(1)))}")
        others = sorted(set(held))[1:]
        if others:
            what += f"; the same in {episodes(len(others))} more: {listed(others)}"
        return Finding(
            level="error",
            code=found.code,
            what=what,
            remedy=found.remedy,
            figures={"episodes": len(others) + 1, "episode": held[0]},
        )

    def _about_absent(self) -> Iterator[Finding]:
        recording = self._recording
        if isinstance(recording, ReportsAbsent) and recording.absent:
            count = len(recording.absent)
            yield Finding(
                level="warning",
                code="absent",
                what=f"{count} of {count + len(recording.lengths)} listed episodes are absent and left out: "
                + listed(recording.absent),
                remedy="fetch their files from where the dataset came, or go on without them",
                figures={"absent": count, "present": len(recording.lengths)},
            )
        if isinstance(recording, ReportsAbsentFiles) and recording.absent_files:
            told = [f"{name}: {reason}" for name, reason in recording.absent_files.items()]
            yield Finding(
                level="warning",
                code="absent",
                what=f"{len(told)} files cannot be used and are left out: {'; '.join(told[:8])}",
                remedy="copy them again from where they came, encode them anew, or remove them",
                figures={"absent": len(told), "present": len(recording.lengths)},
            )

    def _about_lengths(self) -> Iterator[Finding]:
        recording = self._recording
        short = [episode for episode, length in enumerate(recording.lengths) if length < 2]
        if short:
            yield Finding(
                level="warning",
                code="single-frame",
                what=f"{episodes(len(short))} of a single frame: {listed(short)}",
                remedy="leave them out: there is nothing to predict in them",
                figures={"episodes": len(short)},
            )
        if len(recording.lengths) < 2:
            yield Finding(
                level="warning",
                code="one-episode",
                what="there is only one episode",
                remedy="record more: a model must be judged on others; or split it in time, with a gap",
            )
        if recording.actions is None:
            yield Finding(
                level="note",
                code="no-actions",
                what="there are no actions",
                remedy="a model of it can predict, but not plan",
            )
