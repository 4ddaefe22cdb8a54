"""Whole episodes in order, without holding one in memory: what building a cache and converting are made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Float64, Shaped, UInt8

from monde.data.episode import EpisodeData, LazyFrames
from monde.data.resize import resize_frames
from monde.errors import DataError
from monde.protocols import Intermittent, Recording
from monde.types import Clip, Sensor

PIECE_BYTES = 16 * 2**20
"""About how much is decoded at a time."""
_PORTION_BYTES = 2**20


@dataclass(frozen=True)
class EpisodeNumbers:
    """Everything of an episode but its pictures.

    Args:
        times_seconds: [T] since the start of the episode.
        values: [T, ...] by sensor name.
        actions: [T-1, dim] control steps, or none.
    """

    times_seconds: Float64[np.ndarray, " T"]
    values: Mapping[str, np.ndarray]
    actions: Float32[np.ndarray, "T1 dim"] | None


@dataclass(frozen=True)
class EpisodeClocks:
    """Which samples of an episode are there, and how old they are.

    Args:
        valid: [T] by sensor name, of sensors that may miss samples: whether each is there.
        age_seconds: [T] by sensor name, of sensors with clocks of their own: how much older than its frame each is.
    """

    valid: Mapping[str, Bool[np.ndarray, " T"]] = field(default_factory=dict)
    age_seconds: Mapping[str, Float64[np.ndarray, " T"]] = field(default_factory=dict)


@runtime_checkable
class Clocked(Intermittent, Protocol):
    """What an `Intermittent` recording tells: which samples are missing, and how old the others are."""

    def clocks(self, episode: int) -> EpisodeClocks:
        """Of all these sensors of one episode, without decoding a picture."""
        ...


def clocks(recording: Recording, episode: int) -> EpisodeClocks:
    """Which samples of one episode of any recording are there; empty where it does not tell, and all are."""
    return recording.clocks(episode) if isinstance(recording, Clocked) else EpisodeClocks()


@runtime_checkable
class Filmed(Protocol):
    """What a `Recording` offers besides when its cameras are video, which is decoded in order many times faster."""

    def film(
        self, episode: int, sensor: str, size: tuple[int, int] | None = None
    ) -> Iterator[Shaped[np.ndarray, "t h w C"]]:
        """All pictures of one sensor of one episode, a few at a time: uint8 colours at `size` = (h, w) or their own,
        float32 depth in its own size."""
        ...

    def numbers(self, episode: int, sensors: Sequence[str]) -> EpisodeNumbers:
        """Times, actions and the sensors named (no pictures), without decoding a picture."""
        ...


def film(
    recording: Recording, episode: int, sensor: Sensor, size: tuple[int, int] | None = None
) -> Iterator[Shaped[np.ndarray, "t h w C"]]:
    """All pictures of one sensor of one episode of any recording, a few at a time, at `size` = (h, w) or their own.

    Depth comes in its own size: see `monde.data.resize.resize_depth`.

    Raises:
        DataError: The recording cannot be read.
    """
    if isinstance(recording, Filmed):
        size = None if sensor.kind == "depth" else size
        yield from recording.film(episode, sensor.name, size)
        return
    size = None if sensor.kind == "depth" else size
    step = max(1, PIECE_BYTES // int(np.prod(sensor.shape) * (4 if sensor.kind == "depth" else 1)))
    length = recording.lengths[episode]
    for start in range(0, length, step):
        clip = recording.read(episode, start, min(start + step, length), [sensor.name])
        frames = clip.stream(sensor.name).values[0].numpy().transpose(0, 2, 3, 1)
        yield frames if size is None else resize_frames(frames, size)


def numbers(recording: Recording, episode: int, sensors: Sequence[str]) -> EpisodeNumbers:
    """Times, actions and the sensors named of one episode of any recording.

    Raises:
        DataError: The recording cannot be read, or its sensors have clocks of their own.
    """
    if isinstance(recording, Filmed):
        return recording.numbers(episode, sensors)
    length = recording.lengths[episode]
    if sensors:
        clip = recording.read(episode, 0, length, list(sensors))
        check_aligned(recording, episode, clip)
        taken = None if clip.actions is None else clip.actions.values[0].numpy()
        times = next(iter(clip.streams.values())).times_seconds[0].numpy()
        return EpisodeNumbers(times, {name: clip.stream(name).values[0].numpy() for name in sensors}, taken)
    return _numbers_beside_pictures(recording, episode)


def stream_episode(
    recording: Recording, episode: int, size: tuple[int, int] | None = None, task: str = ""
) -> EpisodeData:
    """One episode of any recording on its way into another: numbers at once, pictures when they are written.

    Args:
        recording: What to read.
        episode: Which.
        size: (h, w) of all cameras, or none for their own. Depth keeps its size.
        task: What was to be done, in words.

    Raises:
        DataError: The recording cannot be read.
        ContractError: It holds what cannot be recorded (NaN, times that do not go forward).
    """
    found = numbers(recording, episode, [s.name for s in recording.sensors if not s.picture])
    told = clocks(recording, episode)
    frames: dict[str, np.ndarray | LazyFrames] = {}
    for sensor in recording.sensors:
        if not sensor.picture:
            continue
        colours = sensor.kind == "rgb"
        height, width = size if size and colours else (sensor.shape[1], sensor.shape[2])
        shape = (len(found.times_seconds), sensor.shape[0], height, width)
        pieces = partial(_channels_first, recording, episode, sensor, size)
        frames[sensor.name] = LazyFrames(shape, pieces, np.uint8 if colours else np.float32)
    return EpisodeData(
        {**frames, **found.values}, found.times_seconds, found.actions, task, told.valid, told.age_seconds
    )


def portions(frames: Iterable[UInt8[np.ndarray, "h w 3"]]) -> Iterator[UInt8[np.ndarray, "t h w 3"]]:
    """Single frames gathered into pieces of a few, none larger than a mebibyte unless a frame is."""
    held: list[np.ndarray] = []
    for frame in frames:
        held.append(frame)
        if len(held) * frame.nbytes >= _PORTION_BYTES:
            yield held[0][None] if len(held) == 1 else np.stack(held)
            held = []
    if held:
        yield np.stack(held)


def check_aligned(recording: Recording, episode: int, clip: Clip) -> None:
    """Refuse what has no one sample of each sensor per frame; a sample may be a missing one.

    Raises:
        DataError: Sensors with clocks of their own.
    """
    if not clip.aligned:
        raise DataError(
            f"episode {episode} of {recording.root} has sensors with clocks of their own",
            got={name: stream.steps for name, stream in clip.streams.items()},
            expected="one sample of each sensor per frame",
            remedy="align the sensors to one clock before caching or converting",
        )


def _channels_first(
    recording: Recording, episode: int, sensor: Sensor, size: tuple[int, int] | None
) -> Iterator[Shaped[np.ndarray, "t C h w"]]:
    for frames in film(recording, episode, sensor, size):
        yield frames.transpose(0, 3, 1, 2)


def _numbers_beside_pictures(recording: Recording, episode: int) -> EpisodeNumbers:
    """A clip needs a stream: where there are only cameras, the smallest comes along, a piece at a time."""
    sensor = min(recording.sensors, key=lambda sensor: int(np.prod(sensor.shape)))
    step, length = max(2, PIECE_BYTES // int(np.prod(sensor.shape))), recording.lengths[episode]
    times, actions = [], []
    for start in range(0, length, step):
        # One frame more than is kept: the action taken after the piece's last frame lies between it and the next.
        stop = min(start + step, length)
        clip = recording.read(episode, start, min(stop + 1, length), [sensor.name])
        check_aligned(recording, episode, clip)
        times.append(clip.stream(sensor.name).times_seconds[0, : stop - start].numpy())
        if clip.actions is not None:
            actions.append(clip.actions.values[0, : stop - start].numpy())
    return EpisodeNumbers(np.concatenate(times), {}, np.concatenate(actions) if actions else None)
