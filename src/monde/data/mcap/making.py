"""From the topics of a survey to sensors: what each message type makes."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float64

from monde.data.clocks.config import LogConfig
from monde.data.mcap.calibration import CALIBRATIONS
from monde.data.mcap.clouds import CLOUDS, cloud_parts
from monde.data.mcap.described import Described, as_described
from monde.data.mcap.grids import GRIDS, grid_parts
from monde.data.mcap.messages import frame_of
from monde.data.mcap.parts import Part, Topic, UnreadableError, sensor_name
from monde.data.mcap.pictures import COMPRESSED, RAW, picture_parts
from monde.data.mcap.scans import SCANS, scan_parts
from monde.data.mcap.states import FIXES, STATES, fix, gnss_parts
from monde.data.mcap.survey import Survey
from monde.data.mcap.transforms import TRANSFORMS
from monde.errors import DataError, unknown_name

_MAKERS: Mapping[str, Callable[[Topic], tuple[Part, ...]]] = {
    **dict.fromkeys((*RAW, *COMPRESSED), picture_parts),
    **dict.fromkeys(CLOUDS, cloud_parts),
    **dict.fromkeys(SCANS, scan_parts),
    **dict.fromkeys(GRIDS, grid_parts),
    **STATES,
}
"""The types of messages that sensors are made of, but those of GNSS, which need the recording's first fix."""
_NO_SENSORS = TRANSFORMS | CALIBRATIONS


def sensor_parts(survey: Survey, config: LogConfig, own: Described | None) -> dict[str, tuple[Part, ...]]:
    """The sensors of every topic that makes any; the others are counted."""
    found: dict[str, tuple[Part, ...]] = {}
    wanted = None if own is None else {topic: name for name, topic in own.topics.items()}
    for name in survey.topics:
        kind = survey.type(name)
        if name == config.actions or kind in _NO_SENSORS or (wanted is not None and name not in wanted):
            continue
        if kind not in _MAKERS and kind not in FIXES:
            survey.skipped[kind or "(without a type)"] += survey.count(name)
            continue
        try:
            made = _made(survey, name, kind, config)
        except UnreadableError as reason:
            survey.notes.append(f"{name} is left out: {reason.what}")
            continue
        except (ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
            survey.notes.append(f"{name} is left out: its messages are no {kind} ({error})")
            continue
        if own is not None and wanted is not None:
            sensor = next(sensor for sensor in own.sensors if sensor.name == wanted[name])
            made = (Part(sensor, as_described(made[0].convert, sensor)),)
        kept = tuple(part for part in made if part.sensor.name not in config.without)
        if kept:
            found[name] = kept
    return found


def check_offsets(survey: Survey, parts: Mapping[str, tuple[Part, ...]], config: LogConfig) -> None:
    """Refuse offsets of what is not there.

    Raises:
        DataError: A name that no sensor and no topic has.
    """
    known = {part.sensor.name for made in parts.values() for part in made}
    known |= {*survey.topics, *map(sensor_name, survey.topics)}
    for name in config.offsets:
        if name not in known:
            raise unknown_name("sensor in `offsets`", name, sorted(known), DataError)


def _made(survey: Survey, name: str, kind: str, config: LogConfig) -> tuple[Part, ...]:
    messages = survey.messages(name)
    if not messages:
        raise UnreadableError("there are no messages in it")
    frame = frame_of(messages[0])
    mount = survey.frames.mount(frame)
    topic = Topic(
        name=name,
        type=kind,
        messages=messages,
        config=config,
        camera=survey.camera(name, messages[0]),
        mount=mount,
        say=lambda words: survey.notes.append(f"{name}: {words}"),
    )
    made = gnss_parts(topic, _first_fix(survey, name)) if kind in FIXES else _MAKERS[kind](topic)
    spatial = any(part.sensor.kind in {"rgb", "depth", "points", "scan", "imu", "gnss"} for part in made)
    if spatial and mount is None:
        survey.notes.append(f"{name}: no fixed transform says where its frame {frame!r} is")
    return made


def _first_fix(survey: Survey, topic: str) -> Float64[np.ndarray, "3"] | None:
    for source in survey.sources(topic):
        for _, message in survey.decoded(source, topic):
            place = fix(message)
            if place is not None:
                return place
    return None
