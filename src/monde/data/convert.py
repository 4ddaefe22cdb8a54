"""`convert`: any recording into a LeRobot v3.0 dataset, an episode at a time."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from monde.data.folders.reader import VideoFolder, VideoRecording, is_video
from monde.data.lerobot.frames import FrameStorage, ImageFrames
from monde.data.lerobot.storage import storage_for
from monde.data.recording import open_recording
from monde.data.resize import resized
from monde.data.streaming import stream_episode
from monde.data.writer import RecordingWriter
from monde.errors import ContractError, DataError, UsageError
from monde.limits import MAX_FRAME_SIDE_PIXELS, MAX_NAME_CHARACTERS, MAX_RECORDING_GROUP_BYTES
from monde.protocols import Intermittent, Recording
from monde.types import Sensor


@dataclass(frozen=True, kw_only=True)
class ConvertSummary:
    """What a call of `convert` did.

    Args:
        root: Folder of the new dataset.
        episodes: Episodes in it now.
        new_episodes: Of these, added by this call.
        new_frames: Frames added by this call.
        left_out: Files of the source that could not be read and episodes whose files are not there, and why.
        store: "images" or "video".
        seconds: Wall time of this call.
    """

    root: Path
    episodes: int
    new_episodes: int
    new_frames: int
    left_out: dict[str, str]
    store: str
    seconds: float

    def __str__(self) -> str:
        if not self.new_episodes:
            return f"{self.root} holds {self.episodes} episodes already: nothing to do"
        speed = self.new_frames / max(self.seconds, 1e-9)
        added = f"{self.new_episodes} episodes, {self.new_frames} frames in {self.seconds:.1f} s ({speed:.0f} frames/s)"
        left = f"; {len(self.left_out)} that cannot be read were left out" if self.left_out else ""
        return f"{self.root}: converted {added}; it holds {self.episodes} now{left}"


def convert(
    source: Path | str,
    out: Path | str,
    *,
    frame: int | tuple[int, int] | None = None,
    episodes: Sequence[int] | None = None,
    store: str = "auto",
    rate_hz: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ConvertSummary:
    """Write any recording that `open_recording` reads as a LeRobot v3.0 dataset.

    Each episode is durable before the next is begun; the same call goes on with what was stopped. Camera frames are
    decoded while they are encoded, so that memory does not grow with the length of a film (images, which lie inside
    Parquet, are held for one episode). Exact times of frames are kept, those of variable rate too; the videos' own
    times are nominal, k / fps.

    Args:
        source: What to convert; a folder of videos of several sizes needs `frame`.
        out: Folder of the dataset; new, or written by an equal call.
        frame: Side, or (height, width), to which camera frames are resized; their own by default. The whole picture is
            kept, its aspect ratio is not. Depth keeps its size.
        episodes: Which episodes, in this order; all by default.
        store: How camera frames are stored: "images" (lossless), "video" (H.264), or "auto": video for cameras above
            128 px a side.
        rate_hz: Frames per second of a source that does not store it (see `open_recording`).
        progress: Called with (frames done, frames wanted).

    Raises:
        UsageError: An unknown storage, episodes that do not exist, an unusable `frame`, a rate for a source that has
            one of its own, or `out` inside `source`.
        DataError: `source` cannot be read, or holds what a dataset cannot (NaN, times that go back); episodes before
            that are kept. Or `out` holds something else.
        StoreError: The disk is full or read-only.
    """
    began = time.monotonic()
    size = _size(frame)
    folder, target = Path(source), Path(out)
    _check_apart(folder, target)
    recording = _opened(folder, size, rate_hz)
    chosen = _chosen(recording, episodes)
    sensors = tuple(resized(s, size) if size and s.kind == "rgb" else s for s in recording.sensors)
    frames = storage_for(target, sensors, store)
    _check_memory(sensors, frames, max((recording.lengths[index] for index in chosen), default=0))
    origin = {
        "converted_from": folder.resolve().name,
        "fingerprint": recording.fingerprint,
        "episodes": list(chosen),
        "source": dict(recording.source),
    }
    told = progress or (lambda done, wanted: None)
    wanted = sum(recording.lengths[index] for index in chosen)
    with closing(
        RecordingWriter(
            target,
            sensors=sensors,
            actions=recording.actions,
            source=origin,
            frames=frames,
            gaps=recording.gaps if isinstance(recording, Intermittent) else (),
            aged=recording.aged if isinstance(recording, Intermittent) else (),
        )
    ) as writer:
        first = writer.episodes_written
        done = before = sum(recording.lengths[index] for index in chosen[:first])
        told(done, wanted)
        for index in chosen[first:]:
            _append(writer, recording, index, size)
            done += recording.lengths[index]
            told(done, wanted)
        return ConvertSummary(
            root=target,
            episodes=writer.episodes_written,
            new_episodes=writer.episodes_written - first,
            new_frames=done - before,
            left_out=_left_out(recording),
            store="images" if isinstance(frames, ImageFrames) else "video",
            seconds=time.monotonic() - began,
        )


def _append(writer: RecordingWriter, recording: Recording, index: int, size: tuple[int, int] | None) -> None:
    tasks = getattr(recording, "tasks", ())
    task = str(tasks[index])[:MAX_NAME_CHARACTERS] if index < len(tasks) else ""
    try:
        writer.append([stream_episode(recording, index, size, task)])
    except ContractError as error:
        raise DataError(
            f"episode {index} of {recording.root} cannot be converted: {error.what}",
            got=error.got,
            expected=error.expected,
            remedy=error.remedy or "leave it out: choose the others with `episodes`",
        ) from error


def _left_out(recording: Recording) -> dict[str, str]:
    files: Mapping[str, str] = getattr(recording, "absent_files", {})
    listed: Sequence[int] = getattr(recording, "absent", ())
    return {**files, **{f"episode {index}": "listed, but its files are not there" for index in listed}}


def _opened(source: Path, size: tuple[int, int] | None, rate_hz: float | None) -> Recording:
    if (
        size is not None
        and rate_hz is None
        and ((source.is_file() and is_video(source)) or VideoFolder().detect(source))
    ):
        return VideoRecording(source, size)
    return open_recording(source, rate_hz)


def _size(frame: int | tuple[int, int] | None) -> tuple[int, int] | None:
    size = (frame, frame) if isinstance(frame, int) else frame
    if size is not None and not all(1 <= side <= MAX_FRAME_SIDE_PIXELS for side in size):
        raise UsageError("frames cannot have this size", got=frame, expected=f"sides of 1 to {MAX_FRAME_SIDE_PIXELS}")
    return size


def _chosen(recording: Recording, episodes: Sequence[int] | None) -> tuple[int, ...]:
    count = len(recording.lengths)
    chosen = tuple(range(count)) if episodes is None else tuple(episodes)
    unknown = [index for index in chosen if not 0 <= index < count]
    if unknown or not chosen:
        raise UsageError(
            "there are no such episodes" if unknown else "no episode is chosen",
            got=unknown[:5] or None,
            expected=f"0 to {count - 1}",
        )
    return chosen


def _check_apart(source: Path, target: Path) -> None:
    if source.is_dir() and target.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"{target} lies inside of {source}", remedy="write the new dataset somewhere else")


def _check_memory(sensors: tuple[Sensor, ...], frames: FrameStorage, longest: int) -> None:
    """Images of an episode are held until its data file is written; an encoded one is taken as large as a raw one."""
    held = {"depth": 4, "rgb": 1 if isinstance(frames, ImageFrames) else 0}
    raw = sum(held.get(sensor.kind, 0) * math.prod(sensor.shape) for sensor in sensors) * longest
    if raw > MAX_RECORDING_GROUP_BYTES:
        raise UsageError(
            "an episode is too large to be stored as images",
            got=f"{raw / 2**20:.0f} MiB in {longest} frames",
            expected=f"at most {MAX_RECORDING_GROUP_BYTES / 2**20:.0f} MiB",
            remedy="store video (even sides), or smaller frames: --frame SIDE; depth is always stored as images",
        )
