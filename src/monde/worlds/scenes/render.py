"""Drawing films of discs, squares, triangles and boxes: a whole batch of films at once, no loop over frames.

From back to front: background, furniture, objects from the farthest plane to the nearest, screens; then the light.
Edges fall off over one pixel, as in `monde.worlds.drawing`, so that motion well below a pixel is seen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from monde.errors import ContractError
from monde.worlds.drawing import Colour
from monde.worlds.scenes.bodies import extent, inset, normals
from monde.worlds.scenes.splits import Shape

FURNITURE = 254
"""Id of ground, walls and platforms in a segmentation."""

SCREEN = 255
"""Id of screens in a segmentation. Background is 0, objects are 1 to K."""

_CHUNK = 48
"""Frames drawn at once: what they need stays in the processor's cache."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How an object is drawn: shape, radius in px of the disc of equal area, RGB, and its plane (0 nearest)."""

    shape: Shape
    radius: float
    colour: Colour
    plane: int = 0


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A box of one colour. `boxes` [T, 4] are x0, y0, x1, y1 in px of the picture, frame by frame."""

    boxes: Float64[np.ndarray, "T 4"]
    colour: Colour


@dataclass(frozen=True, kw_only=True, repr=False)
class Take:
    """One film before it is drawn: T frames of K objects. All in pixels of the picture.

    Args:
        background: [3, h, w], h = w.
        furniture: Behind the objects.
        looks: K objects.
        position: [T, K, 2].
        angle: [T, K] rad.
        present: [T, K], whether an object is there at all.
        screens: In front of everything.
        light: [T], 1 for full light, 0 for darkness.

    Raises:
        ContractError: Parts of different lengths, or a background that is not square.
    """

    background: UInt8[np.ndarray, "3 h w"]
    furniture: tuple[Panel, ...]
    looks: tuple[Look, ...]
    position: Float64[np.ndarray, "T K 2"]
    angle: Float64[np.ndarray, "T K"]
    present: Bool[np.ndarray, "T K"]
    screens: tuple[Panel, ...]
    light: Float64[np.ndarray, " T"]

    def __post_init__(self) -> None:
        lengths = {len(self.position), len(self.angle), len(self.present), len(self.light)}
        lengths |= {len(panel.boxes) for panel in (*self.furniture, *self.screens)}
        widths = {self.position.shape[1], self.angle.shape[1], self.present.shape[1], len(self.looks)}
        if len(lengths) > 1 or len(widths) > 1 or self.background.shape[1] != self.background.shape[2]:
            got = f"lengths {sorted(lengths)}, objects {sorted(widths)}, background {self.background.shape}"
            raise ContractError("a Take's parts do not line up", got=got, expected="one T, one K, a square picture")

    @property
    def frames(self) -> int:
        """T."""
        return len(self.light)


@dataclass(frozen=True, repr=False)
class Pictures:
    """B films as drawn.

    Args:
        rgb: [B, T, 3, h, w].
        segmentation: [B, T, h, w]: 0 background, 1 to K objects, `FURNITURE`, `SCREEN`: whatever covers at least half
            of a pixel, the nearest first. Darkness does not change it.
        visible: [B, T, K] fraction of an object's pixels that are seen; beyond the picture's edge counts as not seen.
    """

    rgb: UInt8[np.ndarray, "B T 3 h w"]
    segmentation: UInt8[np.ndarray, "B T h w"]
    visible: Float32[np.ndarray, "B T K"]


def render(takes: Sequence[Take]) -> Pictures:
    """Draw films of equal length, size and number of objects.

    Raises:
        ContractError: None, or films that differ in these.
    """
    kinds = {(take.frames, take.background.shape, len(take.looks)) for take in takes}
    if len(kinds) != 1:
        raise ContractError("these films cannot be drawn together", got=sorted(kinds), expected="one T, h × w and K")
    B, (T, (_, side, _), K) = len(takes), kinds.pop()
    ids = np.repeat(np.arange(B), T)
    layers = _Layers(takes)
    rgb = np.empty((B * T, 3, side, side), dtype=np.uint8)
    segmentation = np.empty((B * T, side, side), dtype=np.uint8)
    visible = np.empty((B * T, K), dtype=np.float32)
    for start in range(0, B * T, _CHUNK):
        rows = slice(start, min(start + _CHUNK, B * T))
        rgb[rows], segmentation[rows], visible[rows] = layers.draw(rows, ids[rows])
    return Pictures(rgb.reshape(B, T, 3, side, side), segmentation.reshape(B, T, side, side), visible.reshape(B, T, K))


class _Layers:
    """The parts of all films, frame after frame: N = B × T rows."""

    def __init__(self, takes: Sequence[Take]) -> None:
        self._side = takes[0].background.shape[1]
        looks = [take.looks for take in takes]
        T, K = takes[0].frames, len(looks[0])
        reach = max((look.radius * extent(look.shape) for film in looks for look in film), default=1.0)
        # Patches are never clipped: the canvas has a margin that takes those of objects beyond the picture's edge.
        self._patch = 2 * math.ceil(reach + 1)
        self._pad = self._patch
        self._backgrounds = [self._backdrop(take) for take in takes]
        self._furniture = _stacked([[p for p in take.furniture if _moves(p)] for take in takes], T)
        self._screens = _stacked([list(take.screens) for take in takes], T)
        self._position = np.concatenate([take.position for take in takes])
        self._angle = np.concatenate([take.angle for take in takes])
        self._present = np.concatenate([take.present for take in takes])
        self._light = np.concatenate([take.light for take in takes]).astype(np.float32)
        # By object of each film: which are drawn first, farthest plane first, and what they are.
        self._order = np.array([sorted(range(K), key=lambda k: -film[k].plane) for film in looks], dtype=np.int64)
        self._order = self._order.reshape(len(takes), K)
        shape = (len(takes), K)
        self._disc = np.array([[look.shape == "disc" for look in film] for film in looks]).reshape(shape)
        self._radius = np.array([[look.radius for look in film] for film in looks]).reshape(shape)
        self._inset = np.array([[look.radius * inset(look.shape) for look in film] for film in looks]).reshape(shape)
        self._normals = np.array([[normals(look.shape) for look in film] for film in looks]).reshape(*shape, 4, 2)
        self._colour = np.array([[look.colour for look in film] for film in looks], dtype=np.float32).reshape(*shape, 3)

    def draw(
        self, rows: slice, films: Int64[np.ndarray, " n"]
    ) -> tuple[UInt8[np.ndarray, "n 3 h w"], UInt8[np.ndarray, "n h w"], Float32[np.ndarray, "n K"]]:
        """Rows of frames, of the films told."""
        pad, side = self._pad, self._side
        canvas = np.stack([self._backgrounds[film][0] for film in films])
        ids = np.stack([self._backgrounds[film][1] for film in films])
        inner = (slice(None), slice(None), slice(pad, pad + side), slice(pad, pad + side))
        for boxes, colours in self._furniture:
            _paint_boxes(canvas[inner], ids[inner[1:]], boxes[rows], colours[rows], FURNITURE)
        full = np.zeros((len(films), self._order.shape[1]), dtype=np.int64)
        for layer in range(self._order.shape[1]):
            objects = self._order[films, layer]
            count = self._paint_objects(canvas, ids, rows, films, objects)
            full[np.arange(len(films)), objects] = count
        for boxes, colours in self._screens:
            _paint_boxes(canvas[inner], ids[inner[1:]], boxes[rows], colours[rows], SCREEN)
        rgb = np.ascontiguousarray(canvas[inner])
        light = self._light[rows]
        dim = np.flatnonzero(light < 1)
        if len(dim):
            rgb[dim] = (rgb[dim] * light[dim, None, None, None] + np.float32(0.5)).astype(np.uint8)
        segmentation = np.ascontiguousarray(ids[inner[1:]])
        seen = (
            np.stack([(segmentation == k + 1).sum((1, 2)) for k in range(full.shape[1])], axis=1) if full.size else full
        )
        return rgb, segmentation, (seen / np.maximum(full, 1)).astype(np.float32)

    def _paint_objects(
        self,
        canvas: UInt8[np.ndarray, "n 3 H W"],
        ids: UInt8[np.ndarray, "n H W"],
        rows: slice,
        films: Int64[np.ndarray, " n"],
        objects: Int64[np.ndarray, " n"],
    ) -> Int64[np.ndarray, " n"]:
        """Paint one object into each frame; how many pixels it would have if nothing hid it."""
        n, m = len(films), self._patch
        index = np.arange(n)
        present = self._present[rows][index, objects]
        place = self._position[rows][index, objects]
        # An object far outside is drawn in the margin, where nobody looks.
        far = (np.abs(place - self._side / 2) > self._side / 2 + m / 2).any(axis=1) | ~present
        place = np.where(far[:, None], -m / 2, place) + self._pad
        corner = np.floor(place + 0.5).astype(np.int64) - m // 2
        cells = np.arange(m) + 0.5
        dx = (corner[:, :1] + cells - place[:, :1]).astype(np.float32)
        dy = (corner[:, 1:] + cells - place[:, 1:]).astype(np.float32)
        distance = self._outline(dx, dy, films, objects, self._angle[rows][index, objects])
        alpha = np.clip(np.float32(0.5) - distance, 0, 1)
        alpha[far] = 0
        lines, columns = corner[:, 1:] + np.arange(m), corner[:, :1] + np.arange(m)
        where = (index[:, None, None], lines[:, :, None], columns[:, None, :])
        for channel in range(3):
            plane = canvas[:, channel]
            below = plane[where].astype(np.float32)
            colour = self._colour[films, objects, channel][:, None, None]
            plane[where] = (below + alpha * (colour - below) + np.float32(0.5)).astype(np.uint8)
        solid = alpha >= 0.5
        ids[where] = np.where(solid, (objects + 1).astype(np.uint8)[:, None, None], ids[where])
        counted: Int64[np.ndarray, " n"] = solid.sum((1, 2))
        return counted

    def _outline(
        self,
        dx: Float32[np.ndarray, "n m"],
        dy: Float32[np.ndarray, "n m"],
        films: Int64[np.ndarray, " n"],
        objects: Int64[np.ndarray, " n"],
        angle: Float64[np.ndarray, " n"],
    ) -> Float32[np.ndarray, "n m m"]:
        """Signed distance of pixel centres to an object's outline, px; outside a polygon's corners, a lower bound."""
        radius = self._radius[films, objects].astype(np.float32)
        distance = np.empty((len(dx), dx.shape[1], dx.shape[1]), dtype=np.float32)
        disc = self._disc[films, objects]
        a = np.flatnonzero(disc)
        if len(a):
            distance[a] = np.sqrt(dy[a, :, None] ** 2 + dx[a, None, :] ** 2) - radius[a, None, None]
        b = np.flatnonzero(~disc)
        if len(b):
            cos, sin = np.cos(angle[b])[:, None], np.sin(angle[b])[:, None]
            sides = self._normals[films[b], objects[b]]
            nx = (cos * sides[..., 0] - sin * sides[..., 1]).astype(np.float32)
            ny = (sin * sides[..., 0] + cos * sides[..., 1]).astype(np.float32)
            away = nx[:, 0, None, None] * dx[b, None, :] + ny[:, 0, None, None] * dy[b, :, None]
            for side in range(1, 4):
                np.maximum(
                    away, nx[:, side, None, None] * dx[b, None, :] + ny[:, side, None, None] * dy[b, :, None], out=away
                )
            distance[b] = away - self._inset[films[b], objects[b]].astype(np.float32)[:, None, None]
        return distance

    def _backdrop(self, take: Take) -> tuple[UInt8[np.ndarray, "3 H W"], UInt8[np.ndarray, "H W"]]:
        """Background and unmoving furniture, drawn once for all frames of a film, with the margin around them."""
        picture = take.background[None].copy()
        ids = np.zeros((1, self._side, self._side), dtype=np.uint8)
        for panel in take.furniture:
            if not _moves(panel):
                colour = np.array(panel.colour, dtype=np.float32)[None]
                _paint_boxes(picture, ids, panel.boxes[:1], colour, FURNITURE)
        margin = (self._pad, self._pad)
        return np.pad(picture[0], ((0, 0), margin, margin)), np.pad(ids[0], (margin, margin))


def _moves(panel: Panel) -> bool:
    return bool((panel.boxes != panel.boxes[0]).any())


def _stacked(
    films: Sequence[Sequence[Panel]], T: int
) -> list[tuple[Float64[np.ndarray, "N 4"], Float32[np.ndarray, "N 3"]]]:
    """Panels by layer, over the frames of all films; films with fewer get empty ones."""
    layers = []
    for layer in range(max((len(panels) for panels in films), default=0)):
        boxes = [panels[layer].boxes if layer < len(panels) else np.zeros((T, 4)) for panels in films]
        colours = [panels[layer].colour if layer < len(panels) else (0, 0, 0) for panels in films]
        layers.append((np.concatenate(boxes), np.repeat(np.array(colours, dtype=np.float32), T, axis=0)))
    return layers


def _paint_boxes(
    frames: UInt8[np.ndarray, "n 3 h w"],
    ids: UInt8[np.ndarray, "n h w"],
    boxes: Float64[np.ndarray, "n 4"],
    colours: Float32[np.ndarray, "n 3"],
    identity: int,
) -> None:
    """Paint one box into each frame, in place (the canvas is this file's own)."""
    cells = np.arange(frames.shape[-1])
    rows = np.flatnonzero((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))
    low, high = boxes[rows, :2, None], boxes[rows, 2:, None]
    covered = np.clip(np.minimum(high, cells + 1) - np.maximum(low, cells), 0, 1).astype(np.float32)
    rows, covered = rows[covered.any(-1).all(-1)], covered[covered.any(-1).all(-1)]
    if not len(rows):
        return
    # Only the lines and columns that any of these boxes reaches.
    x = np.flatnonzero(covered[:, 0].any(0))
    y = np.flatnonzero(covered[:, 1].any(0))
    across, down = slice(x[0], x[-1] + 1), slice(y[0], y[-1] + 1)
    alpha = covered[:, 1, down, None] * covered[:, 0, None, across]
    below = frames[rows, :, down, across].astype(np.float32)
    above = colours[rows][:, :, None, None]
    frames[rows, :, down, across] = (below + alpha[:, None] * (above - below) + np.float32(0.5)).astype(np.uint8)
    part = ids[rows, down, across]
    ids[rows, down, across] = np.where(alpha >= 0.5, np.uint8(identity), part)
