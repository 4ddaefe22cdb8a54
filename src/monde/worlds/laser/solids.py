"""Batches of scenes made of solid boxes and discs: what a laser beam hits, and how far a place is from anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64

from monde.errors import ContractError

_NOWHERE = 1e4
"""Where padding stands, in metres."""
_PARALLEL = np.float32(1e-9)
_FAR = np.float32(np.inf)
_Beams = Float32[np.ndarray, " R"]


@runtime_checkable
class Surroundings(Protocol):
    """What stands around the robots of a batch, one scene a row; metres."""

    def cast(
        self, places: Float64[np.ndarray, "B 2"], angles: Float64[np.ndarray, "B R"], most_m: float
    ) -> Float64[np.ndarray, "B R"]:
        """Ranges of beams from each row's place at angles of its scene's frame; `most_m` where nothing is hit."""
        ...

    def clearance(self, places: Float64[np.ndarray, "B P 2"]) -> Float64[np.ndarray, "B P"]:
        """Distance of places to the nearest solid, negative within one."""
        ...


@dataclass(frozen=True)
class Scene:
    """One scene.

    Args:
        boxes: [M, 5]: centre (x, y), half sides and yaw of solid boxes; metres, radians.
        discs: [K, 3]: centre and radius of solid discs.

    Raises:
        ContractError: Nothing in it, or numbers that are not finite.
    """

    boxes: Float64[np.ndarray, "M 5"]
    discs: Float64[np.ndarray, "K 3"]

    def __post_init__(self) -> None:
        if not len(self.boxes) + len(self.discs):
            raise ContractError("a scene is empty", expected="at least one box or disc")
        if not (np.isfinite(self.boxes).all() and np.isfinite(self.discs).all()):
            raise ContractError("a scene is not finite", got="boxes or discs with NaN or infinity")


class Solids:
    """Rows of scenes, padded to one size. Implements `Surroundings`.

    Args:
        scenes: One for each row.
    """

    def __init__(self, scenes: Sequence[Scene]) -> None:
        most_boxes = max(len(scene.boxes) for scene in scenes)
        most_discs = max(1, *(len(scene.discs) for scene in scenes))
        self._boxes = np.tile(np.array([_NOWHERE, _NOWHERE, 1, 1, 0.0]), (len(scenes), max(1, most_boxes), 1))
        self._discs = np.tile(np.array([_NOWHERE, _NOWHERE, 1.0]), (len(scenes), most_discs, 1))
        self._counts = [(len(scene.boxes), len(scene.discs)) for scene in scenes]
        for row, scene in enumerate(scenes):
            self._boxes[row, : len(scene.boxes)] = scene.boxes
            self._discs[row, : len(scene.discs)] = scene.discs
        yaw = self._boxes[..., 4]
        self._cos, self._sin = np.cos(yaw), np.sin(yaw)

    def cast(
        self, places: Float64[np.ndarray, "B 2"], angles: Float64[np.ndarray, "B R"], most_m: float
    ) -> Float64[np.ndarray, "B R"]:
        """Ranges; boxes by slabs (Kay and Kajiya 1986), discs by the quadratic. Beams from within a solid read 0."""
        return np.stack([self._row(row, place, angles[row]) for row, place in enumerate(places)]).clip(0, most_m)

    def clearance(self, places: Float64[np.ndarray, "B P 2"]) -> Float64[np.ndarray, "B P"]:
        """Signed distances."""
        offset = places[:, :, None] - self._boxes[:, None, :, :2]
        cos, sin = self._cos[:, None], self._sin[:, None]
        x = np.abs(cos * offset[..., 0] + sin * offset[..., 1]) - self._boxes[:, None, :, 2]
        y = np.abs(cos * offset[..., 1] - sin * offset[..., 0]) - self._boxes[:, None, :, 3]
        boxes = np.sqrt(x.clip(0) ** 2 + y.clip(0) ** 2) + np.maximum(x, y).clip(None, 0)
        gap = places[:, :, None] - self._discs[:, None, :, :2]
        discs = np.sqrt((gap**2).sum(-1)) - self._discs[:, None, :, 2]
        return np.minimum(boxes.min(-1), discs.min(-1))

    def _row(
        self, row: int, place: Float64[np.ndarray, "2"], angles: Float64[np.ndarray, " R"]
    ) -> Float64[np.ndarray, " R"]:
        """Beams of one row; all rows at once would not fit into a processor's cache."""
        cos, sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
        boxes, discs = self._boxes[row, : self._counts[row][0]], self._discs[row, : self._counts[row][1]]
        found = np.full(len(angles), np.inf, dtype=np.float32)
        if len(boxes):
            found = np.minimum(found, _to_boxes(boxes, place, cos, sin))
        if len(discs):
            found = np.minimum(found, _to_discs(discs, place, cos, sin))
        return found.astype(np.float64)


def _to_boxes(boxes: Float64[np.ndarray, "M 5"], place: Float64[np.ndarray, "2"], cos: _Beams, sin: _Beams) -> _Beams:
    offset, yaw = place - boxes[:, :2], boxes[:, 4, None].astype(np.float32)
    turn_cos, turn_sin = np.cos(yaw), np.sin(yaw)
    origin_x = turn_cos[:, 0] * offset[:, 0] + turn_sin[:, 0] * offset[:, 1]
    origin_y = turn_cos[:, 0] * offset[:, 1] - turn_sin[:, 0] * offset[:, 0]
    x = _slab(origin_x, turn_cos * cos + turn_sin * sin, boxes[:, 2])
    y = _slab(origin_y, turn_cos * sin - turn_sin * cos, boxes[:, 3])
    enter, leave = np.maximum(x[0], y[0]), np.minimum(x[1], y[1])
    return np.where((enter <= leave) & (leave > 0), enter, _FAR).min(0)


def _to_discs(discs: Float64[np.ndarray, "K 3"], place: Float64[np.ndarray, "2"], cos: _Beams, sin: _Beams) -> _Beams:
    near = (discs[:, :2] - place).astype(np.float32)[..., None]
    along, aside = near[:, 0] * cos + near[:, 1] * sin, near[:, 0] * sin - near[:, 1] * cos
    inside = discs[:, 2, None].astype(np.float32) ** 2 - aside**2
    half = np.sqrt(inside.clip(0))
    return np.where((inside > 0) & (along + half > 0), along - half, _FAR).min(0)


def _slab(
    origin: Float64[np.ndarray, " M"], way: Float32[np.ndarray, "M R"], half: Float64[np.ndarray, " M"]
) -> tuple[Float32[np.ndarray, "M R"], Float32[np.ndarray, "M R"]]:
    """Where rays enter and leave the space between two parallel faces."""
    per = 1 / np.where(np.abs(way) < _PARALLEL, _PARALLEL, way)
    middle = -origin.astype(np.float32)[..., None] * per
    reach = half.astype(np.float32)[..., None] * np.abs(per)
    return middle - reach, middle + reach
