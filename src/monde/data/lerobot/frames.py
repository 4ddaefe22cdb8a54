"""How camera frames are stored: images in Parquet here, video in video_frames.py; both are a `FrameStorage`."""

import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from jaxtyping import Shaped, UInt8
from PIL import Image

from monde.data.lerobot.layout import Feature, Place
from monde.errors import DataError
from monde.types import Sensor

IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_FORMATS = ("PNG", "JPEG", "WEBP")
_PNG_LEVEL = 1  # Level 6 saves a tenth of the bytes of rendered scenes and takes three times as long.


@dataclass(frozen=True)
class StoredFrames:
    """What storing the frames of some episodes left behind.

    Args:
        column: The column of the data file, one row per frame, or none where frames lie elsewhere.
        episode_columns: Further columns of meta/episodes, one value per episode (where a video's frames are).
        files: Files written beside the data file; removed again if the append fails.
    """

    column: pa.Array | None = None
    episode_columns: dict[str, list[object]] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


@runtime_checkable
class FrameSource(Protocol):
    """The frames of one episode, gone through once; an array [T, 3, h, w] (depth: [T, 1, h, w]) is one."""

    def __len__(self) -> int:
        """T."""
        ...

    def __iter__(self) -> Iterator[Shaped[np.ndarray, "C h w"]]:
        """Frame after frame."""
        ...


@runtime_checkable
class FrameStorage(Protocol):
    """A way of storing the frames of camera sensors."""

    @property
    def video_path(self) -> str | None:
        """`video_path` of info.json, or none."""
        ...

    def feature(self, sensor: Sensor, fps: float) -> Feature:
        """The sensor's feature in info.json."""
        ...

    def store(self, root: Path, place: Place, sensor: Sensor, episodes: Sequence[FrameSource]) -> StoredFrames:
        """Store the frames of some episodes; whatever is written to disk is durable on return."""
        ...


class ImageFrames:
    """LeRobot's `image` type: one lossless PNG per frame inside the data file. For small rendered worlds."""

    video_path: str | None = None

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or min(4, os.cpu_count() or 1)

    def feature(self, sensor: Sensor, fps: float) -> Feature:
        """An `image` feature, [h, w, 3]."""
        channels, height, width = sensor.shape
        return {"dtype": "image", "shape": [height, width, channels], "names": ["height", "width", "channels"]}

    def store(self, root: Path, place: Place, sensor: Sensor, episodes: Sequence[FrameSource]) -> StoredFrames:
        """Encode in a few threads (zlib releases the interpreter)."""
        # By episode: a task per frame costs as much in hand-overs as a small frame in compression.
        with ThreadPoolExecutor(self._threads) as pool:
            encoded = [png for pngs in pool.map(_encode_all, episodes) for png in pngs]
        names = [f"frame-{index:06d}.png" for episode in episodes for index in range(len(episode))]
        column = pa.StructArray.from_arrays(
            [pa.array(encoded, pa.binary()), pa.array(names, pa.string())], fields=list(IMAGE_TYPE)
        )
        return StoredFrames(column=column)


def _encode_all(frames: FrameSource) -> list[bytes]:
    return [encode_png(frame) for frame in frames]


def encode_png(frame: UInt8[np.ndarray, "3 h w"]) -> bytes:
    """A frame as a lossless PNG."""
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(frame.transpose(1, 2, 0)))
    image.save(buffer, format="PNG", compress_level=_PNG_LEVEL)
    return buffer.getvalue()


def decode_image(data: bytes, height: int, width: int, where: str) -> UInt8[np.ndarray, "h w 3"]:
    """The pixels of an encoded image.

    Raises:
        DataError: Not an image, damaged, or of another size than declared; `where` says which.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if image.size != (width, height):
                raise DataError(
                    f"{where} has another size than meta/info.json says",
                    got=f"{image.size[1]}×{image.size[0]}",
                    expected=f"{height}×{width}",
                    remedy="restore the file from where it came, or correct the feature's shape",
                )
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{where} cannot be decoded", got=error, remedy="restore the file from where it came"
        ) from error
