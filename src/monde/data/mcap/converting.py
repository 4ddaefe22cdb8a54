"""Any recording as a folder of MCAP files, an episode a file; and what LeRobot's layout cannot hold."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from monde.data.lock import FolderLock
from monde.data.mcap.described import described
from monde.data.mcap.file import McapFile
from monde.data.mcap.reader import SUFFIX
from monde.data.mcap.writer import write_episode
from monde.errors import DataError
from monde.limits import MAX_NAME_CHARACTERS
from monde.protocols import Intermittent, Recording
from monde.store.atomic import disk_error

_NOT_IN_LEROBOT = {"points": "clouds of points of varying number", "grid": "occupancy grids"}


def not_in_lerobot(recording: Recording) -> str | None:
    """What a recording holds for which LeRobot's layout has no form that other tools know, or none."""
    for sensor in recording.sensors:
        if sensor.kind in _NOT_IN_LEROBOT:
            return f"{sensor.name} delivers {_NOT_IN_LEROBOT[sensor.kind]}"
    if isinstance(recording, Intermittent) and recording.gaps:
        return f"there are steps without a sample of {', '.join(recording.gaps)}"
    return None


def write_folder(
    recording: Recording,
    out: Path,
    episodes: Sequence[int],
    origin: Mapping[str, object],
    progress: Callable[[int], None],
) -> int:
    """Write some episodes of a recording; go on with a folder that an equal call began.

    Args:
        recording: What to write.
        out: The folder.
        episodes: Which episodes, in this order.
        origin: Where they come from (JSON); a folder is gone on with only for the same.
        progress: Told of the steps written so far.

    Returns:
        Episodes that this call wrote.

    Raises:
        DataError: The folder holds something else, or the recording cannot be read.
        StoreError: The disk is full or read-only.
    """
    paths = [out / f"episode_{number:06d}{SUFFIX}" for number in range(len(episodes))]
    _check_folder(out, paths, origin)
    try:
        lock = FolderLock(out)
    except OSError as error:
        raise disk_error(out, error) from error
    done = new = 0
    try:
        for path, episode in zip(paths, episodes, strict=True):
            if not path.exists():
                write_episode(path, recording, episode, _task(recording, episode), origin)
                new += 1
            done += recording.lengths[episode]
            progress(done)
    finally:
        lock.release()
    return new


def _check_folder(out: Path, paths: Sequence[Path], origin: Mapping[str, object]) -> None:
    held = [path for path in sorted(out.iterdir()) if not path.name.startswith(".")] if out.is_dir() else []
    for path in held:
        if path not in paths:
            raise DataError(f"{out} holds something else already", got=path.name, remedy="choose another folder")
        own = described(McapFile(path))
        if own is None or dict(own.source) != dict(origin):
            raise DataError(
                f"{path} was not written from this recording",
                got="another program's file" if own is None else dict(own.source),
                expected=dict(origin),
                remedy="choose another folder",
            )


def _task(recording: Recording, episode: int) -> str:
    tasks = getattr(recording, "tasks", ())
    return str(tasks[episode])[:MAX_NAME_CHARACTERS] if episode < len(tasks) else ""
