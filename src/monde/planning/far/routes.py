"""Shortest ways over landmarks to one goal, for one row of a batch (Dijkstra 1959, from the goal backwards)."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float64, Int64

from monde.planning.far.landmarks import Landmarks

LEAST_BLOCKS = 1e-3
"""An edge of no length would not be an edge in a sparse matrix."""

Edge = tuple[int, int]


class Routes:
    """Blocks from every landmark to one goal, and the next landmark on the way there.

    Args:
        landmarks: The graph of M landmarks.
        last: Landmarks that the goal can be reached from directly.
        blocks: Action blocks that this takes from each of them.
        dropped: Edges that are not used; their target is M for the goal.
    """

    left: Float64[np.ndarray, " M"]
    """Blocks from each landmark to the goal; +Inf where no way leads there."""

    def __init__(
        self,
        landmarks: Landmarks,
        last: Int64[np.ndarray, " L"],
        blocks: Float64[np.ndarray, " L"],
        dropped: Iterable[Edge] = (),
    ) -> None:
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import dijkstra

        M = len(landmarks)
        sources = np.concatenate([landmarks.sources.numpy(), last])
        targets = np.concatenate([landmarks.targets.numpy(), np.full(len(last), M)])
        taken = np.maximum(np.concatenate([landmarks.blocks.double().numpy(), blocks]), LEAST_BLOCKS)
        gone = np.array([source * (M + 1) + target for source, target in dropped], dtype=np.int64)
        kept = ~np.isin(sources * (M + 1) + targets, gone)
        backwards = csr_array((taken[kept], (targets[kept], sources[kept])), shape=(M + 1, M + 1))
        left, follows = dijkstra(backwards, indices=M, return_predecessors=True)
        self.left = left[:M]
        self._follows = follows
        self._goal = M

    def way(self, first: int) -> list[int]:
        """Landmarks from `first` on to the goal, `first` included; the goal itself is no landmark."""
        found = [first]
        while (following := int(self._follows[found[-1]])) != self._goal and following >= 0:
            found.append(following)
        return found
