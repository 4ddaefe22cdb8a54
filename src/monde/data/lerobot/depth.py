"""Depth as LeRobot stores it: single-channel images in Parquet, or videos of quantised codes or plain numbers.

A feature is a depth map where its `info` says `is_depth_map` (LeRobot 0.6) or `video.is_depth_map` (since 0.1), and one
channel is stored. Three ways are in use (github.com/huggingface/lerobot, pull request 3644, `depth_utils.py`):

- videos of 12-bit codes (HEVC or FFV1, gray12le) over `video.depth_min` to `video.depth_max` metres, evenly spaced in
  log(depth + `video.shift`) where `video.use_log`, in depth where not;
- videos of plain numbers (FFV1 gray16le of v2.1 datasets, 8 or 10 bits);
- images: 16-bit PNG, or float32 TIFF.

Plain numbers are in `depth_unit` ("m" or "mm"). Depth comes out in metres where a unit is declared and as the stored
numbers where none is. A pixel of 0 is one where nothing was measured, and stays 0. Code 0 of a quantised video is taken
for that as well (LeRobot's decoder makes `depth_min` of it, its encoder 0 of what was not measured).
"""

import io
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Shaped
from PIL import Image

from monde.data.lerobot.frames import IMAGE_TYPE, FrameSource, StoredFrames
from monde.data.lerobot.layout import INFO, Feature, Place
from monde.errors import DataError
from monde.types import Sensor

CODE_MAX = 4095
"""Largest code of a quantised depth video: 12 bits, whatever the codec has room for."""

METRES = {"m": 1.0, "mm": 1e-3}
"""What LeRobot knows as `depth_unit`."""

_FORMATS = ("PNG", "TIFF")
_MODES = {"I;16", "I;16L", "I", "F", "L"}


@dataclass(frozen=True, kw_only=True)
class DepthForm:
    """What stored numbers mean.

    Args:
        unit: Unit of the depth that comes out ("m"; "1" where the dataset declares none).
        scale: Depth of the number 1, for plain numbers.
        bounds: Depth in metres of codes 0 and 4095, for quantised codes; none for plain numbers.
        shift: Metres added before the logarithm; none for codes evenly spaced in depth.
    """

    unit: str = "1"
    scale: float = 1.0
    bounds: tuple[float, float] | None = None
    shift: float | None = None

    def depth(self, stored: Shaped[np.ndarray, "*T h w"], where: str) -> Float32[np.ndarray, "*T h w"]:
        """Stored numbers as depth in `unit`; 0 where nothing was measured.

        Args:
            stored: uint8, uint16 or floating.
            where: What they are of, for errors.

        Raises:
            DataError: NaN or infinite, or no codes.
        """
        if self.bounds is None:
            numbers = stored.astype(np.float32) * np.float32(self.scale)
            if not np.isfinite(numbers).all():
                raise DataError(
                    f"{where} holds NaN or infinite depth",
                    got=f"{int((~np.isfinite(numbers)).sum())} pixels",
                    expected="finite numbers, 0 where nothing was measured",
                    remedy="write 0 for pixels without a measurement; nothing is filled in here",
                )
            return numbers
        if stored.dtype.kind != "u" or int(stored.max(initial=0)) > CODE_MAX:
            raise DataError(f"{where} holds no depth codes", got=stored.max(initial=0), expected=f"0 to {CODE_MAX}")
        return self._table()[stored]

    def _table(self) -> Float32[np.ndarray, " codes"]:
        low, high = self.bounds or (0.0, 1.0)
        share = np.arange(CODE_MAX + 1) / CODE_MAX
        if self.shift is None:
            depth = low + share * (high - low)
        else:
            first, last = math.log(low + self.shift), math.log(high + self.shift)
            depth = np.exp(first + share * (last - first)) - self.shift
        depth[0] = 0.0
        return depth.astype(np.float32)


