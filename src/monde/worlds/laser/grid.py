"""A map of cells, free or not: beams are traced through its distance field."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32, Float64

_MOST_STEPS = 256
"""Of a traced beam; a beam along a wall takes many short ones."""


@dataclass(frozen=True)
class GridMap:
    """A map that all rows of a batch stand in. Implements `Surroundings`.

    Args:
        free: [h, w] whether a cell is free; rows go along y, columns along x. All beyond is solid.
        cell_m: Side of a cell.
        origin: (x, y) of the outer corner of cell [0, 0].
    """

    free: Bool[np.ndarray, "h w"]
    cell_m: float
    origin: tuple[float, float]
    _distance: Float32[np.ndarray, "h w"] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        from scipy.ndimage import distance_transform_edt

        edged = np.pad(self.free, 1)  # what lies beyond the map is solid, too
        near = (distance_transform_edt(edged) - distance_transform_edt(~edged))[1:-1, 1:-1]
        # From the middle of a cell to the face of a neighbour that is not free is half a cell.
        signed = (near - 0.5 * np.sign(near)) * self.cell_m
        object.__setattr__(self, "_distance", signed.astype(np.float32))

    def clearance(self, places: Float64[np.ndarray, "B P 2"]) -> Float64[np.ndarray, "B P"]:
        """Signed distances, to within half a cell."""
        return self._look(places).astype(np.float64)

    def cast(
        self, places: Float64[np.ndarray, "B 2"], angles: Float64[np.ndarray, "B R"], most_m: float
    ) -> Float64[np.ndarray, "B R"]:
        """Ranges by sphere tracing (Hart 1996), to within half a cell."""
        B, R = angles.shape
        way = np.stack([np.cos(angles), np.sin(angles)], -1).reshape(-1, 2)
        start = np.repeat(places, R, axis=0)
        ranges, flying = np.zeros(B * R), np.arange(B * R)
        for _ in range(_MOST_STEPS):
            near = self._look(start[flying] + ranges[flying, None] * way[flying])
            # A step is never longer than what is free around the place, less what the cells leave open.
            ranges[flying] += np.maximum(near - 0.5 * self.cell_m, 0.4 * self.cell_m) * (near > 0)
            flying = flying[(near > 0) & (ranges[flying] < most_m)]
            if not len(flying):
                break
        return np.minimum(ranges, most_m).reshape(B, R)

    def _look(self, places: Float64[np.ndarray, "... 2"]) -> Float32[np.ndarray, "..."]:
        h, w = self.free.shape
        cells = np.floor((places - np.array(self.origin)) / self.cell_m).astype(np.int64)
        column, row = cells[..., 0], cells[..., 1]
        inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
        found = self._distance[np.clip(row, 0, h - 1), np.clip(column, 0, w - 1)]
        return np.where(inside, found, np.float32(-self.cell_m))
