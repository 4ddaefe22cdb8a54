"""A frozen encoder's tokens of every frame, made once: a frame cache that also holds, for each camera, its tokens.

CACHE/<key>/tokens-<hash>/
  sensor-NN.npy, controls.npy, times.npy, offsets.npy, index.json    as in `monde.data.cache`, whose files they are
  tokens-NN.npy     [N, g, g, D] float16 or float32, before standardising

Disposable, like the frame cache beside it.
"""

import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monde.data import FrameCache
from monde.data.cache_index import CacheIndex, FileEntry, update_index
from monde.data.lock import FolderLock
from monde.errors import CacheError, StoreError
from monde.perception import Backbone, BackboneConfig, tokens_name
from monde.store import atomic_folder, digest_json, require_room, sha256_file
from monde.store.typed import to_json
from monde.types import Sensor

Precision = Literal["float16", "float32"]
Progress = Callable[[int, int, str], None]
"""Told the frames encoded and in all, and how large the cache will be."""

PIECE = 256
"""Frames read and written at once."""

MOMENT_FRAMES = 8192
"""Most frames that moments are taken from, evenly spread."""

_LOG = logging.getLogger("monde.training")


def open_or_encode(
    frames: FrameCache,
    cameras: tuple[Sensor, ...],
    config: BackboneConfig,
    precision: Precision,
    device: torch.device,
    progress: Progress | None = None,
) -> FrameCache:
    """The frames with their tokens; made if they are not there, and made again if they are of others or altered.

    Args:
        frames: Decoded frames of the recording, in the size that the model sees.
        cameras: Which of its sensors are encoded.
        config: The encoder.
        precision: In which tokens are kept.
        device: Where they are made.
        progress: Told while they are.

    Raises:
        CacheError: No room, nowhere to write, or tokens that float16 cannot hold.
        StoreError: The encoder's files are others than `config` says.
    """
    plain = CacheIndex.read(frames.folder)
    fingerprint = _fingerprint(plain, cameras, config, precision)
    folder = frames.folder.parent / f"tokens-{fingerprint[:16]}"
    found = _opened(folder, fingerprint)
    if found is not None:
        return found
    try:
        lock = FolderLock(folder.parent, wait=True)
    except OSError as error:
        raise CacheError(
            f"{folder} could not be written", got=error.strerror, remedy="set MONDE_CACHE to a folder with room"
        ) from error
    try:
        found = _opened(folder, fingerprint)  # another process may have made it meanwhile
        if found is not None:
            return found
        shutil.rmtree(folder, ignore_errors=True)
        encoder = Backbone.load(config).to(device)
        _make(folder, replace(plain, fingerprint=fingerprint), frames, cameras, encoder, precision, device, progress)
    finally:
        lock.release()
    return FrameCache.load(folder)


def token_moments(
    cache: FrameCache, cameras: tuple[Sensor, ...], episodes: tuple[int, ...]
) -> tuple[Float[Tensor, " D"], Float[Tensor, " D"]]:
    """Mean and spread of each dimension over all tokens of frames spread evenly over some episodes."""
    every = np.concatenate([np.arange(cache.offsets[e], cache.offsets[e + 1]) for e in episodes])
    chosen = every[np.unique(np.linspace(0, len(every) - 1, min(MOMENT_FRAMES, len(every))).astype(np.int64))]
    count, total, squares = 0, 0.0, 0.0
    for camera in cameras:
        values = cache.values(tokens_name(camera.name))
        for start in range(0, len(chosen), PIECE):
            tokens = values[chosen[start : start + PIECE]].astype(np.float64).reshape(-1, values.shape[-1])
            count += len(tokens)
            total = total + tokens.sum(0)
            squares = squares + np.square(tokens).sum(0)
    mean = total / count
    spread = np.sqrt(np.maximum(squares / count - np.square(mean), 0))
    return torch.as_tensor(mean, dtype=torch.float32), torch.as_tensor(spread, dtype=torch.float32)


