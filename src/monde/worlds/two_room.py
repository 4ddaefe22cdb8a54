"""TwoRoom: a disc in two rooms joined by a door, the navigation world of the JEPA planning literature.

After "Two-Rooms" of PLDM (Sobal et al., "Learning from Reward-Free Offline Data: A Case for Planning with Latent
Dynamics Models", 2025), used by LeWM (arXiv 2603.19312) too. Written anew: the sizes are those of the config below.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8

from monde.errors import ContractError, unknown_name
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.protocols import Observation, Policy
from monde.types import ActionSpec
from monde.worlds.drawing import Look, blank, paint_boxes
from monde.worlds.planar import PlanarWorld

Door = Literal["fixed", "random", "none"]
GoalRoom = Literal["any", "other"]

_SUBSTEP_PIXELS = 0.5
"""Length of the straight pieces that a control step is made in, one axis after the other within each."""


@dataclass(frozen=True, kw_only=True)
class TwoRoomConfig:
    """Sizes and rules of `TwoRoom`.

    Args:
        side_pixels: Side of the square.
        border_pixels: Thickness of the walls around it.
        wall_pixels: Thickness of the wall between the rooms, centred at side / 2.
        door_pixels: Opening of the door.
        door: At the middle of the wall, at a height drawn per episode, or nowhere.
        doorless: Probability that an episode's layout has no door.
        goal_room: Goals anywhere in free space, or in the other room than the start.
        radius_pixels: Radius of the disc.
        step_pixels: Displacement along an axis by an action of 1.
        dt_seconds: Duration of one control step.
        success_pixels: Straight-line distance to the goal that counts as reached.

    Raises:
        ContractError: An unknown choice, a probability outside 0 to 1, or sizes that leave the disc no room.
    """

    side_pixels: int = 64
    border_pixels: float = 3.0
    wall_pixels: float = 4.0
    door_pixels: float = 12.0
    door: Door = "fixed"
    doorless: float = 0.0
    goal_room: GoalRoom = "any"
    radius_pixels: float = 2.5
    step_pixels: float = 2.0
    dt_seconds: float = 0.1
    success_pixels: float = 4.0

    def __post_init__(self) -> None:
        for kind, value, known in (("door", self.door, Door), ("goal_room", self.goal_room, GoalRoom)):
            if value not in get_args(known):
                raise unknown_name(f"TwoRoomConfig.{kind}", value, list(get_args(known)), ContractError)
        if not 0 <= self.doorless <= 1:
            raise ContractError("TwoRoomConfig.doorless is a probability", got=self.doorless, expected="0 to 1")
        if self.side_pixels > MAX_FRAME_SIDE_PIXELS:
            raise ContractError("TwoRoom is too large", got=self.side_pixels, expected=f"≤ {MAX_FRAME_SIDE_PIXELS}")
        if min(self.radius_pixels, self.step_pixels, self.dt_seconds, self.success_pixels, self.wall_pixels) <= 0:
            raise ContractError("TwoRoomConfig sizes must be positive", got=self)
        room = (self.side_pixels - self.wall_pixels) / 2 - self.border_pixels
        if not (room > 2 * self.radius_pixels and self.border_pixels >= 0):
            raise ContractError("TwoRoom's rooms do not hold the disc", got=f"{room} px wide", expected="> 2 radii")
        if not 2 * self.radius_pixels < self.door_pixels <= self.side_pixels - 2 * self.border_pixels:
            raise ContractError("TwoRoom's door does not fit the disc or the wall", got=f"{self.door_pixels} px")


class TwoRoom(PlanarWorld):
    """Two rooms, a wall with a door between them, and a disc that is moved by `step_pixels` × action.

    The disc collides as the square around it. A step is swept: the disc slides along walls and cannot get past one,
    however long the step. Start and goal are uniform over free space; in a doorless layout a goal in the other room
    cannot be reached (see `reachable`). Sensors: `top` RGB [3, side, side], `state` [x, y] in px.
    """

    def __init__(
        self, config: TwoRoomConfig | None = None, *, batch: int, name: str = "tworoom", look: Look | None = None
    ) -> None:
        self.config = config or TwoRoomConfig()
        c = self.config
        super().__init__(
            name=name,
            batch=batch,
            side_pixels=c.side_pixels,
            radius_pixels=c.radius_pixels,
            success_pixels=c.success_pixels,
            state_names=("x", "y"),
            state_unit="px",
            dt_seconds=c.dt_seconds,
            look=look,
        )
        self._bounds = (c.border_pixels + c.radius_pixels, c.side_pixels - c.border_pixels - c.radius_pixels)
        self._door = np.full(batch, np.nan)
        self._blocks = np.zeros((batch, 2, 4))

    @property
    def door(self) -> Float64[np.ndarray, " B"]:
        """Height (y, px) of the middle of each row's door; NaN where the layout has none."""
        return self._door.copy()

    def reachable(self) -> Bool[np.ndarray, " B"]:
        """Whether a way leads from where each disc is now to its goal."""
        middle = self.config.side_pixels / 2
        return ~np.isnan(self._door) | ((self._state[:, 0] < middle) == (self._goal[:, 0] < middle))

    def scripted(self) -> Policy:
        """A policy that knows the layout: walks to one random place after another, through the door where needed."""
        return _Wanderer(self)

    def _begin(
        self, generators: Sequence[np.random.Generator]
    ) -> tuple[Float64[np.ndarray, "B 2"], Float64[np.ndarray, "B 2"], UInt8[np.ndarray, "B 3 h w"]]:
        self._door = np.array([self._draw_door(generator) for generator in generators])
        walls = self._walls()
        grow = self.config.radius_pixels * np.array([-1.0, -1.0, 1.0, 1.0])
        self._blocks = walls + grow
        start, goal = np.empty((self.batch, 2)), np.empty((self.batch, 2))
        for row, generator in enumerate(generators):
            start[row] = self._draw_place(generator, self._blocks[row], None)
            other = start[row, 0] if self.config.goal_room == "other" else None
            goal[row] = self._draw_place(generator, self._blocks[row], other)
        c = self.config
        side, edge = float(c.side_pixels), c.border_pixels
        frame = [[0, 0, side, edge], [0, side - edge, side, side], [0, edge, edge, side - edge]]
        border = np.array([*frame, [side - edge, edge, side, side - edge]])
        inside = np.clip(walls, edge, side - edge)
        boxes = np.concatenate([np.broadcast_to(border, (self.batch, 4, 4)), inside], axis=1)
        return start, goal, paint_boxes(blank(self.batch, c.side_pixels, self.look.floor), boxes, self.look.wall)

    def _advance(
        self, state: Float64[np.ndarray, "B 2"], controls: Float64[np.ndarray, "B 2"]
    ) -> Float64[np.ndarray, "B 2"]:
        pieces = math.ceil(self.config.step_pixels / _SUBSTEP_PIXELS)
        return slide(state, controls * self.config.step_pixels, self._blocks, self._bounds, pieces)

    def _draw_door(self, generator: np.random.Generator) -> float:
        c = self.config
        # Both are always drawn, so that start and goal of a seed are the same whatever the door.
        height, absent = generator.uniform(), generator.uniform() < c.doorless
        if c.door == "none" or absent:
            return math.nan
        if c.door == "fixed":
            return c.side_pixels / 2
        low = c.border_pixels + c.door_pixels / 2
        return low + height * (c.side_pixels - 2 * low)

    def _walls(self) -> Float64[np.ndarray, "B 2 4"]:
        """The wall between the rooms, above and below the door, as boxes (x0, y0, x1, y1)."""
        c = self.config
        closed = np.isnan(self._door)
        # Without a door the upper part is the whole wall, and the lower part empty.
        top = np.where(closed, c.side_pixels, self._door - c.door_pixels / 2)
        bottom = np.where(closed, c.side_pixels, self._door + c.door_pixels / 2)
        walls = np.empty((self.batch, 2, 4))
        walls[..., 0] = (c.side_pixels - c.wall_pixels) / 2
        walls[..., 2] = (c.side_pixels + c.wall_pixels) / 2
        # Beyond the border on both sides: no gap is left at the ends, whatever the radius.
        walls[:, 0, 1], walls[:, 0, 3] = -c.side_pixels, top
        walls[:, 1, 1], walls[:, 1, 3] = bottom, 2 * c.side_pixels
        return walls

    def _draw_place(
        self, generator: np.random.Generator, blocks: Float64[np.ndarray, "2 4"], other_than_x: float | None
    ) -> Float64[np.ndarray, " 2"]:
        middle = self.config.side_pixels / 2
        while True:  # free space is more than half of the square: a few draws suffice
            place = generator.uniform(*self._bounds, size=2)
            inside = ((blocks[:, :2] < place) & (place < blocks[:, 2:])).all(axis=1).any()
            same_room = other_than_x is not None and (place[0] < middle) == (other_than_x < middle)
            if not inside and not same_room:
                return place