def depth_form(key: str, feature: Feature) -> DepthForm | None:
    """How a feature of info.json stores depth; none where it is no depth map, or one painted in colours.

    Raises:
        DataError: It says how in a way that has no meaning.
    """
    info = _info(feature)
    if not (info.get("is_depth_map") or info.get("video.is_depth_map")) or not _one_channel(feature, info):
        return None
    try:
        if feature["dtype"] == "video" and "video.depth_max" in info:
            low, high = float(str(info.get("video.depth_min", 0.0))), float(str(info["video.depth_max"]))
            shift = float(str(info.get("video.shift", 0.0))) if info.get("video.use_log") else None
            if not 0 <= low < high < math.inf or (shift is not None and not 0 < low + shift < math.inf):
                raise ValueError(f"{low:g} to {high:g} m, shift {shift}")
            return DepthForm(unit="m", bounds=(low, high), shift=shift)
        unit = info.get("depth_unit")
        if unit is not None and unit not in METRES:
            raise ValueError(f"depth_unit {unit!r}")
        return DepthForm() if unit is None else DepthForm(unit="m", scale=METRES[str(unit)])
    except ValueError as error:
        raise DataError(
            f"{INFO}: feature {key!r} does not say what its depth means",
            got=error,
            expected="video.depth_min < video.depth_max in metres, or depth_unit m or mm",
            remedy="correct its info; without these entries the stored numbers are taken as they are",
        ) from error


def decode_depth(data: bytes, height: int, width: int, where: str) -> Shaped[np.ndarray, "h w"]:
    """The numbers of an encoded image of one channel.

    Raises:
        DataError: Not an image, damaged, of colours, or of another size than declared; `where` says which.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if image.mode not in _MODES or image.size != (width, height):
                raise DataError(
                    f"{where} is no depth map of the size that {INFO} says",
                    got=f"{image.size[1]}×{image.size[0]}, Pillow's mode {image.mode}",
                    expected=f"{height}×{width}, one channel of 8 or 16 bits or float32",
                    remedy="restore the file from where it came, or correct the feature",
                )
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{where} cannot be decoded", got=error, remedy="restore the file from where it came"
        ) from error


class DepthImages:
    """LeRobot's `image` type for depth: a float32 TIFF, losslessly compressed, for each frame inside the data file."""

    video_path: str | None = None

    def feature(self, sensor: Sensor, fps: float) -> Feature:
        """An `image` feature, [h, w, 1], that says it is depth."""
        channels, height, width = sensor.shape
        unit = {"depth_unit": sensor.unit} if sensor.unit in METRES else {}
        return {
            "dtype": "image",
            "shape": [height, width, channels],
            "names": ["height", "width", "channels"],
            "info": {"is_depth_map": True, "video.is_depth_map": True, **unit},
        }

    def store(self, root: Path, place: Place, sensor: Sensor, episodes: Sequence[FrameSource]) -> StoredFrames:
        """Encode an episode a thread (zlib releases the interpreter)."""
        with ThreadPoolExecutor(2) as pool:
            encoded = [tiff for tiffs in pool.map(_encode_all, episodes) for tiff in tiffs]
        names = [f"frame-{index:06d}.tiff" for episode in episodes for index in range(len(episode))]
        column = pa.StructArray.from_arrays(
            [pa.array(encoded, pa.binary()), pa.array(names, pa.string())], fields=list(IMAGE_TYPE)
        )
        return StoredFrames(column=column)


def _encode_all(frames: FrameSource) -> list[bytes]:
    encoded: list[bytes] = []
    for frame in frames:
        buffer = io.BytesIO()
        plane = np.ascontiguousarray(frame[0], dtype=np.float32)
        if not (np.isfinite(plane).all() and (plane >= 0).all()):
            wrong = int((~(np.isfinite(plane) & (plane >= 0))).sum())
            raise DataError(
                f"frame {len(encoded)} of a depth sensor holds NaN, infinite or negative depth",
                got=f"{wrong} pixels",
                expected="finite numbers ≥ 0, 0 where nothing was measured",
                remedy="write 0 for pixels without a measurement; nothing is filled in here",
            )
        Image.fromarray(plane).save(buffer, format="TIFF", compression="tiff_deflate")
        encoded.append(buffer.getvalue())
    return encoded


def _info(feature: Feature) -> Mapping[str, object]:
    """`info`, or the names that older versions have for it."""
    found: dict[str, object] = {}
    for name in ("video_info", "info"):
        part = feature.get(name)
        found |= part if isinstance(part, dict) else {}
    return found


def _one_channel(feature: Feature, info: Mapping[str, object]) -> bool:
    shape = feature.get("shape")
    single = isinstance(shape, list) and len(shape) == 3 and 1 in (shape[0], shape[2])
    return single or str(info.get("video.pix_fmt", "")).startswith("gray")
