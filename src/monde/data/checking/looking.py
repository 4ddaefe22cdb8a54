"""`look`: one episode as a check sees it, numbers whole and pictures sampled, so that memory stays bounded."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64, Shaped
from torch.nn.functional import adaptive_avg_pool2d

from monde.data.fingerprint import EpisodeDigest
from monde.data.streaming import numbers
from monde.errors import DataError, MondeError
from monde.limits import MAX_CHECK_FRAMES, MAX_CHECK_FRAMES_PER_EPISODE, MAX_CHECK_SAMPLE_NUMBERS
from monde.protocols import Recording
from monde.types import Clip, Sensor, Stream

SIDE = 16
"""Side of the grey pictures, averaged over areas, from which questions about pixels are answered."""

LAG_SECONDS = 0.2
"""Time over which change is looked at: from one frame to the next of a fast camera there is mostly noise."""

_LONGEST_RUN = 9


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is read of each episode.

    Args:
        whole: Sensors of which everything is read.
        sampled: Sensors of which pairs of frames are read: cameras, depth and what else is large.
        lag: Frames between the two of a pair.
        pairs: Pairs of an episode, at most.
        pictured: Episodes of which pairs are read.
    """

    whole: tuple[Sensor, ...]
    sampled: tuple[Sensor, ...]
    lag: int
    pairs: int
    pictured: frozenset[int]

    @classmethod
    def of(cls, recording: Recording) -> "Plan":
        """The plan for a recording; no more pictures than limits.py says."""
        large = [s for s in recording.sensors if s.kind == "rgb" or np.prod(s.shape) > MAX_CHECK_SAMPLE_NUMBERS]
        small = [s for s in recording.sensors if s not in large]
        count, budget = len(recording.lengths), MAX_CHECK_FRAMES // 2
        rate = recording.sensors[0].rate_hz if recording.actions is None else 1 / recording.actions.dt_seconds
        chosen = np.unique(np.linspace(0, count - 1, min(count, budget)).astype(int)) if count else np.empty(0, int)
        return cls(
            whole=tuple(small),
            sampled=tuple(large),
            lag=max(1, round(LAG_SECONDS * rate)),
            pairs=max(1, min(MAX_CHECK_FRAMES_PER_EPISODE // 2, budget // max(1, count))),
            pictured=frozenset(chosen.tolist()),
        )

    def starts(self, length: int) -> Int64[np.ndarray, " M"]:
        """First frames of the pairs of an episode, spread evenly; a short episode has pairs of neighbours."""
        last = length - 1 - self.reach(length)
        return np.unique(np.linspace(0, last, min(self.pairs, last + 1)).astype(np.int64))

    def reach(self, length: int) -> int:
        """Frames between the two of a pair in an episode: the lag, or less where it is short."""
        return min(self.lag, (length - 1) // 2 or length - 1)


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Sampled pairs of frames of one sensor.

    Args:
        small: [M, 2, SIDE²] grey averages of pictures; empty for what is no picture.
        low: Least value of every number of a sample over all frames looked at.
        high: Greatest value, likewise.
        odd: How the samples differ from what the recording says, in words; empty if they do not.
        skew_seconds: Most that this sensor's times differ from the reference clock.
        missing: Frames looked at for which the sensor delivered nothing.
    """

    small: Float[np.ndarray, "M two cells"]
    low: Shaped[np.ndarray, " n"]
    high: Shaped[np.ndarray, " n"]
    odd: str
    skew_seconds: float
    missing: int


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen of one episode.

    Args:
        episode: Its number.
        length: Frames that the recording says it has.
        times: [T] of each sensor read whole (of the reference clock under "" where there is none).
        values: [T, n] of each sensor read whole, flattened.
        missing: Samples that each such sensor did not deliver.
        actions: [T-1, dim] control steps, or none.
        starts: [M] first frames of the sampled pairs.
        pairs: What they showed, by sensor.
        reach: Frames between the two of a pair.
        digest: Hash of what was read, without times.
        errors: What could not be read.
    """

    episode: int
    length: int
    times: Mapping[str, Float64[np.ndarray, " T"]]
    values: Mapping[str, Float[np.ndarray, "T n"]]
    missing: Mapping[str, int]
    actions: Float[np.ndarray, "T1 dim"] | None
    starts: Int64[np.ndarray, " M"]
    pairs: Mapping[str, Pairs]
    reach: int
    digest: str
    errors: tuple[MondeError, ...]

    @property
    def reference(self) -> Float64[np.ndarray, " T"]:
        """The times of the frames; empty where none could be read."""
        return next((times for times in self.times.values() if len(times) == self.length), np.empty(0))


def look(recording: Recording, plan: Plan, episode: int) -> Look:
    """Read one episode. What cannot be read is in `errors`; the rest of it is there."""
    length = recording.lengths[episode]
    errors: list[MondeError] = []
    clip = _whole(recording, plan, episode, errors)
    times = {name: stream.times_seconds[0].numpy() for name, stream in clip.streams.items()} if clip else {}
    values = {name: stream.values[0].flatten(1).numpy() for name, stream in clip.streams.items()} if clip else {}
    actions = None if clip is None or clip.actions is None else clip.actions.values[0].numpy()
    if not plan.whole:
        try:
            read = numbers(recording, episode, [])
            times, actions = {"": read.times_seconds}, read.actions
        except MondeError as error:
            errors.append(error)
    clock = next((t for t in times.values() if len(t) == length), np.empty(0))
    starts = plan.starts(length) if episode in plan.pictured else np.empty(0, np.int64)
    digest = EpisodeDigest()
    for name, held in values.items():
        digest.add(name, held)
    if actions is not None:
        digest.act(actions)
    pairs = {}
    for sensor in plan.sampled if len(starts) else ():
        hashed = digest if len(plan.pictured) == len(recording.lengths) else None
        try:
            pairs[sensor.name] = _pairs(recording, sensor, episode, starts, plan.reach(length), clock, hashed)
        except MondeError as error:
            errors.append(error)
    missing = {name: int((~stream.valid).sum()) for name, stream in clip.streams.items()} if clip else {}
    seen = bool(values or actions is not None or pairs)
    return Look(
        episode=episode,
        length=length,
        times=times,
        values=values,
        missing=missing,
        actions=actions,
        starts=starts,
        pairs=pairs,
        reach=plan.reach(length),
        # What could not be read in full is like nothing else.
        digest=digest.hexdigest(length) if seen and not errors else f"unread {episode}",
        errors=tuple(errors),
    )


def _whole(recording: Recording, plan: Plan, episode: int, errors: list[MondeError]) -> Clip | None:
    """The small sensors; where reading them together fails, those that can be read alone (`errors` grows)."""
    names, length = [sensor.name for sensor in plan.whole], recording.lengths[episode]
    if not names:
        return None
    try:
        return recording.read(episode, 0, length, names)
    except MondeError as error:
        first = error
    streams: dict[str, Stream] = {}
    actions, told = None, set()
    for name in names:
        try:
            clip = recording.read(episode, 0, length, [name])
            streams[name], actions = clip.stream(name), clip.actions
        except MondeError as error:
            if str(error) not in told:
                errors.append(error)
            told.add(str(error))
    if not told:
        errors.append(first)
    return Clip(streams, actions) if streams else None


def _pairs(
    recording: Recording,
    sensor: Sensor,
    episode: int,
    starts: Int64[np.ndarray, " M"],
    reach: int,
    clock: Float64[np.ndarray, " T"],
    digest: EpisodeDigest | None,
) -> Pairs:
    picture = sensor.kind in {"rgb", "depth"}
    small = np.zeros((len(starts), 2 if picture else 0, SIDE * SIDE), np.float32)
    low = high = np.empty(0)
    odd, skew, missing = "", 0.0, 0
    for row, start in enumerate(starts.tolist()):
        stream = _two(recording, sensor, episode, start, reach)
        if tuple(stream.values.shape[2:]) != sensor.shape:
            odd = f"{list(stream.values.shape[2:])} instead of {list(sensor.shape)}"
            break
        if stream.steps != (2 if reach else 1):
            odd = f"another number of samples than frames ({stream.steps} where there are {2 if reach else 1})"
            break
        raw = stream.values[0].numpy()
        if digest is not None:
            digest.add(sensor.name, raw)
        missing += int((~stream.valid).sum())
        flat = raw.reshape(len(raw), -1)
        least, most = flat.min(0), flat.max(0)
        low, high = (least, most) if row == 0 else (np.minimum(low, least), np.maximum(high, most))
        if len(clock):
            wanted = clock[[start, start + reach] if reach else [start]]
            skew = max(skew, float(np.abs(stream.times_seconds[0].numpy() - wanted).max()))
        if picture:
            grey = stream.values[0].to(torch.float32).mean(1, keepdim=True)
            small[row, : len(raw)] = adaptive_avg_pool2d(grey, SIDE).flatten(1).numpy()
            small[row, len(raw) :] = small[row, 0]
    return Pairs(small=small, low=low, high=high, odd=odd, skew_seconds=skew, missing=missing)


def _two(recording: Recording, sensor: Sensor, episode: int, start: int, reach: int) -> Stream:
    """The two frames of a pair as a stream of T = 2: neighbours in one read, frames far apart in two."""
    if reach <= _LONGEST_RUN:
        stream = recording.read(episode, start, start + reach + 1, [sensor.name]).stream(sensor.name)
        if stream.steps != reach + 1:
            return stream
        ends = [0, reach] if reach else [0]
        return stream.map(lambda held: held[:, ends])
    both = [recording.read(episode, at, at + 1, [sensor.name]).stream(sensor.name) for at in (start, start + reach)]
    if any(stream.steps != 1 for stream in both):
        raise DataError(f"sensor {sensor.name!r} of episode {episode} has no sample for every frame")
    return Stream(
        torch.cat([stream.values for stream in both], 1),
        torch.cat([stream.times_seconds for stream in both], 1),
        torch.cat([stream.valid for stream in both], 1),
    )
