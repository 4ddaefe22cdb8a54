"""What is in some MCAP files: topics, their types and messages, frames and calibrations."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from monde.data.clocks.config import LogConfig
from monde.data.mcap.calibration import CALIBRATIONS, belongs, intrinsics
from monde.data.mcap.file import McapFile
from monde.data.mcap.messages import Decode, Decoders, decoded, frame_of, type_name
from monde.data.mcap.parts import sensor_name
from monde.data.mcap.transforms import TRANSFORMS, Frames
from monde.errors import unknown_name
from monde.types import Intrinsics

if TYPE_CHECKING:
    from mcap.records import Channel

_LOOKED_AT = 8
_TRANSFORMS_LOOKED_AT = 512


@dataclass(frozen=True)
class Source:
    """The messages of a topic in one file.

    Args:
        file: Number of the file.
        channel: Its channel there.
        type: Type of its messages.
        count: How many there are.
        decode: How they are decoded; none where nobody knows how.
    """

    file: int
    channel: int
    type: str
    count: int
    decode: Decode | None


class Survey:
    """The topics of some MCAP files.

    Args:
        files: The files.
        config: How they are to be read.

    Raises:
        DataError: `without` names what is not there, or transforms or calibrations are damaged.
    """

    def __init__(self, files: Sequence[McapFile], config: LogConfig) -> None:
        self.files, self._config = tuple(files), config
        self.notes: list[str] = []
        self.skipped: Counter[str] = Counter()
        """Messages that are not read, by type."""
        self._topics: dict[str, list[Source]] = {}
        for number, file in enumerate(files):
            self._add(number, file)
        self._check_without()
        self.frames = Frames(config.base)
        for topic in self.of_type(TRANSFORMS):
            self.frames.add(self.messages(topic, _TRANSFORMS_LOOKED_AT), topic)
        self._cameras = self._calibrated()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that are read, in alphabetical order."""
        return tuple(sorted(topic for topic in self._topics if not self._left_out(topic)))

    def of_type(self, types: frozenset[str]) -> Iterator[str]:
        """The topics of some types."""
        return (topic for topic in self.topics if self.type(topic) in types)

    def type(self, topic: str) -> str:
        """The type of a topic's messages."""
        return self._topics[topic][0].type

    def sources(self, topic: str) -> Sequence[Source]:
        """Where the messages of a topic are; nowhere for an unknown one."""
        return self._topics.get(topic, ())

    def count(self, topic: str) -> int:
        """Messages of a topic."""
        return sum(source.count for source in self._topics[topic])

    def messages(self, topic: str, most: int = _LOOKED_AT) -> list[object]:
        """Some of a topic's messages, spread evenly over the first file that has any, then the next."""
        found: list[object] = []
        for source in self._topics[topic]:
            wanted = most - len(found)
            if wanted < 1 or source.decode is None:
                break
            index = np.unique(np.linspace(0, source.count - 1, min(wanted, source.count)).astype(np.int64))
            found += [message for _, message in self.decoded(source, topic, index)]
        return found

    def decoded(
        self, source: Source, topic: str, index: Int64[np.ndarray, " n"] | None = None
    ) -> Iterator[tuple[int, object]]:
        """Messages of one source with their numbers, all or some.

        Raises:
            DataError: One is damaged.
        """
        file = self.files[source.file]
        wanted = np.arange(source.count) if index is None else index
        for _, row, data in file.payloads([source.channel], [wanted]):
            if source.decode is not None:
                number = int(wanted[row])
                yield number, decoded(source.decode, data, f"{file.path}: message {number} of {topic}")

    def camera(self, topic: str, message: object) -> Intrinsics | None:
        """The calibration of a topic of pictures: of its namespace, else of its frame."""
        for calibration, (camera, _) in self._cameras.items():
            if belongs(calibration, topic):
                return camera
        frame = frame_of(message)
        return next((camera for camera, other in self._cameras.values() if frame and other == frame), None)

    def _add(self, number: int, file: McapFile) -> None:
        decoders = Decoders()
        best: dict[str, tuple[int, Channel]] = {}
        for channel_id, places in file.places.items():
            channel = file.channels.get(channel_id)
            if channel is None:
                self.skipped["(of an undeclared channel)"] += len(places)
                continue
            held = best.get(channel.topic)
            if held is not None:
                kind = type_name(file.schemas.get(channel.schema_id))
                self.skipped[f"{kind} (a second publisher of {channel.topic})"] += min(held[0], len(places))
            if held is None or held[0] < len(places):
                best[channel.topic] = (len(places), channel)
        for topic, (count, channel) in best.items():
            schema = file.schemas.get(channel.schema_id)
            kind, decode = type_name(schema), decoders.of(channel, schema)
            known = self._topics.get(topic)
            if known and known[0].type != kind:
                self.skipped[f"{kind} ({topic} is {known[0].type} in other files)"] += count
                continue
            if decode is None:
                kind = f"{kind} ({channel.message_encoding})"
            self._topics.setdefault(topic, []).append(Source(number, channel.id, kind, count, decode))

    def _left_out(self, topic: str) -> bool:
        return bool({topic, sensor_name(topic)} & set(self._config.without))

    def _check_without(self) -> None:
        known = sorted({*self._topics, *map(sensor_name, self._topics)})
        for name in self._config.without:
            # One of several sensors of a topic is named with a further dot.
            if name not in known and name.rpartition(".")[0] not in known:
                raise unknown_name("topic in `without`", name, sorted(self._topics))

    def _calibrated(self) -> dict[str, tuple[Intrinsics, str]]:
        found = {}
        for topic in self.of_type(CALIBRATIONS):
            for message in self.messages(topic, 1):
                camera, distorted = intrinsics(message, topic)
                if camera is None:
                    self.notes.append(f"{topic}: the camera was never calibrated")
                    continue
                if distorted:
                    self.notes.append(f"{topic}: its pictures are distorted, which a pinhole camera does not say")
                found[topic] = (camera, frame_of(message))
        return found
