"""The frames of one film of a set: a video, or a folder of numbered pictures. PIL and PyAV load when a film is read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from monde.data.resize import resize_frames
from monde.data.video import VideoFile
from monde.errors import ContractError, DataError
from monde.limits import MAX_FILM_BYTES, MAX_FRAME_SIDE_PIXELS

PICTURES = frozenset({".png", ".jpg", ".jpeg"})
_NUMBER = re.compile(r"(\d+)$")
_RESTORE = "copy the file again from where the set came"


@dataclass(frozen=True)
class Movie:
    """A video file."""

    path: Path


@dataclass(frozen=True)
class Pictures:
    """Numbered pictures in a folder, by number."""

    folder: Path
    names: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The folder."""
        return self.folder


Film = Movie | Pictures


def numbered_pictures(folder: Path) -> Pictures:
    """The pictures of a folder by the number at the end of their names.

    Raises:
        DataError: No pictures, or gaps in their numbers; the error names them.
    """
    found: dict[int, str] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        number = _NUMBER.search(path.stem)
        if path.suffix.lower() not in PICTURES or number is None or path.name.startswith("."):
            continue
        if int(number.group(1)) in found:
            raise DataError(
                f"two pictures have one number in {folder}", got=f"{found[int(number.group(1))]} and {path.name}"
            )
        found[int(number.group(1))] = path.name
    if not found:
        raise DataError(f"{folder} holds no numbered pictures", expected="scene_001.png, …", remedy=_RESTORE)
    first, last = min(found), max(found)
    gaps = [number for number in range(first, last + 1) if number not in found] if last - first < 100_000 else [first]
    if gaps:
        raise DataError(
            f"pictures are missing in {folder}", got=f"no number {gaps[0]} ({len(gaps)} in all)", remedy=_RESTORE
        )
    return Pictures(folder, tuple(found[number] for number in sorted(found)))


def film_length(film: Film) -> int:
    """Frames of a film.

    Raises:
        DataError: It cannot be opened; the error names the file.
    """
    if isinstance(film, Movie):
        return VideoFile.open(film.path).frames
    for name in {film.names[0], film.names[-1]}:
        _size(film.folder / name)
    return len(film.names)


def film_rate(film: Film) -> float:
    """Frames a second, as a video file states it.

    Raises:
        DataError: The video cannot be opened, or pictures are asked, which have no rate.
    """
    if isinstance(film, Movie):
        return VideoFile.open(film.path).fps
    raise DataError(f"{film.folder} holds pictures, which state no rate", remedy="give the item its rate_hz")


def film_frames(film: Film, start: int, step: int, size: tuple[int, int] | None) -> UInt8[np.ndarray, "T 3 h w"]:
    """Every `step`-th frame from `start` on, as uint8 [T, 3, h, w].

    Raises:
        ContractError: A step below 1, or an unusable size.
        DataError: A frame that cannot be decoded, pictures of several sizes, or more than `MAX_FILM_BYTES`.
    """
    if step < 1:
        raise ContractError("frames cannot be taken at this step", got=step, expected="≥ 1")
    if size is not None and not all(1 <= side <= MAX_FRAME_SIDE_PIXELS for side in size):
        raise ContractError("frames cannot have this size", got=size, expected=f"1 to {MAX_FRAME_SIDE_PIXELS}")
    if isinstance(film, Movie):
        video = VideoFile.open(film.path)
        length, native = video.frames, (video.height, video.width)
    else:
        length, native = len(film.names), _size(film.folder / film.names[0])
    count = len(range(start, length, step))
    if count == 0:
        raise DataError(
            f"{film.path} ends before what is judged begins", got=f"{length} frames", expected=f"more than {start}"
        )
    height, width = size or native
    if count * height * width * 3 > MAX_FILM_BYTES:
        raise DataError(
            f"{film.path} is too large to be read at once",
            got=f"{count} frames of {height}×{width}",
            expected=f"at most {MAX_FILM_BYTES} bytes",
            remedy="ask for smaller frames (size) or fewer (step)",
        )
    wanted = None if (height, width) == native else (height, width)
    frames = (
        video.iterate(start, size=wanted) if isinstance(film, Movie) else _pictures(film, start, step, native, wanted)
    )
    if isinstance(film, Movie):
        frames = (frame for number, frame in enumerate(frames) if number % step == 0)
    result = np.empty((count, 3, height, width), np.uint8)
    for number, frame in enumerate(frames):
        result[number] = frame.transpose(2, 0, 1)
    return result


def _pictures(
    film: Pictures, start: int, step: int, native: tuple[int, int], wanted: tuple[int, int] | None
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    for name in film.names[start::step]:
        picture = read_picture(film.folder / name)
        if picture.shape[:2] != native:
            raise DataError(f"{film.folder / name} has another size", got=picture.shape[:2], expected=native)
        yield picture if wanted is None else resize_frames(picture[None], wanted)[0]


def read_picture(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """One picture in RGB.

    Raises:
        DataError: It cannot be decoded, or is beyond the limits; the error names the file.
    """
    from PIL import Image

    _size(path)
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable(path, error) from error


def first_difference(a: Pictures, b: Pictures) -> int:
    """The first frame at which two films differ; the length of the shorter where they never do.

    Raises:
        DataError: A picture cannot be decoded.
    """
    for number, (left, right) in enumerate(zip(a.names, b.names)):
        if not np.array_equal(read_picture(a.folder / left), read_picture(b.folder / right)):
            return number
    return min(len(a.names), len(b.names))


def _size(path: Path) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(path) as image:
            width, height = image.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from error
    if max(height, width) > MAX_FRAME_SIDE_PIXELS:
        raise DataError(
            f"{path} is beyond the limits", got=f"{height}×{width}", expected=f"{MAX_FRAME_SIDE_PIXELS} a side"
        )
    return height, width


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read as a picture", got=error, expected="a whole PNG or JPEG", remedy=_RESTORE)
