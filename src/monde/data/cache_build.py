"""Making a frame cache: decode in pieces, resize, stream to files, hash on the way.

Memory does not grow with the data: no more than a few pieces are held at once.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monde.data.cache_files import ArrayFile, Closing, SaidFile
from monde.data.cache_index import CacheIndex
from monde.data.resize import resize_pictures, resized, thinned
from monde.data.streaming import PIECE_BYTES, Filmed, check_aligned, clocks, film, numbers
from monde.errors import CacheError, DataError, StoreError
from monde.protocols import Recording
from monde.spatial import thin_cloud
from monde.store import atomic_folder, require_room
from monde.types import Sensor

Progress = Callable[[int, int], None]
"""Called with frames done and frames in all."""

CONTROLS = "controls.npy"
TIMES = "times.npy"
VALID = "valid"
AGES = "ages"
OFFSETS = "offsets.npy"


@dataclass(frozen=True)
class _Piece:
    episode: int
    start: int
    stop: int


def build(folder: Path, recording: Recording, sensors: tuple[Sensor, ...], progress: Progress | None) -> None:
    """Write the cache of `recording` to `folder`, complete or not at all.

    Args:
        folder: Where it appears; must not exist.
        recording: What is decoded.
        sensors: What is cached, cameras in the size they are to have.
        progress: Told of frames done and in all.

    Raises:
        CacheError: There is no room, or the disk cannot be written to.
        DataError: The recording cannot be read.
    """
    frames = sum(recording.lengths)
    dim = 0 if recording.actions is None else recording.actions.dim
    per_frame = sum(_sample_bytes(sensor) for sensor in sensors) + 4 * dim + 8
    try:
        require_room(folder, frames * per_frame, f"the frame cache of {recording.root}")
        with atomic_folder(folder) as temporary:
            _write(temporary, recording, sensors, frames, dim, progress)
    except StoreError as error:
        raise CacheError(
            error.what,
            got=error.got,
            expected=error.expected,
            remedy=f"{error.remedy or 'choose another disk'}; MONDE_CACHE=FOLDER puts caches elsewhere",
        ) from error


def array_name(index: int) -> str:
    """File of the index-th sensor. Numbered: a sensor's name need not be a good file name."""
    return f"sensor-{index:02d}.npy"


def _write(
    folder: Path, recording: Recording, sensors: tuple[Sensor, ...], frames: int, dim: int, progress: Progress | None
) -> None:
    done = 0
    said = [
        (SaidFile(folder / part_name(VALID, i), frames, True), SaidFile(folder / part_name(AGES, i), frames, 0.0))
        for i in range(len(sensors))
    ]
    names = [array_name(index) for index in range(len(sensors))]
    arrays = [ArrayFile(folder / name, _dtype(s), (frames, *_layout(s))) for name, s in zip(names, sensors)]
    times = ArrayFile(folder / TIMES, np.dtype(np.float64), (frames,))
    controls = ArrayFile(folder / CONTROLS, np.dtype(np.float32), (frames, dim)) if dim else None
    offsets = ArrayFile(folder / OFFSETS, np.dtype(np.int64), (len(recording.lengths) + 1,))
    files: list[ArrayFile | SaidFile] = [*arrays, times, offsets, *([controls] if controls else [])]
    files += [part for pair in said for part in pair]
    with Closing(files):
        offsets.write(np.concatenate([[0], np.cumsum(recording.lengths, dtype=np.int64)]))
        for part in _decoded(recording, sensors):
            for array, values in zip(arrays, part.values):
                array.write(values)
            for (valid, ages), (there, old) in zip(said, part.said):
                valid.write(there, len(part.times))
                ages.write(old, len(part.times))
            times.write(part.times)
            if controls is not None and part.controls is not None:
                controls.write(part.controls)
            done += len(part.times)
            if progress is not None:
                progress(done, frames)
        entries = tuple(entry for file in files if (entry := file.finish()) is not None)
    CacheIndex(
        fingerprint=recording.fingerprint,
        source=str(recording.root),
        sensors=sensors,
        arrays=tuple(names),
        actions=recording.actions,
        frames=frames,
        episodes=len(recording.lengths),
        files=entries,
    ).write(folder)


@dataclass(frozen=True)
class _Decoded:
    """A piece: samples by sensor, what is said of each (there or missing; ages), times and control steps."""

    values: list[np.ndarray]
    said: list[tuple[np.ndarray | None, np.ndarray | None]]
    times: np.ndarray
    controls: np.ndarray | None


