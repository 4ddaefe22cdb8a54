"""Making a frame cache: decode in pieces, resize, stream to files, hash on the way.

Memory does not grow with the data: no more than a few pieces are held at once.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from monde.data.cache_index import CacheIndex, FileEntry
from monde.data.resize import resize_frames
from monde.data.streaming import PIECE_BYTES, Filmed, check_aligned, film, numbers
from monde.errors import CacheError, DataError, StoreError
from monde.protocols import Recording
from monde.store import atomic_folder, require_room
from monde.types import Sensor

Progress = Callable[[int, int], None]
"""Called with frames done and frames in all."""

CONTROLS = "controls.npy"
TIMES = "times.npy"
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
    names = [array_name(index) for index in range(len(sensors))]
    arrays = [_ArrayFile(folder / name, _dtype(s), (frames, *_layout(s))) for name, s in zip(names, sensors)]
    times = _ArrayFile(folder / TIMES, np.dtype(np.float64), (frames,))
    controls = _ArrayFile(folder / CONTROLS, np.dtype(np.float32), (frames, dim)) if dim else None
    offsets = _ArrayFile(folder / OFFSETS, np.dtype(np.int64), (len(recording.lengths) + 1,))
    files = [*arrays, times, offsets, *([controls] if controls else [])]
    with _Closing(files):
        offsets.write(np.concatenate([[0], np.cumsum(recording.lengths, dtype=np.int64)]))
        for part in _decoded(recording, sensors):
            for array, values in zip(arrays, part.values):
                array.write(values)
            times.write(part.times)
            if controls is not None and part.controls is not None:
                controls.write(part.controls)
            done += len(part.times)
            if progress is not None:
                progress(done, frames)
        entries = tuple(file.finish() for file in files)
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
    values: list[np.ndarray]
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
        films = {
            sensor.name: _Film(film(recording, episode, sensor, (sensor.shape[1], sensor.shape[2])))
            for sensor in sensors
            if sensor.picture
        }
        step = max(1, PIECE_BYTES // max(1, sum(_sample_bytes(sensor) for sensor in sensors)))
        for start in range(0, length, step):
            stop = min(start + step, length)
            yield _Decoded(
                [films[s.name].take(stop - start) if s.picture else held.values[s.name][start:stop] for s in sensors],
                held.times_seconds[start:stop],
                None if controls is None else controls[start:stop],
            )


class _Film:
    """Frames taken in other portions than they come in."""

    def __init__(self, pieces: Iterator[np.ndarray]) -> None:
        self._pieces, self._left = pieces, np.empty((0,), dtype=np.uint8)

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
    values = []
    for sensor in sensors:
        array = clip.stream(sensor.name).values[0, :count].numpy()
        if sensor.picture:
            array = array.transpose(0, 2, 3, 1)
        if sensor.kind == "rgb":
            array = resize_frames(array, (sensor.shape[1], sensor.shape[2]))
        values.append(array)
    times = next(iter(clip.streams.values())).times_seconds[0, :count].numpy()
    controls = None
    if clip.actions is not None and recording.actions is not None:
        controls = _padded(clip.actions.values[0, :count].numpy(), count, recording.actions.dim)
    return _Decoded(values, times, controls)


def _padded(taken: np.ndarray | None, count: int, dim: int) -> np.ndarray:
    """Control steps with padding after an episode's last frame; windows never show it."""
    if taken is not None and len(taken) == count:
        return taken
    last = taken[-1:] if taken is not None and len(taken) else np.zeros((1, dim), dtype=np.float32)
    return last if taken is None else np.concatenate([taken, last])


def resized_sensors(sensors: Sequence[Sensor], size: tuple[int, int] | None) -> tuple[Sensor, ...]:
    """The sensors with cameras at `size` (h, w), or as they are."""
    if size is None:
        return tuple(sensors)
    return tuple(replace(s, shape=(3, *size)) if s.kind == "rgb" else s for s in sensors)


def _dtype(sensor: Sensor) -> np.dtype[np.generic]:
    return np.dtype(np.uint8) if sensor.kind == "rgb" else np.dtype(np.float32)


def _layout(sensor: Sensor) -> tuple[int, ...]:
    # Pictures channels last: a frame is one run of bytes as decoders deliver it and as convolutions like it.
    return (*sensor.shape[1:], sensor.shape[0]) if sensor.picture else sensor.shape


def _sample_bytes(sensor: Sensor) -> int:
    return int(np.prod(sensor.shape)) * _dtype(sensor).itemsize


class _ArrayFile:
    """A .npy file written row by row, hashed as it grows."""

    def __init__(self, path: Path, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> None:
        self._path, self._dtype, self._shape, self._rows = path, dtype, shape, 0
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._file.flush()
        self._digest.update(path.read_bytes())

    def write(self, rows: np.ndarray) -> None:
        if rows.shape[1:] != self._shape[1:]:
            raise DataError("a recording gave another shape than it announced", got=rows.shape, expected=self._shape)
        data = np.ascontiguousarray(rows, dtype=self._dtype)
        view = data.reshape(-1).view(np.uint8).data
        self._file.write(view)
        self._digest.update(view)
        self._rows += len(rows)

    def finish(self) -> FileEntry:
        if self._rows != self._shape[0]:
            raise DataError(
                "a recording gave another number of frames than it announced", got=self._rows, expected=self._shape[0]
            )
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()
        return FileEntry.of(self._path, self._digest.hexdigest())

    def close(self) -> None:
        self._file.close()


class _Closing:
    def __init__(self, files: list[_ArrayFile]) -> None:
        self._files = files

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()
