"""Ways through a maze: how many control steps lie between two places, and which cell comes next."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

from monde.worlds.mazes.layout import Layout

_AROUND = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)])


class Ways:
    """Shortest ways of a body that moves up to `reach` along x and along y, both at once, in a control step.

    Between two places in the open that takes max(|Δx|, |Δy|) / reach steps, and so do hops on a grid on which a
    diagonal hop costs as much as a straight one: breadth-first search is exact but for the pitch, a tenth of a cell.
    A body is taken to move at full speed at once; one that must speed up first takes a few steps longer.

    Args:
        layout: The walls.
        clearance: Distance from walls that the middle of the body keeps.
        reach: Way along each axis in one control step at full speed, in the maze's unit.
    """

    def __init__(self, layout: Layout, clearance: float, reach: float) -> None:
        self._layout, self._clearance, self._reach = layout, clearance, reach
        self._pitch = layout.cell / 10
        counts = np.array(layout.free.shape) * 10
        grid = np.stack(np.meshgrid(*(np.arange(n) for n in counts), indexing="ij"), axis=-1).reshape(-1, 2)
        # Nodes at the middles of cells and at multiples of the pitch from there.
        places = grid * self._pitch + np.array(layout.corner)
        clear = layout.clearance(places) >= clearance - 1e-9
        self._shape = counts
        self._nodes: Float64[np.ndarray, "n 2"] = places[clear]
        number = np.full(counts + 2, clear.sum(), dtype=np.int64)
        number[1:-1, 1:-1][clear.reshape(counts)] = np.arange(clear.sum())
        self._number = number
        self._next = self._neighbours(grid[clear] + 1)
        self._fields: dict[int, Float64[np.ndarray, " n"]] = {}

    @property
    def nodes(self) -> Float64[np.ndarray, "n 2"]:
        """The places of the grid."""
        return self._nodes

    def field(self, place: Float64[np.ndarray, " 2"]) -> Float64[np.ndarray, " n"]:
        """Control steps from every node to the one nearest to `place`; infinite where no way leads."""
        return self._field(int(self._nearest(place[None])[0]))

    def steps(
        self, places: Float64[np.ndarray, "B 2"], goals: Float64[np.ndarray, "B 2"], fields: Float64[np.ndarray, "B n"]
    ) -> Float64[np.ndarray, " B"]:
        """Control steps at full speed from places to goals, given the field of each goal; to within one pitch or so."""
        nearest = self._nearest(places)
        hops = fields[np.arange(len(places)), nearest]
        direct = np.abs(places - goals).max(axis=1) / self._reach
        # Near the goal the grid is too coarse; nothing is nearer than the straight line.
        return np.where(hops * self._reach <= 2 * self._pitch, direct, np.maximum(hops, direct))

    def longest(self) -> float:
        """A way that is about as long as there are, in control steps: to the farthest node from the farthest node."""
        first = self._field(0)
        far = int(np.where(np.isfinite(first), first, -1).argmax())
        second = self._field(far)
        return float(second[np.isfinite(second)].max())

    def draw_at(
        self, generator: np.random.Generator, start: Float64[np.ndarray, " 2"], steps: float, slack: float
    ) -> Float64[np.ndarray, " 2"] | None:
        """A place about `steps` control steps from `start`, uniform over those within `slack` of it, or none."""
        field = self.field(start)
        within = np.flatnonzero(np.abs(field - steps) <= slack)
        if not len(within):
            return None
        node = self._nodes[within[generator.integers(len(within))]]
        moved = node + generator.uniform(-0.5, 0.5, size=2) * self._pitch
        clear = self._layout.clearance(moved[None])[0] >= self._clearance
        return moved if clear else node

    def _field(self, node: int) -> Float64[np.ndarray, " n"]:
        if node not in self._fields:
            if len(self._fields) >= _KEPT_FIELDS:
                self._fields.pop(next(iter(self._fields)))
            self._fields[node] = self._flood(node) * (self._pitch / self._reach)
        return self._fields[node]

    def _flood(self, node: int) -> Float64[np.ndarray, " n"]:
        hops = np.full(len(self._nodes) + 1, np.inf)
        hops[-1] = -1  # what is no node counts as visited
        hops[node] = 0
        front, count = np.array([node]), 0
        while len(front):
            count += 1
            reached = self._next[front].ravel()
            reached = reached[np.isinf(hops[reached])]
            hops[reached] = count
            front = np.unique(reached)
        return hops[:-1]

    def _neighbours(self, grid: Int64[np.ndarray, "n 2"]) -> Int64[np.ndarray, "n 8"]:
        """For every node its neighbours by number, n where there is none. No diagonal hop cuts a corner."""
        around = grid[:, None] + _AROUND
        found = self._number[around[..., 0], around[..., 1]]
        n = len(grid)
        for k, (dx, dy) in enumerate(_AROUND):
            if dx and dy:
                beside = self._number[grid[:, 0] + dx, grid[:, 1]], self._number[grid[:, 0], grid[:, 1] + dy]
                found[:, k] = np.where((beside[0] < n) & (beside[1] < n), found[:, k], n)
        return found

    def _nearest(self, places: Float64[np.ndarray, "B 2"]) -> Int64[np.ndarray, " B"]:
        """The node nearest to each place, the one of the rounded coordinates where it is free."""
        rounded = np.rint((places - np.array(self._layout.corner)) / self._pitch).astype(np.int64) + 1
        rounded = np.clip(rounded, 0, np.array(self._number.shape) - 1)
        found = self._number[rounded[:, 0], rounded[:, 1]]
        for row in np.flatnonzero(found == len(self._nodes)):
            found[row] = ((self._nodes - places[row]) ** 2).sum(axis=1).argmin()
        return found


_KEPT_FIELDS = 512
"""Fields remembered: a batch's goals are asked for at every step."""