def slide(
    position: Float64[np.ndarray, "B 2"],
    displacement: Float64[np.ndarray, "B 2"],
    blocks: Float64[np.ndarray, "B K 4"],
    bounds: tuple[float, float],
    pieces: int,
) -> Float64[np.ndarray, "B 2"]:
    """Where points [B, 2] end that move by `displacement`, sliding along boxes (x0, y0, x1, y1) that they cannot enter.

    The way is made in `pieces` pieces, x before y within each; every leg is cut exactly at the first face it meets, by
    comparisons alone, so that no rounding lets a point through. Points stay within `bounds` on both axes.
    """
    place = position
    leg = displacement / pieces
    for _ in range(pieces):
        for axis in (0, 1):
            along, across = place[:, axis], place[:, 1 - axis, None]
            facing = (blocks[:, :, 1 - axis] < across) & (across < blocks[:, :, 3 - axis])
            near, far = blocks[:, :, axis], blocks[:, :, 2 + axis]
            ahead = np.where(facing & (along[:, None] <= near), near, bounds[1]).min(axis=1)
            behind = np.where(facing & (along[:, None] >= far), far, bounds[0]).max(axis=1)
            moved = np.minimum(np.maximum(along + leg[:, axis], behind), ahead)
            moved = np.clip(moved, *bounds)
            place = np.stack([moved, place[:, 1]] if axis == 0 else [place[:, 0], moved], axis=1)
    return place


