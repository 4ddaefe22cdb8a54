"""A single picture file."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from monde.errors import DataError
from monde.limits import MAX_FRAME_SIDE_PIXELS


def read_picture(path: Path) -> UInt8[np.ndarray, "3 h w"]:
    """The colours of a picture file.

    Raises:
        DataError: No picture that can be read, or one with a side above `MAX_FRAME_SIDE_PIXELS`.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if max(image.size) > MAX_FRAME_SIDE_PIXELS:
                raise DataError(f"{path} is too large", got=image.size, expected=f"sides ≤ {MAX_FRAME_SIDE_PIXELS}")
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is not a picture that can be read", got=error) from error
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))
