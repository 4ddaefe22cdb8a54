"""The campus of Málaga as a map: free space of the occupancy grid that MRPT distributes, in parts.

Cells hold the log-odds of being free. Beyond what was seen free everything counts as solid. A part is made of bands
across the map; what is held out lies 8 m and more from what is trained on, about the range of a scan there.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64

from monde.errors import DataError, UsageError
from monde.worlds.laser.grid import GridMap

Part = Literal["train", "held_out"]

HELD_OUT_M = ((-90.0, -50.0), (20.0, 60.0))
"""Bands of y that are held out: corridors between buildings, and the open place in the north."""
MARGIN_M = 8.0
SHARED_DATA = "MONDE_SHARED_DATA"
_FILE = "mrpt-malaga/malaga_campus_grid.npz"
_FREE = 6
"""Least log-odds of a free cell, after a median over 3 × 3 cells: single rays leave speckles."""


def campus_file() -> Path:
    """Where the grid is.

    Raises:
        UsageError: Nobody has said so, or it is not there.
    """
    folder = os.environ.get(SHARED_DATA)
    path = Path(folder or "") / _FILE
    if folder is None or not path.is_file():
        raise UsageError(
            "the campus grid is not here",
            got=f"{SHARED_DATA} is not set" if folder is None else f"no {path}",
            expected=f"a folder with {_FILE}, derived from MRPT's 2006-MalagaCampus.gridmap",
            remedy=f"set {SHARED_DATA}, or use laser_rooms",
        )
    return path


@lru_cache(maxsize=2)
def load_campus(path: Path) -> GridMap:
    """The free space that hangs together, as a map.

    Raises:
        DataError: Not such a file.
    """
    from scipy.ndimage import label, median_filter

    try:
        with np.load(path, allow_pickle=False) as stored:
            cells = np.asarray(stored["cells_int8"])
            cell, x, y = (float(stored[name]) for name in ("resolution", "x_min", "y_min"))
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} is not the campus grid", got=f"{type(error).__name__}: {error}") from error
    if cells.dtype != np.int8 or cells.ndim != 2 or not cell > 0:
        raise DataError(
            f"{path} is not the campus grid", got=f"{cells.dtype}{list(cells.shape)}", expected="int8 [h, w]"
        )
    parts, _ = label(median_filter(cells, 3) > _FREE)
    largest = 1 + int(np.bincount(parts.ravel())[1:].argmax())
    return GridMap(parts == largest, cell, (x, y))


def within(part: Part, places: Float64[np.ndarray, "n 2"]) -> Bool[np.ndarray, " n"]:
    """Whether places belong to a part: in a held-out band, or a margin away from all of them."""
    y = places[:, 1]
    held = np.any([(y >= low) & (y <= high) for low, high in HELD_OUT_M], axis=0)
    near = np.any([(y >= low - MARGIN_M) & (y <= high + MARGIN_M) for low, high in HELD_OUT_M], axis=0)
    return held if part == "held_out" else ~near
