"""From messages to the logs of episodes: their times on one clock, and the commands among them."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64, Int64

from monde.data.clocks.config import LogConfig
from monde.data.clocks.tracks import Commands, in_order
from monde.data.mcap.log import McapLog, Track
from monde.data.mcap.messages import stamp_ns
from monde.data.mcap.parts import Convert, Part, Topic, UnreadableError, sensor_name
from monde.data.mcap.states import command_values
from monde.data.mcap.survey import Source, Survey
from monde.errors import DataError, unknown_name

_TWO_CLOCKS = "split the file where the clock was set, or leave the topic out with `without` in the log's monde.json"


class Timing:
    """When messages were sent, and what was commanded.

    Args:
        survey: The topics.
        config: Which time counts, what is added to it, and which topic holds the commands.

    Raises:
        DataError: The topic of commands is not there, or its messages hold no numbers.
    """

    def __init__(self, survey: Survey, config: LogConfig) -> None:
        self._survey, self._config = survey, config
        self._convert: Convert | None = None
        self.action_names: tuple[str, ...] = ()
        """Names of the components of commands, or empty."""
        if config.actions is not None:
            self._convert, self.action_names = _command_topic(survey, config, config.actions)

    def log(self, number: int, name: str, parts: Mapping[str, tuple[Part, ...]]) -> McapLog:
        """The log in one of the survey's files.

        Args:
            number: Of the file.
            name: What the log is called.
            parts: What is made of the messages of each topic.

        Raises:
            DataError: A clock jumps back, or a command is damaged.
        """
        tracks = []
        for topic, made in parts.items():
            for source in self._survey.sources(topic):
                if source.file == number and source.decode is not None:
                    times, order = self._times(source, topic, [part.sensor.name for part in made])
                    tracks.append(Track(topic, source.channel, source.decode, order, times, made))
        return McapLog(name, self._survey.files[number], tracks, self._commands(number))

    def _commands(self, number: int) -> Commands | None:
        topic = self._config.actions
        for source in self._survey.sources(topic) if topic is not None else ():
            if source.file == number and topic is not None and self._convert is not None:
                times, order = self._times(source, topic, [])
                messages = dict(self._survey.decoded(source, topic))
                values = [self._convert(messages[int(message)]) for message in order]
                given = [(time, value) for time, value in zip(times, values, strict=True) if value is not None]
                if given:
                    return Commands(np.array([time for time, _ in given]), np.stack([value for _, value in given]))
        return None

    def _times(
        self, source: Source, topic: str, sensors: Sequence[str]
    ) -> tuple[Float64[np.ndarray, " N"], Int64[np.ndarray, " N"]]:
        """When the messages of a topic were sent, in order, in seconds since the file's first message; and their
        numbers in the file."""
        file = self._survey.files[source.file]
        times_ns = file.places[source.channel].times_ns
        if self._config.time == "header":
            stamps = [stamp_ns(message) for _, message in self._survey.decoded(source, topic)]
            told = [stamp for stamp in stamps if stamp is not None]
            if len(told) == len(times_ns):
                times_ns = np.array(told, dtype=np.int64)
            else:
                self._survey.notes.append(f"{topic}: messages without a time of their own; that of logging was taken")
        offsets, names = self._config.offsets, (topic, sensor_name(topic), *sensors)
        # Added as whole nanoseconds: an epoch in seconds would leave no room for fractions.
        offset_ns = round(1e9 * next((offsets[name] for name in names if name in offsets), 0.0))
        first_ns = min(int(places.times_ns.min()) for places in file.places.values())
        return in_order((times_ns - first_ns + offset_ns) / 1e9, f"{topic} in {file.path}", _TWO_CLOCKS)


def _command_topic(survey: Survey, config: LogConfig, name: str) -> tuple[Convert, tuple[str, ...]]:
    if name not in survey.topics:
        raise unknown_name("topic of `actions`", name, list(survey.topics), DataError)
    topic = Topic(name=name, type=survey.type(name), messages=survey.messages(name), config=config)
    try:
        return command_values(topic)
    except UnreadableError as reason:
        raise DataError(f"{name} cannot be the topic of actions", got=reason.what) from reason