class _Wanderer:
    """The scripted policy of TwoRoom: a target per row, drawn anew on arrival and at the start of an episode.

    Every second target, at random, is walked to as if there were no wall, and given up after a while: a recording that
    only shows ways that lead somewhere does not tell what walls do.
    """

    _ARRIVED_PIXELS = 1.5
    _STRAIGHT = 0.5
    _PATIENCE_STEPS = 30
    _NOISE = 0.25
    """Spread of the noise on its actions: without it every visit of a place would look alike."""

    def __init__(self, world: TwoRoom) -> None:
        self._world = world
        self._target = np.full((world.batch, 2), np.nan)
        self._straight = np.zeros(world.batch, dtype=bool)
        self._walked = np.zeros(world.batch, dtype=np.int64)

    def __call__(
        self, observation: Observation, actions: ActionSpec, generator: np.random.Generator
    ) -> Float[np.ndarray, "B 2"]:
        c = self._world.config
        place = observation.values["state"].astype(np.float64)
        fresh = self._draw_targets(place, generator)
        with np.errstate(invalid="ignore"):
            arrived = (np.abs(place - self._target) < self._ARRIVED_PIXELS).all(axis=1)
        start = (observation.times_seconds == 0) | np.isnan(self._target[:, 0])
        new = start | arrived | (self._straight & (self._walked >= self._PATIENCE_STEPS))
        self._target = np.where(new[:, None], fresh, self._target)
        self._straight = np.where(new, generator.uniform(size=len(place)) < self._STRAIGHT, self._straight)
        self._walked = np.where(new, 1, self._walked + 1)
        way = np.where(self._straight[:, None], self._target, self._waypoint(place)) - place
        noise = generator.normal(0, self._NOISE, size=way.shape)
        longest = np.maximum(np.abs(way).max(axis=1, keepdims=True), c.step_pixels)
        return np.clip(way / longest + noise, actions.low, actions.high).astype(np.float32)

    def _draw_targets(
        self, place: Float64[np.ndarray, "B 2"], generator: np.random.Generator
    ) -> Float64[np.ndarray, "B 2"]:
        """Uniform over both rooms, over the disc's own where there is no door."""
        c = self._world.config
        low = c.border_pixels + c.radius_pixels
        width = (c.side_pixels - c.wall_pixels) / 2 - c.border_pixels - 2 * c.radius_pixels
        right = generator.uniform(size=len(place)) < 0.5
        right = np.where(np.isnan(self._world.door), place[:, 0] > c.side_pixels / 2, right)
        x = low + generator.uniform(0, width, size=len(place))
        y = generator.uniform(low, c.side_pixels - low, size=len(place))
        return np.stack([np.where(right, c.side_pixels - x, x), y], axis=1)

    def _waypoint(self, place: Float64[np.ndarray, "B 2"]) -> Float64[np.ndarray, "B 2"]:
        """The target, or the way through the door: its near side first, then, once before it, its far side."""
        c = self._world.config
        middle = c.side_pixels / 2
        clear = c.wall_pixels / 2 + c.radius_pixels + 1
        side = np.where(place[:, 0] < middle, -1.0, 1.0)
        wanted = np.where(self._target[:, 0] < middle, -1.0, 1.0)
        door = np.where(np.isnan(self._world.door), place[:, 1], self._world.door)
        in_door = np.abs(place[:, 0] - middle) < clear - 1
        aligned = in_door | (np.abs(place[:, 1] - door) < (c.door_pixels / 2 - c.radius_pixels) / 2)
        direct = (side == wanted) & ~in_door
        gate = middle + clear * np.where(aligned, wanted, side)
        return np.where(direct[:, None], self._target, np.stack([gate, door], axis=1))