def _decoded(recording: Recording, sensors: tuple[Sensor, ...]) -> Iterator[_Decoded]:
    """Pieces in order, a few of them decoded ahead in threads (decoders release the interpreter)."""
    workers = min(4, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        if isinstance(recording, Filmed):
            # One thread: each camera is decoded once, from its first frame to its last.
            yield from _ahead(pool, _filmed(recording, sensors))
            return
        waiting: deque[Future[_Decoded]] = deque()
        try:
            for piece in _pieces(recording, sensors):
                waiting.append(pool.submit(_decode, recording, sensors, piece))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _ahead(pool: ThreadPoolExecutor, pieces: Iterator[_Decoded]) -> Iterator[_Decoded]:
    """One piece is decoded while the one before it is hashed and written."""
    coming = pool.submit(next, pieces, None)
    while (piece := coming.result()) is not None:
        coming = pool.submit(next, pieces, None)
        yield piece


def _filmed(recording: Recording, sensors: tuple[Sensor, ...]) -> Iterator[_Decoded]:
    """Episodes of video: cameras from first frame to last side by side, numbers sliced to match."""
    for episode, length in enumerate(recording.lengths):
        held = numbers(recording, episode, [sensor.name for sensor in sensors if not sensor.picture])
        controls = None if recording.actions is None else _padded(held.actions, length, recording.actions.dim)
        told = clocks(recording, episode)
        films = {
            sensor.name: _Film(film(recording, episode, sensor, (sensor.shape[1], sensor.shape[2])), sensor)
            for sensor in sensors
            if sensor.picture
        }
        step = max(1, PIECE_BYTES // max(1, sum(_sample_bytes(sensor) for sensor in sensors)))
        for start in range(0, length, step):
            stop = min(start + step, length)
            yield _Decoded(
                [
                    films[s.name].take(stop - start) if s.picture else _fitted(s, held.values[s.name][start:stop])
                    for s in sensors
                ],
                [
                    (_part(told.valid, s.name, start, stop), _part(told.age_seconds, s.name, start, stop))
                    for s in sensors
                ],
                held.times_seconds[start:stop],
                None if controls is None else controls[start:stop],
            )


def _part(told: Mapping[str, np.ndarray], name: str, start: int, stop: int) -> np.ndarray | None:
    return told[name][start:stop] if name in told else None


class _Film:
    """Frames taken in other portions than they come in, at the size of `sensor`."""

    def __init__(self, pieces: Iterator[np.ndarray], sensor: Sensor) -> None:
        self._pieces = (_fitted(sensor, piece) for piece in pieces)
        self._left = np.empty((0,), dtype=np.uint8)

    def take(self, count: int) -> np.ndarray:
        result, filled = np.empty((0,), dtype=np.uint8), 0
        while filled < count:
            if not len(self._left):
                self._left = next(self._pieces, self._left)
                if not len(self._left):
                    raise DataError("a video holds fewer frames than announced", got=f"{count - filled} missing")
            part, self._left = self._left[: count - filled], self._left[count - filled :]
            if len(part) == count:
                return part
            # Filled as the portions come: held until the last, they would take the room of a second piece.
            result = result if filled else np.empty((count, *part.shape[1:]), dtype=part.dtype)
            result[filled : filled + len(part)] = part
            filled += len(part)
        return result


def _pieces(recording: Recording, sensors: tuple[Sensor, ...]) -> Iterator[_Piece]:
    native = {sensor.name: sensor for sensor in recording.sensors}
    step = max(1, PIECE_BYTES // max(1, sum(_sample_bytes(native[sensor.name]) for sensor in sensors)))
    for episode, length in enumerate(recording.lengths):
        for start in range(0, length, step):
            yield _Piece(episode, start, min(start + step, length))


def _decode(recording: Recording, sensors: tuple[Sensor, ...], piece: _Piece) -> _Decoded:
    # One frame more than is kept: the action taken after the piece's last frame lies between it and the next.
    count, length = piece.stop - piece.start, recording.lengths[piece.episode]
    stop = min(piece.stop + (recording.actions is not None), length)
    clip = recording.read(piece.episode, piece.start, stop, [sensor.name for sensor in sensors])
    check_aligned(recording, piece.episode, clip)
    values, said = [], []
    for sensor in sensors:
        stream = clip.stream(sensor.name)
        array = stream.values[0, :count].numpy()
        values.append(_fitted(sensor, array.transpose(0, 2, 3, 1) if sensor.picture else array))
        valid = stream.valid[0, :count].numpy()
        ages = None if stream.age_seconds is None else stream.age_seconds[0, :count].numpy()
        said.append((None if valid.all() else valid, ages))
    times = next(iter(clip.streams.values())).times_seconds[0, :count].numpy()
    controls = None
    if clip.actions is not None and recording.actions is not None:
        controls = _padded(clip.actions.values[0, :count].numpy(), count, recording.actions.dim)
    return _Decoded(values, said, times, controls)


def _fitted(sensor: Sensor, array: np.ndarray) -> np.ndarray:
    """Samples in the form in which they are cached: pictures at their size, clouds of so many points."""
    if sensor.picture:
        return resize_pictures(sensor, array, (sensor.shape[1], sensor.shape[2]))
    if sensor.kind == "points" and array.shape[1:] != sensor.shape:
        return thin_cloud(array, sensor.shape[0])
    return array


def _padded(taken: np.ndarray | None, count: int, dim: int) -> np.ndarray:
    """Control steps with padding after an episode's last frame; windows never show it."""
    if taken is not None and len(taken) == count:
        return taken
    last = taken[-1:] if taken is not None and len(taken) else np.zeros((1, dim), dtype=np.float32)
    return last if taken is None else np.concatenate([taken, last])


def part_name(what: str, index: int) -> str:
    """File of what is said of the samples of the index-th sensor; it is there only where there is something to say."""
    return f"{what}-{index:02d}.npy"


def resized_sensors(
    sensors: Sequence[Sensor], size: tuple[int, int] | None, points: int | None = None
) -> tuple[Sensor, ...]:
    """The sensors with cameras at `size` (h, w) and clouds of at most so many points, or as they are."""
    shown = sensors if size is None else [resized(sensor, size) for sensor in sensors]
    return tuple(thinned(sensor, points) for sensor in shown)


def _dtype(sensor: Sensor) -> np.dtype[np.generic]:
    return np.dtype(np.uint8) if sensor.kind == "rgb" else np.dtype(np.float32)


def _layout(sensor: Sensor) -> tuple[int, ...]:
    # Pictures channels last: a frame is one run of bytes as decoders deliver it and as convolutions like it.
    return (*sensor.shape[1:], sensor.shape[0]) if sensor.picture else sensor.shape


def _sample_bytes(sensor: Sensor) -> int:
    return int(np.prod(sensor.shape)) * _dtype(sensor).itemsize