def _fingerprint(plain: CacheIndex, cameras: tuple[Sensor, ...], config: BackboneConfig, precision: Precision) -> str:
    """Of the frames, the sizes they are shown in and the encoder's content, wherever it lies."""
    shown = to_json(replace(config, name="", revision=""))
    return digest_json(
        [plain.fingerprint, to_json(plain.sensors), [camera.name for camera in cameras], shown, precision]
    )


def _opened(folder: Path, fingerprint: str) -> FrameCache | None:
    if not folder.exists():
        return None
    try:
        index = CacheIndex.read(folder)
        if index.fingerprint != fingerprint:
            raise CacheError(
                f"{folder} was made of other frames", got=index.fingerprint[:12], expected=fingerprint[:12]
            )
        checked = index.check_files(folder, everything=False)
        if checked != index:
            update_index(folder, checked)
        return FrameCache(folder, checked)
    except CacheError as error:
        _LOG.warning("tokens are encoded again: %s", error)
        return None


def _make(
    folder: Path,
    index: CacheIndex,
    frames: FrameCache,
    cameras: tuple[Sensor, ...],
    encoder: Backbone,
    precision: Precision,
    device: torch.device,
    progress: Progress | None,
) -> None:
    g, D = encoder.config.grid, encoder.config.latent
    dtype = np.dtype(precision)
    wanted = index.frames * len(cameras) * g * g * D * dtype.itemsize
    note = f"{wanted / 2**20:,.1f} MiB of tokens, {len(cameras) * g * g} × {D} a frame"
    sensors, arrays, entries = list(index.sensors), list(index.arrays), list(index.files)
    try:
        require_room(folder, wanted, "a frozen encoder's tokens")
        with atomic_folder(folder) as temporary:
            for entry in index.files:
                _link(frames.folder / entry.name, temporary / entry.name)
            for number, camera in enumerate(cameras):
                path = temporary / f"tokens-{number:02d}.npy"

                def tell(done: int, number: int = number) -> None:
                    if progress is not None:
                        progress(number * index.frames + done, len(cameras) * index.frames, note)

                _encode(path, frames.values(camera.name), encoder, dtype, device, tell)
                sensors.append(
                    Sensor(name=tokens_name(camera.name), kind="tokens", shape=(g, g, D), rate_hz=camera.rate_hz)
                )
                arrays.append(path.name)
                entries.append(FileEntry.of(path, sha256_file(path)))
            replace(index, sensors=tuple(sensors), arrays=tuple(arrays), files=tuple(entries)).write(temporary)
    except StoreError as error:
        raise CacheError(
            error.what,
            got=error.got,
            expected=error.expected,
            remedy=f"{error.remedy or 'choose another disk'}; a smaller --grid takes less; MONDE_CACHE=FOLDER puts "
            "caches elsewhere",
        ) from error


def _encode(
    path: Path,
    values: np.ndarray,
    encoder: Backbone,
    dtype: np.dtype[np.generic],
    device: torch.device,
    tell: Callable[[int], None],
) -> None:
    g, D = encoder.config.grid, encoder.config.latent
    # Written, not mapped: a disk that fills up is then an error and not the end of the process.
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (len(values), g, g, D)}
        np.lib.format.write_array_header_1_0(file, header)
        tell(0)
        for start in range(0, len(values), PIECE):
            piece = torch.from_numpy(values[start : start + PIECE].copy()).permute(0, 3, 1, 2).to(device)
            tokens = encoder(piece).to(torch.float16 if dtype.itemsize == 2 else torch.float32)
            if not bool(torch.isfinite(tokens).all()):
                raise CacheError(
                    "an encoder's tokens are not finite",
                    got=f"in frames {start} to {start + len(piece) - 1}, kept as {dtype}",
                    remedy="keep them as float32 (TrainConfig.tokens), or check the encoder's weights",
                )
            file.write(tokens.contiguous().cpu().numpy().data)
            tell(start + len(piece))


def _link(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
