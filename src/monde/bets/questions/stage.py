"""`Stage`: two rooms and a door arranged as one likes, in the very world that `tworoom_doors` is."""

import math
import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from monde.errors import ContractError
from monde.worlds.two_room import TwoRoom, TwoRoomConfig

CONFIG = TwoRoomConfig(door="random")
PLAIN_ACTION = "Action (ax, ay), each from -1 to 1, moves the disc by (2 ax, 2 ay) px in one step of 0.1 s"

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_DOOR = re.compile(rf"a door in it from y {_NUMBER} to {_NUMBER} px")
_AT = re.compile(rf"The disc is at x {_NUMBER} px, y {_NUMBER} px")
_GOAL = re.compile(rf"The goal is x {_NUMBER} px, y {_NUMBER} px")
_ROW = re.compile(rf"^step (\d+): x {_NUMBER} px, y {_NUMBER} px", re.MULTILINE)


class Stage(TwoRoom):
    """A batch of discs at given places, all with one door.

    Args:
        door: Height of its middle, px; NaN for a wall without a door.
        starts: [B, 2] px.
        goals: [B, 2] px, or none: goals at the starts.
    """

    def __init__(
        self, door: float, starts: Float64[np.ndarray, "B 2"], goals: Float64[np.ndarray, "B 2"] | None = None
    ) -> None:
        super().__init__(CONFIG, batch=len(starts))
        ends = starts if goals is None else goals
        self._given_door = door
        self._given = [place for pair in zip(starts, ends, strict=True) for place in pair]
        self.reset(range(len(starts)))

    def _draw_door(self, generator: np.random.Generator) -> float:
        return self._given_door

    def _draw_place(
        self, generator: np.random.Generator, blocks: Float64[np.ndarray, "2 4"], other_than_x: float | None
    ) -> Float64[np.ndarray, " 2"]:
        return self._given.pop(0)

    @property
    def places(self) -> Float64[np.ndarray, "B 2"]:
        """Where the discs are, px."""
        return self._state.copy()

    def pictures(self) -> UInt8[np.ndarray, "B 3 h w"]:
        """What the camera shows now."""
        return self._observe(self._state).values["top"]

    def play(self, controls: Float64[np.ndarray, "T B 2"]) -> Float64[np.ndarray, "T1 B 2"]:
        """Take these control steps; the places before the first and after each."""
        places = [self.places]
        for step in controls:
            self.step(step)
            places.append(self.places)
        return np.stack(places)


def draw_door(generator: np.random.Generator) -> float:
    """A door's height, as `tworoom_doors` draws it."""
    low = CONFIG.border_pixels + CONFIG.door_pixels / 2
    return float(generator.uniform(low, CONFIG.side_pixels - low))


def draw_place(generator: np.random.Generator, right: bool) -> Float64[np.ndarray, " 2"]:
    """A place in one room."""
    low = CONFIG.border_pixels + CONFIG.radius_pixels
    near = (CONFIG.side_pixels - CONFIG.wall_pixels) / 2 - CONFIG.radius_pixels
    x = float(generator.uniform(low, near))
    return np.array([CONFIG.side_pixels - x if right else x, generator.uniform(low, CONFIG.side_pixels - low)])


def held(rows: Sequence[Sequence[float]]) -> Float64[np.ndarray, "T 2"]:
    """Control steps of rows (ax, ay, steps)."""
    parts = [np.tile([[float(row[0]), float(row[1])]], (int(row[2]), 1)) for row in rows]
    return np.concatenate(parts) if parts else np.zeros((0, 2))


