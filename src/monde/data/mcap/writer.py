"""Writing recordings as MCAP, one file an episode, in ROS 2 messages that other tools open."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from monde.data.clocks.recording import AlignedRecording
from monde.data.clocks.rules import Rule
from monde.data.mcap.definitions import definition, full_name
from monde.data.mcap.described import METADATA, Described, metadata
from monde.data.mcap.encoding import Fields, array, camera_info, message, message_type, transforms
from monde.data.mcap.library import needed
from monde.data.streaming import PIECE_BYTES, Clocked
from monde.errors import DataError
from monde.protocols import Recording
from monde.store.atomic import atomic_path
from monde.types import Clip, Intrinsics, Sensor

if TYPE_CHECKING:
    from mcap_ros2.writer import Writer

ACTION, CLOCK, CALIBRATION, STATIC = "/action", "/step", "camera_info", "/tf_static"
_ARRAY = "std_msgs/Float32MultiArray"
_ZERO_NS = 10**18
"""Where an episode begins in its file: MCAP has no negative times, and samples may be older than the first step."""
_SAME_NS = 1_000
"""Samples of one sensor that lie no further apart than a microsecond are one, shown at several steps."""


def write_episode(
    path: Path,
    recording: Recording,
    episode: int,
    task: str = "",
    source: Mapping[str, object] | None = None,
) -> None:
    """One episode of a recording as an MCAP file, whole or not at all.

    Every sample is written once, at its own time (the step's less its age); steps without a sample have no message.
    /step has a message for every step and /action one for every action taken; what MCAP has no message for lies in the
    metadata record "monde", so that `open_recording` gives back the recording that was written.

    Args:
        path: The file.
        recording: What to write.
        episode: Which of its episodes.
        task: What was to be done in it, in words.
        source: Where it comes from (JSON); what the recording says by default.

    Raises:
        DataError: The recording cannot be read, or the libraries are not there.
        StoreError: The disk is full or read-only.
    """
    told = _described(recording, task, recording.source if source is None else source)
    with needed(path), atomic_path(path) as temporary, temporary.open("wb") as file:
        from mcap_ros2.writer import Writer

        with Writer(file) as writer:
            out = _Out(writer, told)
            out.begin(recording)
            step, length = _piece(recording), recording.lengths[episode]
            for start in range(0, length, step):
                stop = min(start + step, length)
                # One step more: the action after the last lies between it and the next.
                out.write(recording, recording.read(episode, start, min(stop + 1, length)), start, stop - start)
            writer.add_metadata(METADATA, metadata(told))


@dataclass
class _Out:
    """A file on its way: what was written last of each sensor, so that a held sample is written once."""

    writer: "Writer"
    told: Described

    def __post_init__(self) -> None:
        self._last: dict[str, int] = {}
        self._schemas: dict[str, object] = {}

    def begin(self, recording: Recording) -> None:
        """What holds for the whole episode: mounts and calibrations."""
        mounts = {sensor.name: sensor.mount for sensor in recording.sensors if sensor.mount is not None}
        if mounts:
            self._send(STATIC, "tf2_msgs/TFMessage", transforms(mounts, _ZERO_NS), 0)
        for sensor in recording.sensors:
            if isinstance(sensor.geometry, Intrinsics):
                home = self.told.topics[sensor.name].rsplit("/", 1)[0]
                fields = camera_info(sensor, sensor.geometry, _ZERO_NS)
                self._send(f"{home}/{CALIBRATION}", "sensor_msgs/CameraInfo", fields, 0)

    def write(self, recording: Recording, clip: Clip, start: int, steps: int) -> None:
        """The steps of a piece, in the order of time."""
        times = next(iter(clip.streams.values())).times_seconds[0].numpy()
        queue: list[tuple[int, str, str, Fields]] = []
        for number in range(steps):
            queue.append((_ns(times[number]), CLOCK, _ARRAY, array(np.array([start + number], dtype=np.float32))))
        if clip.actions is not None:
            moments, taken = clip.actions.times_seconds[0].numpy(), clip.actions.values[0].numpy()
            names = () if recording.actions is None else recording.actions.names
            known = clip.actions.valid[0].numpy()
            for number in range(min(steps, len(taken))):
                if known[number]:
                    queue.append((_ns(moments[number]), ACTION, _ARRAY, array(taken[number], names)))
        for sensor in recording.sensors:
            queue += self._samples(sensor, clip, steps)
        for moment, topic, kind, fields in sorted(queue, key=lambda entry: entry[0]):
            self._send(topic, kind, fields, moment)

    def _samples(self, sensor: Sensor, clip: Clip, steps: int) -> list[tuple[int, str, str, Fields]]:
        stream = clip.stream(sensor.name)
        ages = np.zeros(stream.steps) if stream.age_seconds is None else stream.age_seconds[0].numpy()
        moments = stream.times_seconds[0].numpy() - ages
        found = []
        for step in np.flatnonzero(stream.valid[0].numpy()[:steps]):
            moment = _ns(float(moments[step]))
            if moment - self._last.get(sensor.name, moment - 2 * _SAME_NS) <= _SAME_NS:
                continue
            self._last[sensor.name] = moment
            mask = None if stream.mask is None else stream.mask[0, step].numpy()
            fields = message(sensor, stream.values[0, step].numpy(), mask, moment + _ZERO_NS)
            found.append((moment, self.told.topics[sensor.name], message_type(sensor), fields))
        return found

    def _send(self, topic: str, kind: str, fields: Fields, moment: int) -> None:
        from mcap.records import Schema

        schema = self._schemas.get(kind)
        if not isinstance(schema, Schema):
            schema = self.writer.register_msgdef(full_name(kind), definition(kind))
            self._schemas[kind] = schema
        self.writer.write_message(topic, schema, dict(fields), log_time=moment + _ZERO_NS)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _piece(recording: Recording) -> int:
    sizes = [int(np.prod(sensor.shape)) * (1 if sensor.kind == "rgb" else 4) for sensor in recording.sensors]
    return max(1, PIECE_BYTES // sum(sizes))


def _described(recording: Recording, task: str, source: Mapping[str, object]) -> Described:
    topics = {}
    for sensor in recording.sensors:
        home = "/" + sensor.name.replace(".", "/")
        topics[sensor.name] = f"{home}/{'image' if sensor.kind == 'rgb' else 'depth'}" if sensor.picture else home
    return Described(
        sensors=recording.sensors,
        topics=topics,
        actions=recording.actions,
        action_topic=ACTION,
        clock_topic=CLOCK,
        rules=_rules(recording),
        task=task,
        source=dict(source),
    )


def _rules(recording: Recording) -> Mapping[str, Rule]:
    """How steps find their samples again: those of one clock exactly, others by the rule that aligned them."""
    exactly = Rule(tolerance_seconds=2 * _SAME_NS / 1e9)
    if not isinstance(recording, AlignedRecording):
        rules = dict.fromkeys((sensor.name for sensor in recording.sensors), exactly)
        return rules | (_oldest(recording, len(recording.lengths)) if isinstance(recording, Clocked) else {})
    return {sensor.name: _as_written(recording.rules[sensor.name], sensor) for sensor in recording.sensors}


def _oldest(recording: Clocked, episodes: int) -> dict[str, Rule]:
    """Of sensors with ages and nobody to say by which rule: as old as the oldest sample."""
    ages = [recording.clocks(episode).age_seconds for episode in range(episodes)]
    oldest = {name: max(float(part[name].max(initial=0.0)) for part in ages) for name in recording.aged}
    return {name: Rule(tolerance_seconds=age + 2 * _SAME_NS / 1e9) for name, age in oldest.items()}


def _as_written(rule: Rule, sensor: Sensor) -> Rule:
    """What was interpolated is written as a sample of its own moment: it is the last one, if no later one is older."""
    if rule.kind != "interpolate":
        return rule
    if rule.delay_seconds * sensor.rate_hz >= 1:
        raise DataError(
            f"{sensor.name} cannot be written: its interpolated poses are older than a step",
            got=f"a delay of {rule.delay_seconds:g} s",
            expected=f"less than {1 / sensor.rate_hz:g} s",
            remedy="give it a shorter delay_seconds in the log's monde.json, or the rule 'last'",
        )
    return Rule(tolerance_seconds=rule.tolerance_seconds)
