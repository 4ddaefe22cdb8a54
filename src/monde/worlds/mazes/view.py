"""A maze from above: an orthographic view of all of it, walls as the simulator has them."""

import numpy as np
from jaxtyping import Float64, UInt8

from monde.worlds.drawing import Look, blank, paint_boxes
from monde.worlds.mazes.layout import Layout


class View:
    """Where the maze lies in a square picture: its free cells and half a cell of wall around; x to the right, y up.

    Drawn by monde, not by MuJoCo: its software renderer gives some hundred frames a second, this some ten thousand.

    Args:
        layout: The walls.
        look: Colours, zoom, offset and light.
        side: Side of the picture in pixels.
    """

    def __init__(self, layout: Layout, look: Look, side: int) -> None:
        self.look, self._layout, self._side = look, layout, side
        floors = layout.floors()
        low, high = floors[:, :2].min(axis=0), floors[:, 2:].max(axis=0)
        self._middle = (low + high) / 2
        self._scale = side / float((high - low).max() + layout.cell)

    @property
    def pixels(self) -> float:
        """Pixels to one unit of the maze, zoom included."""
        return self._scale * self.look.zoom

    def place(self, points: Float64[np.ndarray, "... 2"]) -> Float64[np.ndarray, "... 2"]:
        """Points of the maze in pixels of the picture (x to the right, y downwards)."""
        plain = (points - self._middle) * (self._scale * np.array([1.0, -1.0])) + self._side / 2
        return self.look.place(plain, self._side)

    def background(self) -> UInt8[np.ndarray, "1 3 side side"]:
        """The maze without a body, not yet lit."""
        floors = self._layout.floors()
        corners = self.place(floors.reshape(-1, 2, 2))
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        return paint_boxes(blank(1, self._side, self.look.wall), boxes[None], self.look.floor)
