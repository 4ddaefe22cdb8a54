"""`Mixture`: several recordings as one, each brought to the model's step, each with its own part of the action."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monde.data.blocks import read_blocks
from monde.data.resize import resize_frames
from monde.errors import ContractError, DataError
from monde.limits import MAX_MIXED_RECORDINGS
from monde.protocols import Recording
from monde.types import ActionSpec, Clip, Sensor, Stream


@dataclass(frozen=True)
class _Phase:
    """Every block-th frame of an episode, from one of its first ones on."""

    recording: int
    episode: int
    start: int
    steps: int


class Mixture:
    """Recordings of different rates and actions at one step, so that one model can learn from all of them.

    A model step lasts `step_seconds`: in each recording so many of its own control steps, whose actions are one block.
    Blocks of recording i fill the i-th part of the mixture's action and the other parts are zero, so that a model's
    first layer holds one embedding of actions for each recording and shares all else. Every frame is used: an episode
    appears once for each of the frames that its first step may begin with, and `groups` says which belong together.

    Cameras are matched by name; where recordings have one each, by being the only one. Frames of all are brought to the
    size of the first's.

    Args:
        recordings: Two or more.
        step_seconds: Duration of a model step.
        sensors: Cameras to take, by the names of the first recording; those that all have, if none is given.

    Raises:
        ContractError: Fewer than two recordings, or too many.
        DataError: No common camera, or a recording too slow for the step.
    """

    def __init__(self, recordings: Sequence[Recording], step_seconds: float, sensors: Sequence[str] = ()) -> None:
        if not 2 <= len(recordings) <= MAX_MIXED_RECORDINGS:
            raise ContractError("a Mixture is of several", got=len(recordings), expected=f"2 to {MAX_MIXED_RECORDINGS}")
        self.recordings, self._step = tuple(recordings), step_seconds
        self._cameras = _matched(self.recordings, sensors)
        first = {sensor.name: sensor for sensor in recordings[0].sensors}
        self._sensors = tuple(replace(first[name], rate_hz=1 / step_seconds) for name in self._cameras[0])
        self.parts = tuple(_part(recording, step_seconds) for recording in self.recordings)
        self._phases = tuple(
            _Phase(number, episode, start, (length - 1 - start) // part.block + 1)
            for number, (recording, part) in enumerate(zip(self.recordings, self.parts, strict=True))
            for episode, length in enumerate(recording.lengths)
            for start in range(min(part.block, length))
        )

    @property
    def root(self) -> Path:
        """Folder of the first."""
        return self.recordings[0].root

    @property
    def source(self) -> Mapping[str, object]:
        """Nothing: no one world has been recorded."""
        return {}

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """The common cameras, as in the first recording, at the model's step."""
        return self._sensors

    @property
    def actions(self) -> ActionSpec | None:
        """All parts one after the other, as one control step that lasts a model step; none if nobody acts anywhere."""
        bounds = [part.bounds() for part in self.parts]
        low = [min(0.0, float(value)) for lows, _ in bounds for value in lows]
        high = [max(0.0, float(value)) for _, highs in bounds for value in highs]
        if not low:
            return None
        # A part whose range ends at zero still needs an interval.
        high = [top if top > bottom else bottom + 1e-6 for bottom, top in zip(low, high, strict=True)]
        return ActionSpec(low=tuple(low), high=tuple(high), dt_seconds=self._step)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Model steps of each phase of each episode."""
        return tuple(phase.steps for phase in self._phases)

    @property
    def groups(self) -> tuple[int, ...]:
        """For each of them a number that is the same for all phases of one episode: a split keeps these together."""
        numbers: dict[tuple[int, int], int] = {}
        return tuple(numbers.setdefault((p.recording, p.episode), len(numbers)) for p in self._phases)

    @property
    def fingerprint(self) -> str:
        """Hash of the recordings' fingerprints and of the step."""
        told = [[recording.fingerprint for recording in self.recordings], self._step, self._cameras]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def embed(self, recording: int, blocks: Float[Tensor, "... A"]) -> Float[Tensor, "... B"]:
        """Action blocks of one recording as actions of the mixture.

        Raises:
            ContractError: Blocks of another width.
        """
        part = self.parts[recording]
        if blocks.shape[-1] != part.width:
            raise ContractError("these are not its action blocks", got=blocks.shape[-1], expected=part.width)
        before = sum(other.width for other in self.parts[:recording])
        after = sum(other.width for other in self.parts[recording + 1 :])
        return torch.nn.functional.pad(blocks, (before, after))

    def read(self, episode: int, start: int, stop: int, sensors: Sequence[str] | None = None) -> Clip:
        """Model steps `start` to `stop` (exclusive) of one phase, as a clip of B = 1.

        Raises:
            ContractError: A phase, range or sensor that does not exist.
            DataError: The recording cannot be read.
        """
        if not 0 <= episode < len(self._phases) or not 0 <= start < stop <= self._phases[episode].steps:
            raise ContractError(f"phase {episode} has no steps {start}:{stop}", expected=f"{len(self._phases)} phases")
        phase = self._phases[episode]
        part, names = self.parts[phase.recording], dict(zip(self._cameras[0], self._cameras[phase.recording]))
        wanted = [sensor for sensor in self._sensors if sensors is None or sensor.name in sensors]
        if not wanted or (sensors is not None and len(wanted) != len(sensors)):
            raise ContractError("the mixture lacks sensors", got=sensors, expected=[s.name for s in self._sensors])
        first = phase.start + start * part.block
        theirs = [names[sensor.name] for sensor in wanted]
        clip = read_blocks(self.recordings[phase.recording], part, phase.episode, first, stop - start, theirs)
        streams = {}
        for sensor, name in zip(wanted, theirs, strict=True):
            stream = clip.stream(name)
            frames = resize_frames(stream.values[0].permute(0, 2, 3, 1).numpy(), (sensor.shape[1], sensor.shape[2]))
            values = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)[None]
            streams[sensor.name] = replace(stream, values=values)
        if self.actions is None:
            return Clip(streams)
        if clip.actions is None:  # a single step has none
            return Clip(streams, Stream.regular(torch.zeros(1, 0, self.actions.dim), 1 / self._step))
        taken = replace(clip.actions, values=self.embed(phase.recording, clip.actions.values))
        return Clip(streams, taken)

    def __repr__(self) -> str:
        return f"Mixture({', '.join(map(repr, self.recordings))}; {self._step:g} s a step)"


