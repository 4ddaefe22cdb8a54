"""Shortest ways for a robot of some radius: a coarse grid of where it may stand, and distances over it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

_NEIGHBOURS = ((0, 1, 1.0), (1, 0, 1.0), (1, 1, 2**0.5), (1, -1, 2**0.5))


@dataclass(frozen=True)
class Ground:
    """Where a robot may stand, on a grid.

    Args:
        free: [h, w]; rows go along y, columns along x.
        cell_m: Side of a cell.
        origin: (x, y) of the outer corner of cell [0, 0].
    """

    free: Bool[np.ndarray, "h w"]
    cell_m: float
    origin: tuple[float, float]

    @property
    def places(self) -> Float64[np.ndarray, "n 2"]:
        """Middles of the free cells."""
        rows, columns = np.nonzero(self.free)
        return np.stack([columns, rows], -1) * self.cell_m + self.cell_m / 2 + np.array(self.origin)

    def distances(self, goal: Float64[np.ndarray, "2"]) -> Float64[np.ndarray, "h w"]:
        """Length of the shortest way to `goal` from each cell, by steps to the eight neighbours; +Inf without a way."""
        numbers = np.full(self.free.shape, -1)
        numbers[self.free] = np.arange(self.free.sum())
        one, other, lengths = [], [], []
        for down, right, length in _NEIGHBOURS:
            a, b = _shifted(numbers, down, right)
            both = (a >= 0) & (b >= 0)
            one.append(a[both])
            other.append(b[both])
            lengths.append(np.full(int(both.sum()), length * self.cell_m))
        count = int(self.free.sum())
        edges = (np.concatenate(lengths), (np.concatenate(one), np.concatenate(other)))
        graph = csr_array(edges, shape=(count, count))
        found = np.full(self.free.shape, np.inf)
        row, column = self.cells(goal[None])[0]
        if count and self.free[row, column]:
            found[self.free] = dijkstra(graph, directed=False, indices=int(numbers[row, column]))
        return found

    def cells(self, places: Float64[np.ndarray, "n 2"]) -> Int64[np.ndarray, "n 2"]:
        """Row and column of each place; places beyond the grid go to its edge."""
        found = np.floor((places - np.array(self.origin)) / self.cell_m).astype(np.int64)[:, ::-1]
        return found.clip(0, np.array(self.free.shape) - 1)

    def length(self, field: Float64[np.ndarray, "h w"], place: Float64[np.ndarray, "2"]) -> float:
        """Length of the way from `place` in a field of `distances`: of the best cell around it."""
        row, column = self.cells(place[None])[0]
        rows, columns = slice(max(0, row - 1), row + 2), slice(max(0, column - 1), column + 2)
        return float(field[rows, columns].min())

    def ahead(
        self, field: Float64[np.ndarray, "h w"], place: Float64[np.ndarray, "2"], steps: int
    ) -> Float64[np.ndarray, "2"]:
        """Where the shortest way from `place` leads after some cells."""
        cell = self.cells(place[None])[0]
        for _ in range(steps):
            row, column = cell
            top, left = max(0, row - 1), max(0, column - 1)
            around = field[top : row + 2, left : column + 2]
            best = np.unravel_index(int(around.argmin()), around.shape)
            cell = np.array([top + int(best[0]), left + int(best[1])])
        return (cell[::-1] + 0.5) * self.cell_m + np.array(self.origin)


def _shifted(numbers: np.ndarray, down: int, right: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of cells, the second `down` rows and `right` columns further."""
    h, w = numbers.shape
    a = numbers[: h - down, max(0, -right) : w - max(0, right)]
    b = numbers[down:, max(0, right) : w - max(0, -right)]
    return a, b
