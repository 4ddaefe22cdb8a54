"""`FrameCache`: a recording decoded once into memory-mapped arrays. Disposable: the recording is the stored truth.

CACHE/<key>/frames/
  index.json        fingerprint of the recording, sizes, hashes
  sensor-NN.npy     [N, h, w, 3] uint8 (cameras, resized) or [N, …] float32
  valid-NN.npy      [N] bool, of sensors that missed samples: false where there is none
  ages-NN.npy       [N] float64 seconds, of sensors whose samples are older than their frame
  controls.npy      [N, dim] float32; the last of each episode is padding
  times.npy         [N] float64 seconds
  offsets.npy       [episodes + 1] int64, number of each episode's first frame
"""

import contextlib
import hashlib
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from monde.data.cache_build import AGES, CONTROLS, OFFSETS, TIMES, VALID, Progress, build, part_name, resized_sensors
from monde.data.cache_index import CacheIndex, update_index
from monde.data.lock import FolderLock
from monde.errors import CacheError, ContractError, unknown_name
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.protocols import Recording
from monde.store.atomic import disk_error
from monde.types import ActionSpec, Sensor

_LOG = logging.getLogger("monde.data")
_FRAMES = "frames"


class FrameCache:
    """Decoded frames of a recording, memory-mapped: reading costs page cache, which the system takes back at will.

    Made by `open_or_build`; `load` opens a folder as it is (worker processes do, when a cache is pickled to them).

    Args:
        folder: The folder that holds index.json.
        index: What it says.

    Raises:
        CacheError: An array is not of the shape the index says.
    """

    def __init__(self, folder: Path, index: CacheIndex) -> None:
        self._folder, self._index = folder, index
        self._values = {s.name: self._map(name) for s, name in zip(index.sensors, index.arrays, strict=True)}
        self._times, self._offsets = self._map(TIMES), self._map(OFFSETS)
        self._controls = self._map(CONTROLS) if index.actions is not None else None
        self._valid, self._ages = self._said(VALID), self._said(AGES)
        rows = [*self._values.values(), *self._valid.values(), *self._ages.values(), self._times]
        rows += [] if self._controls is None else [self._controls]
        if any(len(array) != index.frames for array in rows) or len(self._offsets) != index.episodes + 1:
            raise CacheError(f"{folder} holds arrays of other lengths than its index says", remedy="remove the folder")

    @classmethod
    def open_or_build(
        cls,
        recording: Recording,
        *,
        size: int | tuple[int, int] | None = None,
        sensors: Sequence[str] | None = None,
        root: Path | None = None,
        points: int | None = None,
        verify: bool = False,
        progress: Progress | None = None,
    ) -> Self:
        """The cache of a recording; made if there is none, and made again if it is of other data or altered.

        Args:
            recording: What to cache.
            size: Height and width of cached camera frames and depth maps (one number for a square), or none for their
                own.
            sensors: Which sensors; all by default.
            root: Folder of caches. By default $MONDE_CACHE, else `.cache` in the dataset, else ~/.cache/monde where the
                dataset's folder cannot be written to.
            points: Most points of a cached cloud, spread evenly over those of a larger one; none for all.
            verify: Hash every file even if its time of change is the one remembered.
            progress: Told of frames done and in all while it is made.

        Raises:
            CacheError: There is no room for it, or nowhere to write.
            ContractError: An unknown sensor or an unusable size.
            DataError: The recording cannot be read.
        """
        wanted = resized_sensors(_chosen(recording, sensors), _size(size), points)
        folders = [place / _key(recording, wanted) for place in _roots(recording, root)]
        for folder in folders:
            with contextlib.suppress(CacheError):
                return cls._open(folder / _FRAMES, recording, wanted, verify)
        folder = next((f for f in folders if _writable(f)), folders[-1])
        try:
            lock = FolderLock(folder, wait=True)
        except OSError as error:
            failure = disk_error(folder, error)
            raise CacheError(failure.what, got=failure.got, remedy="set MONDE_CACHE to a folder with room") from error
        try:
            return cls._build(folder, recording, wanted, verify, progress)
        finally:
            lock.release()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The cache in `folder`, without asking whether it still belongs to a recording.

        Raises:
            CacheError: It is not one, or files are missing.
        """
        return cls(folder, CacheIndex.read(folder))

    @property
    def folder(self) -> Path:
        """Where it is; safe to remove when no process uses it."""
        return self._folder

    @property
    def fingerprint(self) -> str:
        """Of the recording it was made from."""
        return self._index.fingerprint

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What is cached, cameras in their cached size."""
        return self._index.sensors

    @property
    def actions(self) -> ActionSpec | None:
        """The recording's actions (block = 1), or none."""
        return self._index.actions

    @property
    def frames(self) -> int:
        """N, frames of all episodes."""
        return self._index.frames

    @property
    def offsets(self) -> Int64[np.ndarray, " E1"]:
        """[episodes + 1]: number of each episode's first frame, and N."""
        return self._offsets

    @property
    def lengths(self) -> Int64[np.ndarray, " E"]:
        """Frames of each episode."""
        return np.diff(self._offsets)

    @property
    def times_seconds(self) -> Float64[np.ndarray, " N"]:
        """Time of each frame since its episode began."""
        return self._times

    @property
    def controls(self) -> Float32[np.ndarray, "N dim"] | None:
        """The control step taken after each frame (padding after an episode's last), or none."""
        return self._controls

    def sensor(self, name: str) -> Sensor:
        """The cached sensor of a name; an unknown name raises with the names that exist."""
        for sensor in self.sensors:
            if sensor.name == name:
                return sensor
        raise unknown_name("sensor", name, [sensor.name for sensor in self.sensors], ContractError)

    def values(self, name: str) -> np.ndarray:
        """[N, h, w, 3] uint8 of a camera, [N, h, w, 1] float32 of depth, [N, …] float32 of another; read-only."""
        return self._values[self.sensor(name).name]

    def valid(self, name: str) -> Bool[np.ndarray, " N"] | None:
        """Which samples of a sensor are there, or none where all are; those that are missing hold 0."""
        return self._valid.get(self.sensor(name).name)

    def age_seconds(self, name: str) -> Float64[np.ndarray, " N"] | None:
        """How much older than its frame each sample of a sensor is, or none where none is."""
        return self._ages.get(self.sensor(name).name)

    def verify(self) -> None:
        """Hash every file.

        Raises:
            CacheError: A file is missing or altered; it is named.
        """
        self._index.check_files(self._folder, everything=True)

    def __reduce__(self) -> tuple[object, ...]:
        # Arrays are mapped again on the other side, never sent.
        return type(self).load, (self._folder,)

    def __repr__(self) -> str:
        parts = ", ".join(f"{s.name} {'×'.join(map(str, s.shape))}" for s in self.sensors)
        return f"FrameCache({self.frames} frames of {self._index.episodes} episodes, {parts}, {str(self._folder)!r})"

    @classmethod
    def _open(cls, folder: Path, recording: Recording, wanted: tuple[Sensor, ...], verify: bool) -> Self:
        index = CacheIndex.read(folder)
        if index.fingerprint != recording.fingerprint:
            raise CacheError(
                f"{folder} was made from other data", got=index.fingerprint[:12], expected=recording.fingerprint[:12]
            )
        if (index.frames, index.episodes) != (sum(recording.lengths), len(recording.lengths)):
            raise CacheError(f"{folder} holds other episodes", got=index.frames, expected=sum(recording.lengths))
        if index.sensors != wanted or index.actions != recording.actions:
            raise CacheError(f"{folder} holds other sensors or actions", got=index.sensors, expected=wanted)
        checked = index.check_files(folder, everything=verify)
        if checked != index:
            update_index(folder, checked)
        return cls(folder, checked)

    @classmethod
    def _build(
        cls, folder: Path, recording: Recording, wanted: tuple[Sensor, ...], verify: bool, progress: Progress | None
    ) -> Self:
        if (folder / _FRAMES).exists():
            try:
                # Another process may have made it while this one waited for the lock.
                return cls._open(folder / _FRAMES, recording, wanted, verify)
            except CacheError as error:
                _LOG.warning("the frame cache is made again: %s", error)
        # The lock is held, so what has a temporary name here was left by a process that died.
        for left in [*folder.glob(".incomplete-*"), folder / _FRAMES]:
            shutil.rmtree(left, ignore_errors=True)
        build(folder / _FRAMES, recording, wanted, progress)
        return cls.load(folder / _FRAMES)

    def _said(self, what: str) -> dict[str, np.ndarray]:
        held = {entry.name for entry in self._index.files}
        names = {sensor.name: part_name(what, index) for index, sensor in enumerate(self._index.sensors)}
        return {name: self._map(file) for name, file in names.items() if file in held}

    def _map(self, name: str) -> np.ndarray:
        path = self._folder / name
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise CacheError(
                f"cache file {path} cannot be read", got=error, remedy="remove the cache folder"
            ) from error
        if not isinstance(array, np.memmap):
            raise CacheError(f"cache file {path} is not an array", got=type(array).__name__)
        # As a plain array: np.memmap adds Python work to every index.
        return array.view(np.ndarray)


