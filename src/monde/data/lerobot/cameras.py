"""The camera frames and depth maps of a LeRobot dataset: images in Parquet, or stretches of video files."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Shaped, UInt8

from monde.data.lerobot.depth import DepthForm, decode_depth
from monde.data.lerobot.described import Description
from monde.data.lerobot.episodes import EpisodeRow, Filmstrip
from monde.data.lerobot.frames import decode_image
from monde.data.lerobot.layout import INFO
from monde.data.video import VideoFile
from monde.errors import DataError
from monde.limits import MAX_VIDEO_INDEXES
from monde.types import Sensor

PIECE_FRAMES = 64
"""Frames that are decoded at a time when a whole episode is read."""


class DatasetPaths:
    """Which files an episode needs."""

    def __init__(self, root: Path, description: Description) -> None:
        self._root, self._description = root, description

    def of(self, row: EpisodeRow, cameras: Sequence[str]) -> list[Path]:
        """Its data file and one video a camera.

        Raises:
            DataError: A path leads out of the dataset, or a camera has no video.
        """
        paths = [row.data.path(self._root, self._description.data_path)]
        return paths + [video_path(self._root, self._description, key, row) for key in cameras]

    def there(self, row: EpisodeRow, cameras: Sequence[str]) -> bool:
        """Whether all of them are."""
        return all(path.is_file() for path in self.of(row, cameras))

    def missing(self, row: EpisodeRow, cameras: Sequence[str]) -> Path:
        """The first that is not there."""
        return next(path for path in self.of(row, cameras) if not path.is_file())


def video_path(root: Path, description: Description, key: str, row: EpisodeRow) -> Path:
    """The video that holds one camera's frames of an episode.

    Raises:
        DataError: meta/ does not say, or says a path outside of the dataset.
    """
    if description.video_path is None or key not in row.videos:
        raise DataError(
            f"{root} does not say where the video of {key!r} for episode {row.index} is",
            expected=f"video_path in {INFO}, and a row of meta/episodes",
            remedy="restore meta/ from where the dataset came",
        )
    return row.videos[key].place.path(root, description.video_path, video_key=key)


class Cameras:
    """Frames by feature and episode; the indexes of a few videos are kept.

    Args:
        root: Folder of the dataset.
        description: What it says of itself.
    """

    def __init__(self, root: Path, description: Description) -> None:
        self._root, self._description = root, description
        self._videos: OrderedDict[Path, VideoFile] = OrderedDict()

    def read(self, row: EpisodeRow, key: str, sensor: Sensor, start: int, stop: int) -> Shaped[np.ndarray, "T h w C"]:
        """Frames `start` to `stop` (exclusive) of an episode from its video: uint8 colours, or float32 depth.

        Raises:
            DataError: The video is damaged, of another size or shorter than the episode; or holds no depth.
        """
        video, first = self._strip(row, key, sensor)
        if sensor.kind == "rgb":
            return video.read(first + start, first + stop)
        stored = video.read_luma(first + start, first + stop)
        return self._description.depths[key].depth(stored, f"{video.path}, frame {first + start} on")[..., None]

    def film(
        self, row: EpisodeRow, key: str, sensor: Sensor, size: tuple[int, int] | None
    ) -> Iterator[Shaped[np.ndarray, "t h w C"]]:
        """All frames of an episode in order, decoded once; depth keeps its size.

        Raises:
            DataError: As `read`.
        """
        if sensor.kind == "depth":
            for start in range(0, row.length, PIECE_FRAMES):
                yield self.read(row, key, sensor, start, min(start + PIECE_FRAMES, row.length))
            return
        video, first = self._strip(row, key, sensor)
        for frame in video.iterate(first, first + row.length, size):
            yield frame[None]

    def _strip(self, row: EpisodeRow, key: str, sensor: Sensor) -> tuple[VideoFile, int]:
        path = video_path(self._root, self._description, key, row)
        video = self._open(path)
        if (video.height, video.width) != sensor.shape[1:]:
            raise DataError(
                f"{path} has another size than {INFO} says",
                got=f"{video.height}×{video.width}",
                expected=f"{sensor.shape[1]}×{sensor.shape[2]}",
                remedy="restore the file, or correct the feature's shape",
            )
        first = self._first_frame(video, row.videos[key])
        alone = "episode" in (self._description.video_path or "")
        if first + row.length > video.frames or (alone and row.length != video.frames):
            raise DataError(
                f"{path} does not hold one frame for each row of episode {row.index}",
                got=f"{video.frames - first} frames of camera {sensor.name!r}",
                expected=f"{row.length}, as many as the data file has rows",
                remedy="restore the video, or leave this episode out",
            )
        return video, first

    def _first_frame(self, video: VideoFile, strip: Filmstrip) -> int:
        # Half a frame early: timestamps went through float32.
        return int(np.searchsorted(video.times_seconds, strip.from_seconds - 0.5 / self._description.fps))

    def _open(self, path: Path) -> VideoFile:
        found = self._videos.get(path)
        if found is None:
            found = VideoFile.open(path)
            self._videos[path] = found
            while len(self._videos) > MAX_VIDEO_INDEXES:
                self._videos.popitem(last=False)
        return found


def image_frames(column: pa.ChunkedArray, sensor: Sensor, where: str, start: int) -> UInt8[np.ndarray, "T h w 3"]:
    """Frames from a column of encoded images.

    Raises:
        DataError: A cell without an image, or one that cannot be decoded.
    """
    _, height, width = sensor.shape
    cells = _image_bytes(column, sensor, where, start)
    return np.stack([decode_image(data, height, width, place) for data, place in cells])


def depth_frames(
    column: pa.ChunkedArray, sensor: Sensor, form: DepthForm, where: str, start: int
) -> Float32[np.ndarray, "T h w 1"]:
    """Depth maps from a column of encoded images of one channel.

    Raises:
        DataError: A cell without an image, one that cannot be decoded, of colours, or with NaN.
    """
    _, height, width = sensor.shape
    cells = _image_bytes(column, sensor, where, start)
    return np.stack([form.depth(decode_depth(data, height, width, place), place) for data, place in cells])[..., None]


def _image_bytes(column: pa.ChunkedArray, sensor: Sensor, where: str, start: int) -> Iterator[tuple[bytes, str]]:
    for index, cell in enumerate(column):
        place = f"{where}, frame {start + index}, sensor {sensor.name!r}"
        data = cell.as_py() or {}
        if not data.get("bytes"):
            raise DataError(
                f"{place} holds no image", got=data.get("path"), expected="the image's bytes in the Parquet file"
            )
        yield data["bytes"], place
