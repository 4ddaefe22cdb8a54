"""Hashes of recordings: of their files (quick), and of what each episode holds (to find the same one twice)."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from monde.protocols import Recording

_PIECE_BYTES = 64 * 1024
_PIECES_PER_FILE = 64
_PIECES = 4096
_READ_BYTES = 16 * 2**20


def fingerprint_files(root: Path, paths: Sequence[Path]) -> str:
    """SHA-256 over name and size of every file and up to 64 pieces of 64 KiB spread evenly over each.

    Files up to 4 MiB are hashed whole. No more than about 256 MiB of a dataset is looked at: of more than 2048 files,
    the pieces come from 2048 of them, evenly chosen. A change that moves bytes always shows.

    Args:
        root: Folder that names are relative to (or the one file itself).
        paths: The files, in an order that does not depend on the machine.
    """
    total = hashlib.sha256()
    chosen = set(np.linspace(0, len(paths) - 1, min(len(paths), _PIECES // 2)).astype(int).tolist())
    pieces = min(_PIECES_PER_FILE, max(2, _PIECES // max(1, len(paths))))
    for index, path in enumerate(paths):
        name = path.name if path == root else path.relative_to(root).as_posix()
        total.update(f"{name}\0{path.stat().st_size}\0".encode(errors="surrogateescape"))
        if index in chosen:
            total.update(_hash_pieces(path, pieces))
    return total.hexdigest()


class EpisodeDigest:
    """What an episode holds, as one hash: the samples of each sensor, and the actions. Times do not enter."""

    def __init__(self) -> None:
        self._sensors: dict[str, hashlib._Hash] = {}
        self._actions = hashlib.sha256()

    def add(self, sensor: str, samples: Shaped[np.ndarray, "..."]) -> None:
        """Further samples of a sensor; each sensor's in their order, in pieces of any size."""
        self._sensors.setdefault(sensor, hashlib.sha256()).update(np.ascontiguousarray(samples).tobytes())

    def act(self, actions: Shaped[np.ndarray, "..."]) -> None:
        """Further actions."""
        self._actions.update(np.ascontiguousarray(actions).tobytes())

    def hexdigest(self, length: int) -> str:
        """The hash of all that was added, for an episode of so many frames."""
        total = hashlib.sha256(f"{length}\0".encode())
        for name in sorted(self._sensors):
            total.update(f"{name}\0".encode() + self._sensors[name].digest())
        total.update(self._actions.digest())
        return total.hexdigest()


def episode_hashes(recording: Recording) -> list[str]:
    """SHA-256 of what each episode holds: samples of every sensor, and actions. Reads everything once.

    Times, tasks, file names and the order of episodes do not enter: two episodes with the same hash are the same
    content, in whatever file or split they lie.

    Raises:
        DataError: Something cannot be read.
    """
    return [_episode_hash(recording, episode) for episode in range(len(recording.lengths))]


def _episode_hash(recording: Recording, episode: int) -> str:
    sizes = [int(np.prod(sensor.shape)) * (1 if sensor.kind == "rgb" else 4) for sensor in recording.sensors]
    step, length = max(1, _READ_BYTES // sum(sizes)), recording.lengths[episode]
    digest = EpisodeDigest()
    for start in range(0, length, step):
        stop = min(start + step, length)
        # One frame more than is hashed: the action after the piece's last frame lies between it and the next.
        clip = recording.read(episode, start, min(stop + 1, length))
        for name, stream in clip.streams.items():
            digest.add(name, stream.values[0, : stop - start].numpy())
        if clip.actions is not None:
            digest.act(clip.actions.values[0, : stop - start].numpy())
    return digest.hexdigest(length)


def _hash_pieces(path: Path, pieces: int) -> bytes:
    size = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if size <= pieces * _PIECE_BYTES:
            digest.update(file.read())
        else:
            for offset in np.linspace(0, size - _PIECE_BYTES, pieces).astype(int):
                file.seek(int(offset))
                digest.update(file.read(_PIECE_BYTES))
    return digest.digest()
