"""Which way of storing camera frames suits a recording."""

from pathlib import Path

from monde.data.lerobot.frames import FrameStorage, ImageFrames
from monde.data.lerobot.layout import INFO, feature_key
from monde.data.lerobot.video_frames import VideoFrames
from monde.errors import StoreError, unknown_name
from monde.store import read_json
from monde.types import Sensor

STORES = ("auto", "images", "video")
IMAGES_UP_TO_PIXELS = 128
"""Longest side of cameras that are stored as images by default: 4:2:0 chroma spoils a small rendered picture."""


def storage_for(root: Path, sensors: tuple[Sensor, ...], store: str = "auto", crf: int | None = None) -> FrameStorage:
    """How the cameras of a recording are stored.

    Args:
        root: Folder of the dataset; "auto" goes on with what is there already.
        sensors: What is recorded.
        store: "images" (lossless), "video", or "auto": video where a camera has a side above 128 px and all have even
            sides.
        crf: Constant rate factor of video; see `VideoFrames`.

    Raises:
        UsageError: An unknown name.
    """
    if store not in STORES:
        raise unknown_name("storage", store, list(STORES))
    if store == "auto":
        store = _begun_with(root, sensors) or _suiting(sensors)
    if store == "images":
        return ImageFrames()
    return VideoFrames() if crf is None else VideoFrames(crf=crf)


def _suiting(sensors: tuple[Sensor, ...]) -> str:
    sides = [side for sensor in sensors if sensor.kind == "rgb" for side in sensor.shape[1:]]
    large = max(sides, default=0) > IMAGES_UP_TO_PIXELS
    return "video" if large and all(side % 2 == 0 for side in sides) else "images"


def _begun_with(root: Path, sensors: tuple[Sensor, ...]) -> str | None:
    try:
        found = read_json(root / INFO).get("features")
    except StoreError:
        return None
    for sensor in sensors:
        feature = found.get(feature_key(sensor)) if isinstance(found, dict) and sensor.kind == "rgb" else None
        if isinstance(feature, dict):
            return "video" if feature.get("dtype") == "video" else "images"
    return None