class Corridors:
    """Which neighbouring cell a shortest way leads through, from every free cell to every other."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        cells = layout.cells
        number = np.full(np.array(layout.free.shape), -1)
        number[cells[:, 0], cells[:, 1]] = np.arange(len(cells))
        self._number = number
        joined = np.abs(cells[:, None] - cells[None]).sum(axis=-1) == 1
        self._next = _next_cells(joined)

    def next_cell(
        self, places: Float64[np.ndarray, "B 2"], targets: Float64[np.ndarray, "B 2"]
    ) -> tuple[Float64[np.ndarray, "B 2"], Bool[np.ndarray, " B"]]:
        """The middle of the next cell of each way, and whether the place is in its target's cell already."""
        here, there = self._of(places), self._of(targets)
        return self._layout.centre(self._layout.cells[self._next[here, there]]), here == there

    def _of(self, places: Float64[np.ndarray, "B 2"]) -> Int64[np.ndarray, " B"]:
        cells = self._layout.cell_of(places)
        found = self._number[cells[:, 0], cells[:, 1]]
        for row in np.flatnonzero(found < 0):  # a body pushed a little into a wall
            gap = self._layout.centre(self._layout.cells) - places[row]
            found[row] = (gap**2).sum(axis=1).argmin()
        return found


def _next_cells(joined: Bool[np.ndarray, "n n"]) -> Int64[np.ndarray, "n n"]:
    """[here, there] → the neighbour of `here` on a shortest way to `there` (`here` itself where there is none)."""
    n = len(joined)
    hops = np.where(np.eye(n, dtype=np.bool_), 0.0, np.inf)
    for count in range(1, n):
        front = ((hops == count - 1).astype(np.float64) @ joined) > 0
        new = front & np.isinf(hops)
        if not new.any():
            break
        hops[new] = count
    through = np.where(joined[:, :, None], hops[None], np.inf)  # [here, neighbour, there]
    nearer = through.min(axis=1) < hops
    return np.where(nearer, through.argmin(axis=1), np.arange(n)[:, None])
