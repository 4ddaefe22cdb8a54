"""Qualisys Track Manager's TSV export of 3-D points ("QTM User Manual", chapter "Export to TSV format")."""

from pathlib import Path

import numpy as np
from jaxtyping import Float64

from monde.data.points.tracks import PointTracks
from monde.errors import DataError
from monde.limits import MAX_POINT_FILE_BYTES, MAX_POINT_MARKERS

MILLIMETRES_PER_METRE = 1000.0
_KEYS = ("NO_OF_FRAMES", "NO_OF_MARKERS", "FREQUENCY", "DATA_INCLUDED", "MARKER_NAMES")
_HEADER_LINES = 40


def read_qualisys(path: Path | str) -> PointTracks:
    """The markers of one TSV file, in metres.

    Header lines are `KEY<tab>value…`; then follows one line a frame, optionally after column titles and with two
    leading columns (frame number, time). A point of three zeros or three blanks was not seen, as the format has it.

    Raises:
        DataError: There is no such file, it is too large, is no such export, lacks frames or columns, holds something
            that is no number, or shows no marker in any frame.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(f"{file} is not a file", expected="a TSV export of 3-D points")
    if file.stat().st_size > MAX_POINT_FILE_BYTES:
        raise DataError(
            f"{file.name} is too large", got=file.stat().st_size, expected=f"≤ {MAX_POINT_FILE_BYTES} bytes"
        )
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise _foreign(file, f"bytes that are no text ({error.reason})") from error
    header, first = _header(lines)
    missing = [key for key in _KEYS if key not in header]
    if missing:
        raise _foreign(file, f"no {', '.join(missing)}")
    if header["DATA_INCLUDED"][:1] != ["3D"]:
        raise _foreign(file, f"DATA_INCLUDED {' '.join(header['DATA_INCLUDED'])}")
    frames, markers = _count(file, header, "NO_OF_FRAMES"), _count(file, header, "NO_OF_MARKERS")
    if markers > MAX_POINT_MARKERS:
        raise DataError(f"{file.name} has too many markers", got=markers, expected=f"≤ {MAX_POINT_MARKERS}")
    body = [(first + index + 1, line) for index, line in enumerate(lines[first:]) if line.strip()]
    titled = bool(body) and body[0][1].split("\t")[0] == "Frame"
    body = body[1:] if titled else body
    if not body or not markers:
        raise DataError(
            f"{file.name} holds no frames" if markers else f"{file.name} has no markers",
            got=f"{len(body)} frames of {markers} markers, {frames} announced",
            remedy="export it again, with 3D data ticked",
        )
    if len(body) != frames:
        raise DataError(
            f"{file.name} is cut short or was edited",
            got=f"{len(body)} frames",
            expected=f"{frames}, as its header says",
        )
    values = np.stack([_frame(file, number, line, markers, 2 if titled else 0) for number, line in body])
    valid = ~np.isnan(values).all(-1)
    names = (*header["MARKER_NAMES"], *[""] * markers)[:markers]
    return PointTracks(values / MILLIMETRES_PER_METRE, valid, _rate(file, header), names)


def _header(lines: list[str]) -> tuple[dict[str, list[str]], int]:
    """Values by key, and the index of the first line after them."""
    header: dict[str, list[str]] = {}
    for index, line in enumerate(lines[:_HEADER_LINES]):
        key, *values = line.split("\t")
        if not (key.isupper() and key.replace("_", "").isalpha()):
            return header, index
        header[key] = values
    return header, len(header)


def _frame(file: Path, number: int, line: str, markers: int, leading: int) -> Float64[np.ndarray, "M 3"]:
    """One frame in millimetres, NaN where a marker was not seen."""
    cells = line.split("\t")
    wanted = leading + 3 * markers
    if len(cells) < wanted or any(cell.strip() for cell in cells[wanted:]):
        raise DataError(
            f"line {number} of {file.name} has another number of columns than its header announces",
            got=len(cells),
            expected=f"{wanted}: {leading} and 3 for each of {markers} markers",
            remedy="export the file again",
        )
    try:
        numbers = [float(cell) if cell.strip() else np.nan for cell in cells[leading:wanted]]
    except ValueError as error:
        raise DataError(f"line {number} of {file.name} holds something that is no number", got=error) from error
    point = np.array(numbers).reshape(markers, 3)
    blank = np.array([not cell.strip() for cell in cells[leading:wanted]]).reshape(markers, 3)
    bad = (~np.isfinite(point) & ~blank).any(1) | (blank.any(1) & ~blank.all(1))
    if bad.any():
        raise DataError(
            f"line {number} of {file.name} holds a point of which a part is missing or not finite",
            got=f"{point[bad][0].tolist()} of marker {int(np.argmax(bad))}",
            expected="three numbers, or three blanks where it was not seen",
        )
    point[(point == 0).all(1)] = np.nan
    return point


def _count(file: Path, header: dict[str, list[str]], key: str) -> int:
    text = (header[key] or [""])[0]
    if not text.isdecimal():
        raise _foreign(file, f"{key} {text!r}")
    return int(text)


def _rate(file: Path, header: dict[str, list[str]]) -> float:
    text = (header["FREQUENCY"] or [""])[0]
    try:
        rate = float(text)
    except ValueError as error:
        raise _foreign(file, f"FREQUENCY {text!r}") from error
    if not (np.isfinite(rate) and rate > 0):
        raise _foreign(file, f"FREQUENCY {text!r}")
    return rate


def _foreign(file: Path, got: str) -> DataError:
    return DataError(
        f"{file.name} is no TSV export of 3-D points",
        got=got,
        expected=f"header lines {', '.join(_KEYS)}, with 3D data",
        remedy="in Qualisys: File > Export > To TSV, data type 3D, with the header",
    )
