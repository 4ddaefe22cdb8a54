"""A maze whose ways are known: the world, random walks in it, and a model that knows its walls exactly.

########
#......#
######.#
#......#
#.######
#......#
########   (8 px a cell; one way leads from the top left to the bottom right, through every cell)
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from analytic import AnalyticModel
from monde.training.frame_latents import FrameLatents
from monde.types import Belief, Clip, Rollout, Stream
from monde.worlds.drawing import WALL, blank, paint_boxes
from monde.worlds.planar import PlanarWorld
from monde.worlds.two_room import slide

CELL, SIDE, RADIUS, STEP, BLOCK = 8.0, 64, 2.0, 2.0, 2
ROWS = ("########", "#......#", "######.#", "#......#", "#.######", "#......#", "########", "########")
START, GOAL = (12.0, 12.0), (52.0, 44.0)
FREE = [(x, y) for y, row in enumerate(ROWS) for x, cell in enumerate(row) if cell == "."]


def boxes(rows: Sequence[str] = ROWS) -> np.ndarray:
    """Walls [K, 4] as (x0, y0, x1, y1), joined along rows: the disc must not slip between two cells of one wall."""
    walls = np.array(
        [
            [x * CELL, y * CELL, (x + 1) * CELL, (y + 1) * CELL]
            for y, r in enumerate(rows)
            for x in range(8)
            if r[x] == "#"
        ]
    )
    return np.concatenate([walls + np.array([-0.5, 0, 0.5, 0]), walls + np.array([0, -0.5, 0, 0.5])])


def move(place: np.ndarray, controls: np.ndarray, rows: Sequence[str] = ROWS) -> np.ndarray:
    """Places [B, 2] after one control step each."""
    grown = boxes(rows) + RADIUS * np.array([-1, -1, 1, 1])
    walls = np.broadcast_to(grown, (len(place), *grown.shape))
    return slide(place, STEP * controls, walls, (0.0, float(SIDE)), 4)


class Maze(PlanarWorld):
    """From one end of the maze to the other; the seed moves both by a little."""

    def __init__(self, batch: int, rows: Sequence[str] = ROWS) -> None:
        super().__init__(
            name="maze",
            batch=batch,
            side_pixels=SIDE,
            radius_pixels=RADIUS,
            success_pixels=2.5,
            state_names=("x", "y"),
            state_unit="px",
            dt_seconds=0.1,
        )
        self._rows = rows

    def _begin(self, generators: Sequence[np.random.Generator]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        shift = np.array([generator.uniform(-1, 1, 2) for generator in generators])
        walls = np.broadcast_to(boxes(self._rows), (self.batch, len(boxes(self._rows)), 4))
        picture = paint_boxes(blank(self.batch, SIDE), np.clip(walls, 0, SIDE), WALL)
        return np.array(START) + shift, np.array(GOAL) + shift, picture

    def _advance(self, state: np.ndarray, controls: np.ndarray) -> np.ndarray:
        return move(state, controls, self._rows)


class MazeModel(AnalyticModel):
    """Latent [x, y] in px; imagines with the walls of the maze."""

    def __init__(self) -> None:
        super().__init__(block=BLOCK, step=STEP)

    def imagine(self, belief: Belief, actions: Tensor, hypotheses: int = 1, beliefs: bool = False) -> Rollout:
        B, S = actions.shape[:2]
        place = belief.newest[:, 0].repeat_interleave(S, 0).double().numpy()
        found = []
        for block in actions.flatten(0, 1).unbind(1):
            for control in block.reshape(B * S, BLOCK, 2).unbind(1):
                place = move(place, control.double().numpy())
            found.append(torch.from_numpy(place).float())
        latents = torch.stack(found, 1).reshape(B, S, 1, -1, 1, 2)
        if not beliefs:
            return Rollout(latents)
        after = belief.map(lambda tensor: tensor.repeat_interleave(S, 0))
        return Rollout(latents, replace(after, latents=latents.flatten(0, 2)[:, -1:]))


def walks(episodes: int = 60, steps: int = 120, seed: int = 0, rows: Sequence[str] = ROWS) -> FrameLatents:
    """Random walks from anywhere in the maze, as the latents of a recording."""
    generator = np.random.default_rng(seed)
    free = [(x, y) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell == "."]
    start = np.array([free[i] for i in generator.integers(len(free), size=episodes)])
    place = (start + 0.5) * CELL
    places, controls = [place], []
    for step in range(steps):
        if step % 8 == 0:
            way = generator.uniform(-1, 1, size=(episodes, 2))
        control = np.clip(way + generator.normal(0, 0.3, size=way.shape), -1, 1)
        place = move(place, control, rows)
        places.append(place)
        controls.append(control)
    latents = torch.from_numpy(np.stack(places, 1)).float().reshape(-1, 1, 2)
    acted = torch.from_numpy(np.stack([*controls, 0 * controls[0]], 1)).float().reshape(-1, 2)
    first = torch.arange(episodes).repeat_interleave(steps + 1) * (steps + 1)
    return FrameLatents(latents=latents, controls=acted, first=first, last=first + steps, block=BLOCK)


def through_walls(one: Tensor, other: Tensor) -> Tensor:
    """Blocks in a straight line, as if there were no walls: short times are right, long ones are not."""
    return (one - other).flatten(-2).abs().amax(-1) / (STEP * BLOCK)


def belief_at(places: Sequence[Sequence[float]]) -> Belief:
    """A belief at some places [B, 2]."""
    values = torch.as_tensor(places, dtype=torch.float32)[:, None]
    return MazeModel().begin(Clip({"state": Stream.regular(values, 2.0)}))
