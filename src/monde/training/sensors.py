"""Which of a recording's sensors a model reads, which are kept for asking about, and which are left out."""

import math
from collections.abc import Sequence

from monde.data import resized, thinned
from monde.errors import DataError, unknown_name
from monde.perception import check_readable
from monde.types import Sensor

SMALL_SAMPLE_NUMBERS = 4096
"""Sensors with samples up to this size are cached even where the model does not read them: they can be asked about."""


def select_sensors(recorded: tuple[Sensor, ...], names: tuple[str, ...], frame: int, points: int) -> tuple[Sensor, ...]:
    """The sensors the model reads, with frames and clouds at the size it sees; all cameras if none is named.

    Raises:
        UsageError: A sensor that was not recorded.
        ContractError: One of a kind that no encoder reads, or depth in no known unit.
        DataError: No camera, and no sensor named.
    """
    by_name = {sensor.name: sensor for sensor in recorded}
    for name in names:
        if name not in by_name:
            raise unknown_name("sensor", name, sorted(by_name))
    chosen = [by_name[name] for name in names] or [sensor for sensor in recorded if sensor.kind == "rgb"]
    check_readable(chosen)
    if not chosen:
        raise DataError(
            "the recording has no camera",
            got=f"sensors {', '.join(sorted(by_name))}",
            remedy="name the sensors to learn from with --sensors",
        )
    return tuple(thinned(resized(sensor, (frame, frame)), points) for sensor in chosen)


def unread(recorded: Sequence[Sensor], read: Sequence[str]) -> tuple[str, ...]:
    """Sensors of large samples, other than colours, that the model does not read; training leaves them out."""
    return tuple(
        sensor.name
        for sensor in recorded
        if sensor.name not in read
        and sensor.kind != "rgb"
        and (sensor.kind in {"depth", "points", "tokens"} or math.prod(sensor.shape) > SMALL_SAMPLE_NUMBERS)
    )
