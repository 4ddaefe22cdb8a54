"""The tree of frames in messages (tf2_msgs/TFMessage, foxglove.FrameTransform): where each sensor is fixed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from monde.data.mcap.messages import each, has, quaternion, text, triple
from monde.errors import DataError
from monde.limits import MAX_TRANSFORM_DEPTH
from monde.spatial import compose, relative, unit
from monde.types import Mount

TRANSFORMS = frozenset({"tf2_msgs/TFMessage", "foxglove.FrameTransform", "foxglove.FrameTransforms"})
_BASES = ("base_link", "base_footprint", "base")
_STILL = 1e-4
_HERE = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])


@dataclass
class Edge:
    """A frame in its parent.

    Args:
        parent: The parent.
        pose: The first that was seen.
        moves: Whether another one was seen later.
    """

    parent: str
    pose: Float64[np.ndarray, "7"]
    moves: bool = False


class Frames:
    """The frames of a log.

    Args:
        base: The frame that sensors are mounted on; if none is given, what usually is one, else the root.
    """

    def __init__(self, base: str | None = None) -> None:
        self._base, self._edges = base, dict[str, Edge]()

    def add(self, messages: Iterable[object], where: str) -> None:
        """What messages say of transforms; one that changes is not fixed.

        Raises:
            DataError: A quaternion that is no rotation.
        """
        for message in messages:
            for parent, child, place, turn in _transforms(message):
                try:
                    pose = np.array([*place, *unit(np.array(turn))])
                except ValueError as error:
                    raise DataError(
                        f"{where}: the transform from {parent} to {child} is none",
                        got=error,
                        remedy="leave the topic out with `without` in the log's monde.json",
                    ) from error
                held = self._edges.setdefault(child, Edge(parent, pose))
                held.moves = held.moves or held.parent != parent or not np.allclose(held.pose, pose, atol=_STILL)

    @property
    def base(self) -> str | None:
        """The frame that sensors are mounted on; none where there are no frames."""
        known = {*self._edges, *(edge.parent for edge in self._edges.values())}
        if self._base is not None:
            return self._base
        return next((name for name in _BASES if name in known), None)

    def mount(self, frame: str) -> Mount | None:
        """Where a frame is fixed: on the base, or on the root of its fixed frames; none where that is not known.

        Raises:
            DataError: Transforms go round in a circle.
        """
        base = self.base
        if not frame or (frame != base and not self._linked(frame)):
            return None
        root, pose = self._up(frame)
        if base is not None:
            base_root, base_pose = self._up(base)
            if base_root == root:
                return _mount(base, relative(base_pose, pose))
        return _mount(root, pose) if root != frame else None

    def _linked(self, frame: str) -> bool:
        edge = self._edges.get(frame)
        return (edge is not None and not edge.moves) or any(
            other.parent == frame and not other.moves for other in self._edges.values()
        )

    def _up(self, frame: str) -> tuple[str, Float64[np.ndarray, "7"]]:
        """The root of the fixed frames above one, and its pose there."""
        pose = _HERE
        for _ in range(MAX_TRANSFORM_DEPTH):
            edge = self._edges.get(frame)
            if edge is None or edge.moves:
                return frame, pose
            frame, pose = edge.parent, compose(edge.pose, pose)
        raise DataError(
            f"the transforms above {frame} do not end", expected=f"a root within {MAX_TRANSFORM_DEPTH} frames"
        )


def _transforms(message: object) -> Iterator[tuple[str, str, Sequence[float], Sequence[float]]]:
    for one in each(message, "transforms") if has(message, "transforms") else [message]:
        if has(one, "transform"):
            parent, child = text(one, "header", "frame_id"), text(one, "child_frame_id")
            place, turn = triple(one, "transform", "translation"), quaternion(one, "transform", "rotation")
        else:
            parent, child = text(one, "parent_frame_id"), text(one, "child_frame_id")
            place, turn = triple(one, "translation"), quaternion(one, "rotation")
        yield parent.lstrip("/"), child.lstrip("/"), place, turn


def _mount(parent: str, pose: Float64[np.ndarray, "7"]) -> Mount:
    x, y, z, *turn = (float(value) for value in pose)
    return Mount(parent=parent, translation=(x, y, z), rotation=(turn[0], turn[1], turn[2], turn[3]))
