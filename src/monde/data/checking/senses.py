"""What is odd about spatial sensors: depth of which no unit is known, clouds without a point."""

from collections.abc import Iterator

import numpy as np

from monde.data.checking.findings import Finding
from monde.data.checking.looking import Look
from monde.protocols import Recording
from monde.spatial import cloud_mask


class Senses:
    """Gathers, episode by episode, what `findings` then says.

    Args:
        recording: What is checked.
    """

    def __init__(self, recording: Recording) -> None:
        self._sensors = recording.sensors
        self._clouds: dict[str, tuple[int, int]] = {}

    def add(self, look: Look) -> None:
        """One episode. Clouds of which everything was read are counted; those that are missing are no clouds."""
        for sensor in self._sensors:
            values = look.values.get(sensor.name)
            if sensor.kind != "points" or values is None or values.shape[1] != np.prod(sensor.shape):
                continue
            empty = int((~cloud_mask(values.reshape(len(values), *sensor.shape)).any(1)).sum())
            empty = max(0, empty - look.missing.get(sensor.name, 0))
            before = self._clouds.get(sensor.name, (0, 0))
            self._clouds[sensor.name] = (before[0] + empty, before[1] + len(values))

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        for sensor in self._sensors:
            if sensor.kind == "depth" and sensor.unit != "m":
                yield Finding(
                    level="warning",
                    code="depth-without-unit",
                    what=f"depth {sensor.name!r} is in unit {sensor.unit!r}: 1000 may be a metre or a kilometre",
                    remedy="say the unit where the data is (depth_unit m or mm); a model reads depth in metres only",
                )
        for name, (empty, count) in self._clouds.items():
            if empty:
                yield Finding(
                    level="warning",
                    code="empty-clouds",
                    what=f"cloud {name!r} holds no point in {empty} of {count} samples",
                    remedy="find out whether anything was in reach; a model takes them as missing",
                    figures={"empty": empty, "samples": count},
                )
