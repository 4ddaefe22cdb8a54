"""`FileLog`: a log whose samples are files (pictures, clouds) or rows of tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Float64, Int64, Shaped, UInt8

from monde.data.clocks.config import LogConfig
from monde.data.clocks.tracks import Commands, Samples, Stack, in_order
from monde.errors import DataError, MondeError
from monde.limits import MAX_LOG_FILES, MAX_POINT_FILE_BYTES
from monde.types import Sensor

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_TWO_CLOCKS = "leave the sensor out with `without` in the log's monde.json, or cut the log in two"


@dataclass(frozen=True)
class FileTrack:
    """One sensor of a log.

    Args:
        sensor: What it measures.
        times_ns: [N] when each sample was taken, on its own clock.
        held: A file for each sample, or the samples themselves as rows.
        load: How a file becomes a sample, as in `monde.data.clocks.tracks.Stack.put`; none for rows.
    """

    sensor: Sensor
    times_ns: Int64[np.ndarray, " N"]
    held: Sequence[Path] | Float32[np.ndarray, "N ..."]
    load: Callable[[Path], np.ndarray] | None = None


class FileLog:
    """The samples of a folder (`monde.data.clocks.tracks.Log`); files are read when they are asked for.

    Args:
        name: What it is called.
        tracks: Its sensors.
        config: What is added to their times, and which are left out.

    Raises:
        DataError: A clock jumps back.
    """

    commands: Commands | None = None
    """These layouts hold none."""

    def __init__(self, name: str, tracks: Sequence[FileTrack], config: LogConfig) -> None:
        self.name = name
        kept = [track for track in tracks if track.sensor.name not in config.without and len(track.times_ns)]
        first_ns = min((int(track.times_ns.min()) for track in kept), default=0)
        self._tracks: dict[str, tuple[FileTrack, Int64[np.ndarray, " N"]]] = {}
        self.times: dict[str, Float64[np.ndarray, " N"]] = {}
        for track in kept:
            sensor = track.sensor.name
            offset_ns = round(1e9 * config.offsets.get(sensor, 0.0))
            seconds = (track.times_ns - first_ns + offset_ns) / 1e9
            self.times[sensor], order = in_order(seconds, f"{sensor} in {name}", _TWO_CLOCKS)
            self._tracks[sensor] = (track, order)

    def read(self, wanted: Mapping[str, Int64[np.ndarray, " _"]]) -> Mapping[str, Samples]:
        """Some samples of some sensors.

        Raises:
            DataError: A file is missing or damaged; it is named.
        """
        return {name: self._read(name, index) for name, index in wanted.items()}

    def _read(self, name: str, index: Int64[np.ndarray, " n"]) -> Samples:
        track, order = self._tracks[name]
        stack = Stack(track.sensor, len(index))
        for place, number in enumerate(order[index].tolist()):
            held = track.held[number]
            if track.load is None or not isinstance(held, Path):
                row = np.asarray(held)
                stack.put(place, row if bool(np.isfinite(row).all()) else None)
                continue
            try:
                stack.put(place, track.load(held))
            except (OSError, ValueError, SyntaxError, MondeError) as error:
                raise DataError(
                    f"{held} cannot be read as a sample of {name}",
                    got=error.what if isinstance(error, MondeError) else error,
                    remedy=f'restore the file, or leave it out ("without": ["{name}"]) in the log\'s monde.json',
                ) from error
        return stack.samples()


def table(path: Path, columns: Sequence[int], separator: str | None = ",") -> Float64[np.ndarray, "N C"]:
    """Some columns of a table of numbers, without lines that begin with '#'.

    Raises:
        DataError: Too large, missing or damaged.
    """
    return _loaded(path, np.float64, columns, separator).reshape(-1, len(columns))


def stamps_ns(path: Path, separator: str | None = ",") -> Int64[np.ndarray, " N"]:
    """The first column of a table, whole nanoseconds.

    Raises:
        DataError: Too large, missing or damaged.
    """
    return _loaded(path, np.int64, [0], separator).reshape(-1)


def lines(path: Path) -> Iterator[list[str]]:
    """The words of each line of a text file, commas or spaces between them, without lines that begin with '#'.

    Raises:
        DataError: Too large, missing or no text.
    """
    try:
        _check_size(path)
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.replace(",", " ").split()
            if words and not line.lstrip().startswith("#"):
                yield words
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read", got=error, remedy="restore it from where the log came") from error


def seconds_to_ns(text: str, where: Path) -> int:
    """Seconds written in decimals as whole nanoseconds, exactly.

    Raises:
        DataError: No number.
    """
    whole, _, part = text.partition(".")
    if not whole.lstrip("-").isdigit() or (part and not part.isdigit()):
        raise DataError(f"{where} holds a time that is none", got=text[:40], expected="seconds")
    sign = -1 if whole.startswith("-") else 1
    return int(whole) * 10**9 + sign * int(part[:9].ljust(9, "0") or 0)


def colours(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """A picture; grey ones with three equal channels."""
    with opened(path) as picture:
        return np.asarray(picture.convert("RGB"))


@contextmanager
def opened(path: Path, formats: tuple[str, ...] = ("PNG", "JPEG", "BMP", "PPM")) -> Iterator["Picture"]:
    """A picture's file.

    Raises:
        OSError: It is none, or cannot be read.
        SyntaxError: It is damaged.
        ValueError: It is so large that it may be meant to fill the memory.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=formats) as picture:
            yield picture
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from error


def picture_size(path: Path) -> tuple[int, int]:
    """(height, width) of a picture.

    Raises:
        DataError: It is none, damaged, or too large.
    """
    try:
        with opened(path) as picture:
            return picture.height, picture.width
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as a picture", got=error, remedy="restore it from where the log came"
        ) from error


def present(paths: Sequence[Path]) -> Shaped[np.ndarray, " N"]:
    """Which of some files are there.

    Raises:
        DataError: There are too many.
    """
    if len(paths) > MAX_LOG_FILES:
        raise DataError("a sensor has too many files", got=len(paths), expected=f"up to {MAX_LOG_FILES}")
    return np.array([path.is_file() for path in paths], dtype=bool)


def _loaded(path: Path, kind: type, columns: Sequence[int], separator: str | None) -> np.ndarray:
    try:
        _check_size(path)
        return np.loadtxt(path, dtype=kind, comments="#", delimiter=separator, usecols=list(columns), ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} is no table of numbers", got=error, remedy="restore it from where the log came"
        ) from error


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if size > MAX_POINT_FILE_BYTES:
        raise DataError(f"{path} is too large", got=f"{size} bytes", expected=f"up to {MAX_POINT_FILE_BYTES}")
