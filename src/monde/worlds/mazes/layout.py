"""Where the walls of a maze are: cells, and a fine grid of the places a body can be in."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from monde.errors import ContractError


@dataclass(frozen=True, repr=False)
class Layout:
    """Square cells, free or walled. x to the right, y upwards, in the maze's own unit.

    Args:
        free: [columns, rows]; cell (0, 0) is the one at the lowest x and y.
        cell: Side of a cell.
        corner: Lower left corner of cell (0, 0).
    """

    free: Bool[np.ndarray, "columns rows"]
    cell: float
    corner: tuple[float, float]

    @classmethod
    def of_boxes(cls, centres: Float64[np.ndarray, "K 2"], half: float) -> "Layout":
        """The layout whose walls are these boxes of side 2 · half: what they leave open within their bounding box.

        Raises:
            ContractError: No boxes, or nothing left open.
        """
        if not len(centres):
            raise ContractError("a maze needs walls", got="no boxes")
        cell = 2 * half
        low = centres.min(axis=0)
        places = np.rint((centres - low) / cell).astype(np.int64)
        free = np.ones(places.max(axis=0) + 1, dtype=np.bool_)
        free[places[:, 0], places[:, 1]] = False
        if not free.any():
            raise ContractError("a maze needs free space", got=f"{len(centres)} boxes that fill all of it")
        return cls(free, cell, (float(low[0] - half), float(low[1] - half)))

    @property
    def cells(self) -> Int64[np.ndarray, "n 2"]:
        """The free cells (column, row)."""
        return np.argwhere(self.free)

    def centre(self, cells: Int64[np.ndarray, "... 2"]) -> Float64[np.ndarray, "... 2"]:
        """Middles of cells."""
        return (cells + 0.5) * self.cell + np.array(self.corner)

    def cell_of(self, places: Float64[np.ndarray, "... 2"]) -> Int64[np.ndarray, "... 2"]:
        """The cells that places lie in, the nearest one for a place outside of the maze."""
        found = np.floor((places - np.array(self.corner)) / self.cell).astype(np.int64)
        return np.clip(found, 0, np.array(self.free.shape) - 1)

    def walls(self) -> Float64[np.ndarray, "K 4"]:
        """The walled cells as boxes (x0, y0, x1, y1)."""
        return self._boxes(np.argwhere(~self.free))

    def floors(self) -> Float64[np.ndarray, "n 4"]:
        """The free cells as boxes (x0, y0, x1, y1)."""
        return self._boxes(self.cells)

    def clearance(self, places: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, " n"]:
        """Distance of each place to the nearest wall, 0 inside one."""
        nearest = np.full(len(places), np.inf)
        for x0, y0, x1, y1 in self.walls():
            dx = np.maximum(np.maximum(x0 - places[:, 0], places[:, 0] - x1), 0)
            dy = np.maximum(np.maximum(y0 - places[:, 1], places[:, 1] - y1), 0)
            nearest = np.minimum(nearest, np.sqrt(dx**2 + dy**2))
        return nearest

    def draw_place(self, generator: np.random.Generator, clearance: float) -> Float64[np.ndarray, " 2"]:
        """A place uniform over all that are at least `clearance` from every wall."""
        cells = self.cells
        while True:  # more than a quarter of a cell is clear: a few draws suffice
            middle = self.centre(cells[generator.integers(len(cells))])
            place = middle + generator.uniform(-0.5, 0.5, size=2) * self.cell
            if self.clearance(place[None])[0] >= clearance:
                return place

    def _boxes(self, cells: Int64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 4"]:
        low = cells * self.cell + np.array(self.corner)
        return np.concatenate([low, low + self.cell], axis=1)
