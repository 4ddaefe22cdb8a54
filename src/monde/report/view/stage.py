"""`Stage`: a Rerun file on its way to disk, and where each sensor stands in it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from monde.errors import UsageError
from monde.store.atomic import atomic_path
from monde.types import Mount, Sensor

if TYPE_CHECKING:
    from rerun import AsComponents, RecordingStream

WORLD = "world"
STEP, SECONDS = "step", "seconds"
"""The timelines: number of the recording's step, and seconds since the episode began."""


class Stage:
    """What is being written.

    Args:
        stream: Rerun's.
        bodies: The entity of each frame that sensors are mounted on, by its name.
    """

    def __init__(self, stream: "RecordingStream", bodies: Mapping[str, str]) -> None:
        self._stream, self._bodies = stream, dict(bodies)

    def place(self, sensor: Sensor) -> str:
        """The entity of a sensor: below the frame that it is mounted on; apart where nobody knows that.

        Maps are given in the world, whatever its frame is called.
        """
        if sensor.mount is None and sensor.kind == "grid":
            return f"{WORLD}/{part(sensor.name)}"
        if sensor.mount is None:
            return f"unplaced/{part(sensor.name)}"
        return f"{self._bodies.get(sensor.mount.parent, f'{WORLD}/{part(sensor.mount.parent)}')}/{part(sensor.name)}"

    def mount(self, entity: str, mount: Mount) -> None:
        """Where an entity is fixed in its parent."""
        import rerun as rr

        turned = rr.Quaternion(xyzw=list(mount.rotation))
        self.always(entity, rr.Transform3D(translation=list(mount.translation), quaternion=turned))

    def always(self, entity: str, what: "AsComponents") -> None:
        """Something that holds for the whole episode."""
        self._stream.log(entity, what, static=True)

    def show(self, entity: str, step: int, seconds: float, *what: "AsComponents") -> None:
        """Something that is seen from a step on, at a time of its own."""
        self._stream.set_time(STEP, sequence=step)
        self._stream.set_time(SECONDS, duration=seconds)
        self._stream.log(entity, *what)


def part(name: str) -> str:
    """A name as one part of an entity's path, in characters that need no escaping."""
    return "".join(letter if letter.isalnum() or letter in "_-." else "_" for letter in name)


@contextmanager
def staged(out: Path, title: str, bodies: Mapping[str, str]) -> Iterator[Stage]:
    """A Rerun file that appears under `out` complete when the block ends, or not at all.

    Raises:
        UsageError: rerun-sdk is not installed.
        StoreError: The disk is full or read-only.
    """
    try:
        import rerun as rr
    except ImportError as error:
        raise UsageError("the view needs rerun-sdk", got=error, remedy="pip install 'monde[view]'") from error
    with atomic_path(out) as temporary:
        stream = rr.RecordingStream("monde", recording_id=title, make_default=False, send_properties=False)
        rr.set_log_time_enabled(False, recording=stream)
        stream.save(temporary)
        yield Stage(stream, bodies)
        stream.flush()
        stream.disconnect()
