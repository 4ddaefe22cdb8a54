"""Pictures that are stored in HDF5 as the bytes of image files."""

import io

import numpy as np
from jaxtyping import UInt8

from monde.errors import DataError

_FORMATS = ("JPEG", "PNG")


def decode(row: UInt8[np.ndarray, " n"], where: str) -> UInt8[np.ndarray, "h w 3"]:
    """A picture stored as the bytes of a JPEG or PNG file, padded with zeros (which decoders pass over).

    Raises:
        DataError: It cannot be decoded.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(row.tobytes()), formats=_FORMATS) as image:
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{where} cannot be decoded", got=error, remedy="restore the file from where the dataset came"
        ) from error


def decode_all(rows: UInt8[np.ndarray, "T n"], where: str, start: int) -> UInt8[np.ndarray, "T h w 3"]:
    """Stored rows as pictures of one size.

    Raises:
        DataError: One cannot be decoded, or is of another size.
    """
    frames = [decode(row, f"{where}, frame {start + index}") for index, row in enumerate(rows)]
    if len({frame.shape for frame in frames}) > 1:
        raise DataError(f"{where} changes its size", got=sorted({frame.shape for frame in frames}))
    return np.stack(frames)