def _chosen(recording: Recording, names: Sequence[str] | None) -> list[Sensor]:
    known = {sensor.name: sensor for sensor in recording.sensors}
    for name in names or ():
        if name not in known:
            raise unknown_name("sensor", name, list(known), ContractError)
    return list(recording.sensors) if names is None else [known[name] for name in dict.fromkeys(names)]


def _size(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    height, width = (size, size) if isinstance(size, int) else size
    if not (1 <= height <= MAX_FRAME_SIDE_PIXELS and 1 <= width <= MAX_FRAME_SIDE_PIXELS):
        raise ContractError("cached frames cannot have this size", got=size, expected=f"1 to {MAX_FRAME_SIDE_PIXELS}")
    return height, width


def _roots(recording: Recording, root: Path | None) -> list[Path]:
    chosen = os.environ.get("MONDE_CACHE")
    if root is not None or chosen:
        return [root or Path(str(chosen))]
    # A single video is a recording too.
    beside = (recording.root.parent if recording.root.is_file() else recording.root) / ".cache"
    with contextlib.suppress(RuntimeError):  # A user without a home.
        return [beside, Path.home() / ".cache" / "monde"]
    return [beside]


def _key(recording: Recording, sensors: tuple[Sensor, ...]) -> str:
    """Readable and unique per recording's place and what is cached of it; whether the data is the same is checked."""
    what = "|".join(f"{s.name}:{s.kind}:{s.shape}" for s in sensors)
    digest = hashlib.sha256(f"{recording.root.resolve()}\0{what}".encode()).hexdigest()[:12]
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in recording.root.resolve().name)[:60]
    return f"{name}-{digest}"


def _writable(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)
