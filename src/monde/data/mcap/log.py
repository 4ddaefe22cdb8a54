"""`McapLog`: one MCAP file as the log of an episode."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from monde.data.clocks.tracks import Commands, Samples, Stack
from monde.data.mcap.file import McapFile
from monde.data.mcap.messages import Decode, decoded
from monde.data.mcap.parts import Part
from monde.errors import DataError, MondeError


@dataclass(frozen=True)
class Track:
    """The messages of one topic of a file that sensors are made of.

    Args:
        topic: Its name.
        channel: Its channel in the file.
        decode: How its messages are decoded.
        order: [N] number of each message in the file, in the order of their times.
        times_seconds: [N] when each was sent.
        parts: What is made of a message.
    """

    topic: str
    channel: int
    decode: Decode
    order: Int64[np.ndarray, " N"]
    times_seconds: Float64[np.ndarray, " N"]
    parts: tuple[Part, ...]


class McapLog:
    """The samples in one MCAP file (`monde.data.clocks.tracks.Log`). Messages are read when they are asked for.

    Args:
        name: What it is called.
        file: Where the messages are.
        tracks: The topics that are read.
        commands: What was commanded.
    """

    def __init__(self, name: str, file: McapFile, tracks: Sequence[Track], commands: Commands | None) -> None:
        self._name, self._file, self._commands = name, file, commands
        self._tracks = {part.sensor.name: (track, part) for track in tracks for part in track.parts}

    @property
    def name(self) -> str:
        """The file."""
        return self._name

    @property
    def times(self) -> Mapping[str, Float64[np.ndarray, " _"]]:
        """When each sample was taken, by sensor."""
        return {name: track.times_seconds for name, (track, _) in self._tracks.items()}

    @property
    def commands(self) -> Commands | None:
        """What was commanded."""
        return self._commands

    def read(self, wanted: Mapping[str, Int64[np.ndarray, " _"]]) -> Mapping[str, Samples]:
        """Some samples of some sensors; every message is decoded once, in the order of the file.

        Raises:
            DataError: A message is damaged, or makes no sample; it is named.
        """
        topics: dict[int, tuple[Track, dict[str, Int64[np.ndarray, " _"]]]] = {}
        for name, index in wanted.items():
            track, _ = self._tracks[name]
            topics.setdefault(track.channel, (track, {}))[1][name] = index
        stacks = {name: Stack(self._tracks[name][1].sensor, len(index)) for name, index in wanted.items()}
        channels = list(topics)
        needed = [np.unique(np.concatenate(list(topics[channel][1].values()))) for channel in channels]
        rows = [topics[channel][0].order[which] for channel, which in zip(channels, needed, strict=True)]
        for position, row, data in self._file.payloads(channels, rows):
            track, names = topics[channels[position]]
            message, number = (
                decoded(track.decode, data, self._where(track, int(rows[position][row]))),
                needed[position][row],
            )
            for name, index in names.items():
                place = int(np.searchsorted(index, number))
                if place < len(index) and index[place] == number:
                    part = self._tracks[name][1]
                    stacks[name].put(place, _sample(part, message, self._where(track, int(rows[position][row]))))
        return {name: stack.samples() for name, stack in stacks.items()}

    def _where(self, track: Track, message: int) -> str:
        return f"{self._file.path}: message {message} of {track.topic}"


def _sample(part: Part, message: object, where: str) -> np.ndarray | None:
    try:
        return part.convert(message)
    except (ValueError, KeyError, IndexError, AttributeError, TypeError, MondeError) as error:
        raise DataError(
            f"{where} makes no sample of {part.sensor.name}",
            got=str(error.got or error.what) if isinstance(error, MondeError) else str(error)[:160],
            expected=error.expected if isinstance(error, MondeError) else None,
            remedy=f'leave it out ("without": ["{part.sensor.name}"]) in the log\'s monde.json',
        ) from error