def _part(recording: Recording, step_seconds: float) -> ActionSpec:
    recorded = recording.actions
    if recorded is None:
        dt = 1 / max(sensor.rate_hz for sensor in recording.sensors)
        recorded = ActionSpec(unactuated=True, dt_seconds=dt)
    block = round(step_seconds / recorded.dt_seconds)
    if block < 1:
        raise DataError(
            f"{recording.root} is too slow for this step",
            got=f"{recorded.dt_seconds:g} s from one control step to the next",
            expected=f"at most {step_seconds:g} s",
            remedy="give a longer --step-seconds",
        )
    return recorded.with_block(block)


def _matched(recordings: Sequence[Recording], wanted: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    cameras = [tuple(s.name for s in recording.sensors if s.kind == "rgb") for recording in recordings]
    if all(len(names) == 1 for names in cameras) and (not wanted or tuple(wanted) == cameras[0]):
        return tuple(cameras)
    common = [name for name in wanted or cameras[0] if all(name in names for names in cameras)]
    if not common or (wanted and len(common) != len(wanted)):
        told = "; ".join(f"{recording.root.name}: {', '.join(names)}" for recording, names in zip(recordings, cameras))
        raise DataError(
            "the recordings have no camera in common",
            got=told,
            expected="cameras of one name, or one camera in each",
            remedy="name with --sensors cameras that all have",
        )
    return tuple(tuple(common) for _ in recordings)
