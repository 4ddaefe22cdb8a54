"""Which of a recording's sensors a model reads, and which it cannot."""

from collections.abc import Sequence
from dataclasses import replace

from monde.errors import DataError, unknown_name
from monde.perception import READABLE, check_readable
from monde.types import Sensor

_SMALL = frozenset({"pose", "imu", "gnss"})
"""Kinds that no encoder reads either, but that take little room and can be probed for."""


def select_sensors(recorded: tuple[Sensor, ...], names: tuple[str, ...], frame: int) -> tuple[Sensor, ...]:
    """The sensors the model reads, with frames at the size it sees; all cameras if none is named.

    Raises:
        UsageError: A sensor that was not recorded.
        ContractError: One of a kind that no encoder reads.
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
    return tuple(replace(s, shape=(3, frame, frame)) if s.kind == "rgb" else s for s in chosen)


def unread(recorded: Sequence[Sensor]) -> tuple[str, ...]:
    """Sensors of pictures or clouds for which there is no encoder; training leaves them out."""
    return tuple(sensor.name for sensor in recorded if sensor.kind not in {*READABLE, *_SMALL})