def tell_stage(door: float, start: Float64[np.ndarray, " 2"], goal: Float64[np.ndarray, " 2"] | None = None) -> str:
    """Walls, door, disc, how it moves, and its goal."""
    c = CONFIG
    low, high = c.border_pixels, c.side_pixels - c.border_pixels
    left, right = (c.side_pixels - c.wall_pixels) / 2, (c.side_pixels + c.wall_pixels) / 2
    top, bottom = door - c.door_pixels / 2, door + c.door_pixels / 2
    opening = "without any door" if math.isnan(door) else f"with a door in it from y {top:.4f} to {bottom:.4f} px"
    lines = [
        f"Two rooms seen from above, {c.side_pixels} px wide and high in all; x to the right, y downwards.",
        f"Outer walls: free space is x {low:g} to {high:g} px, y {low:g} to {high:g} px.",
        f"A wall from x {left:g} to {right:g} px parts the rooms, {opening}.",
        f"A disc of radius {c.radius_pixels:g} px; it collides as the square around it, and slides along walls.",
        f"{PLAIN_ACTION}; it has no inertia.",
        f"The disc is at x {start[0]:.4f} px, y {start[1]:.4f} px.",
    ]
    if goal is not None:
        lines.append(f"The goal is x {goal[0]:.4f} px, y {goal[1]:.4f} px; within {c.success_pixels:g} px is reached.")
    return "\n".join(lines)


def tell_held(rows: Sequence[Sequence[float]]) -> str:
    """Actions that are held for a while each."""
    return "Actions: " + "; ".join(f"({row[0]:.3f}, {row[1]:.3f}) for {int(row[2])} steps" for row in rows) + "."


def read_door(text: str) -> float:
    """Height of the door that `tell_stage` told, NaN for none."""
    found = _DOOR.search(text)
    return math.nan if found is None else (float(found.group(1)) + float(found.group(2))) / 2


def read_start(text: str) -> Float64[np.ndarray, " 2"]:
    """Where the disc is.

    Raises:
        ContractError: The text does not tell.
    """
    return _pair(_AT, text)


def read_goal(text: str) -> Float64[np.ndarray, " 2"]:
    """Where it is to go.

    Raises:
        ContractError: The text does not tell.
    """
    return _pair(_GOAL, text)


def tell_path(path: Float64[np.ndarray, "T 2"]) -> str:
    """Places step by step."""
    return "\n".join(f"step {step}: x {x:.4f} px, y {y:.4f} px" for step, (x, y) in enumerate(path))


def read_path(text: str) -> Float64[np.ndarray, "T 2"]:
    """The places that `tell_path` told."""
    return np.array([[float(x), float(y)] for _, x, y in _ROW.findall(text)]).reshape(-1, 2)


def walk(
    door: float, starts: Float64[np.ndarray, "B 2"], goals: Float64[np.ndarray, "B 2"], steps: int
) -> tuple[Float64[np.ndarray, "T1 B 2"], Float64[np.ndarray, "T B 2"], Bool[np.ndarray, "T1 B"]]:
    """Straight walks to goals, through the door where the goal is in the other room: places, actions, and whether each
    disc is there (within 1 px).

    First to the near side of the door, then to its far side, then to the goal; full speed along the longer axis.
    """
    stage = Stage(door, starts, goals)
    places, actions = [stage.places], []
    for _ in range(steps):
        here = stage.places
        way = _waypoint(door, here, goals) - here
        longest = np.maximum(np.abs(way).max(axis=1, keepdims=True), CONFIG.step_pixels)
        actions.append(way / longest)
        stage.step(actions[-1])
        places.append(stage.places)
    told = np.stack(places)
    return told, np.stack(actions), np.abs(told - goals).max(axis=-1) < 1.0


def _waypoint(
    door: float, here: Float64[np.ndarray, "B 2"], goals: Float64[np.ndarray, "B 2"]
) -> Float64[np.ndarray, "B 2"]:
    c = CONFIG
    middle, clear = c.side_pixels / 2, c.wall_pixels / 2 + c.radius_pixels + 1
    side = np.where(here[:, 0] < middle, -1.0, 1.0)
    wanted = np.where(goals[:, 0] < middle, -1.0, 1.0)
    in_door = np.abs(here[:, 0] - middle) < clear - 0.5
    aligned = in_door | (np.abs(here[:, 1] - door) < 0.5)
    direct = ((side == wanted) & ~in_door) | math.isnan(door)
    gate = middle + clear * np.where(aligned, wanted, side)
    return np.where(direct[:, None], goals, np.stack([gate, np.full(len(here), door)], axis=1))


def _pair(pattern: "re.Pattern[str]", text: str) -> Float64[np.ndarray, " 2"]:
    found = pattern.search(text)
    if found is None:
        raise ContractError("this text does not tell two rooms", got=text[:80], expected=pattern.pattern)
    return np.array([float(found.group(1)), float(found.group(2))])
