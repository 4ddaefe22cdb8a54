"""Push-T: a disc pushes a T-shaped block until both lie as in a picture.

After the Push-T of Diffusion Policy (arXiv 2303.04137), with the physics of gym-pusht 0.1.8, and the task of DINO-WM
(arXiv 2411.04983, section 4 and `env/pusht/pusht_wrapper.py`) that LeWM (arXiv 2603.19312) uses too.

**Goals.** A trajectory of the scripted policy (`pushing.Pusher`) is made on a table with everything drawn as gym-pusht
draws it. The start is its state at some control step, the agent's velocity included; the goal is its state
`goal_steps` *control* steps later: 25 of them are 5 blocks at DINO-WM's frame skip of 5. Steps where the block would
not be displaced between the two by 20 px or 20° (so that an untouched block never satisfies the success test), or where
the start satisfies it, or the block is squeezed into a wall (the agent is driven, and stronger than walls), are not
used; of the others one is drawn.

**Success** is DINO-WM's: the distance of (agent x, agent y, block x, block y) to the goal's is below 20 px, of 512, as
one distance of four numbers, and the block's angle is off by less than π / 9.
"""

import math

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from monde.errors import WorldError
from monde.protocols import Policy
from monde.types import ActionSpec
from monde.worlds.drawing import blank, paint_boxes, paint_discs
from monde.worlds.pusht.config import TABLE_PIXELS, PushTConfig
from monde.worlds.pusht.pushing import Pusher, Pushers, inside
from monde.worlds.pusht.table import AGENT_RADIUS, BOXES, SUBSTEPS, Table
from monde.worlds.shapes import paint_bodies
from monde.worlds.simulated import GOAL_DRAWS, PicturedWorld

_WALL_PIXELS = 7.0
"""How far gym-pusht's walls reach into the table."""

_BOXES = np.array(BOXES)

_STARTS = 75
"""Control steps of a trajectory at which an episode may start."""


class PushT(PicturedWorld):
    """A table with an agent and a block, the goal `goal_steps` ahead on a trajectory of the scripted policy.

    Sensors: `top` RGB [3, side, side]; `state` [agent x, y, block x, y in px of the table; cos, sin of the block's
    angle]. Actions: where the agent's target is set, relative to the agent, in `reach_pixels`; targets stay on the
    table. What the goal looks like is not drawn into the picture. Distances are those of success, without the angle.
    """

    def __init__(self, config: PushTConfig | None = None, *, batch: int, name: str = "pusht") -> None:
        self.config = config or PushTConfig()
        super().__init__(
            name=name,
            batch=batch,
            side_pixels=self.config.side_pixels,
            actions=ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), dt_seconds=0.01 * SUBSTEPS, names=("x", "y")),
            state_names=("agent_x", "agent_y", "block_x", "block_y", "block_cos", "block_sin"),
            state_unit="px, px, px, px, 1, 1",
        )
        self._tables = [Table() for _ in range(batch)]
        look, side = self.config.look, self.config.side_pixels
        edges = np.array([[_WALL_PIXELS] * 2, [TABLE_PIXELS - _WALL_PIXELS] * 2]) * side / TABLE_PIXELS
        box = np.clip(look.place(edges, side), 0, side).reshape(1, 1, 4)
        self._table = paint_boxes(blank(1, side, look.wall), box, look.floor)

    def scripted(self) -> Policy:
        """A policy that pushes the block from one side after another; see `pushing.Pusher`."""
        return Pushers(self.config.reach_pixels)

    def _begin(
        self, row: int, generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, " 7"], Float64[np.ndarray, " 7"]]:
        table, ahead = self._tables[row], self.config.goal_steps
        for _ in range(GOAL_DRAWS):
            states = self._trajectory(table, generator, _STARTS + ahead)
            starts, goals = states[:-ahead], states[ahead:]
            open_ = self._displaced(starts, goals) & ~self._reached(starts, goals)
            fit = np.flatnonzero(open_ & on_table(starts) & on_table(goals))
            if len(fit):
                chosen = int(generator.choice(fit))
                table.place(starts[chosen])
                return starts[chosen], goals[chosen]
        raise WorldError(f"{self.name} finds no goal that displaces the block", got=self.config)

    def _trajectory(self, table: Table, generator: np.random.Generator, steps: int) -> Float64[np.ndarray, "T 7"]:
        table.place(_draw_state(generator))
        pusher = Pusher(generator, self.config.reach_pixels)
        states = [table.state()]
        for _ in range(steps):
            ax, ay, x, y, angle = states[-1][:5].tolist()
            control = pusher.act((ax, ay), (x, y), math.cos(angle), math.sin(angle))
            self._drive(table, ax, ay, *control)
            states.append(table.state())
        return np.stack(states)

    def _drive(self, table: Table, agent_x: float, agent_y: float, x: float, y: float) -> None:
        reach = self.config.reach_pixels
        table.drive(agent_x + reach * x, agent_y + reach * y)

    def _advance(self, row: int, control: Float64[np.ndarray, " 2"]) -> Float64[np.ndarray, " 7"]:
        agent = self._state[row]
        self._drive(self._tables[row], float(agent[0]), float(agent[1]), float(control[0]), float(control[1]))
        return self._tables[row].state()

    def _told(self, states: Float64[np.ndarray, "B 7"]) -> Float32[np.ndarray, "B 6"]:
        return np.concatenate([states[:, :4], turns(states)], axis=1).astype(np.float32)

    def _reached(self, states: Float64[np.ndarray, "B 7"], goals: Float64[np.ndarray, "B 7"]) -> Bool[np.ndarray, " B"]:
        near = self._apart(states, goals) < self.config.success_pixels
        return near & (_turned_by(states, goals) < self.config.success_radians)

    def _apart(
        self, states: Float64[np.ndarray, "B 7"], goals: Float64[np.ndarray, "B 7"]
    ) -> Float64[np.ndarray, " B"]:
        return np.sqrt(((states[:, :4] - goals[:, :4]) ** 2).sum(axis=1))

    def _displaced(
        self, states: Float64[np.ndarray, "B 7"], goals: Float64[np.ndarray, "B 7"]
    ) -> Bool[np.ndarray, " B"]:
        moved = np.sqrt(((states[:, 2:4] - goals[:, 2:4]) ** 2).sum(axis=1))
        return (moved >= self.config.moved_pixels) | (_turned_by(states, goals) >= self.config.moved_radians)

    def _paint(self, states: Float64[np.ndarray, "B 7"]) -> UInt8[np.ndarray, "B 3 h w"]:
        c, side = self.config, self.config.side_pixels
        look, pixel = c.look, side / TABLE_PIXELS
        scale = pixel * look.zoom
        block, agent = look.place(pixel * states[:, 2:4], side), look.place(pixel * states[:, :2], side)
        frames = paint_bodies(np.repeat(self._table, len(states), 0), block, turns(states), scale * _BOXES, c.block)
        return look.light(paint_discs(frames, agent, scale * look.agent_scale * AGENT_RADIUS, look.agent))


def turns(states: Float64[np.ndarray, "B 7"]) -> Float64[np.ndarray, "B 2"]:
    """(cos, sin) of the block's angle."""
    # The mathematics library's, not NumPy's vectorised: equal for equal angles wherever they stand in the batch.
    return np.array([[math.cos(angle), math.sin(angle)] for angle in states[:, 4].tolist()])


def on_table(states: Float64[np.ndarray, "B 7"]) -> Bool[np.ndarray, " B"]:
    """Whether no corner of the block lies beyond the walls' outer edges."""
    corners = np.array([[x, y] for x0, y0, x1, y1 in BOXES for x in (x0, x1) for y in (y0, y1)])
    cos, sin = turns(states)[:, :1], turns(states)[:, 1:]
    x = states[:, 2:3] + cos * corners[:, 0] - sin * corners[:, 1]
    y = states[:, 3:4] + sin * corners[:, 0] + cos * corners[:, 1]
    return ((x >= 0) & (x <= TABLE_PIXELS) & (y >= 0) & (y <= TABLE_PIXELS)).all(axis=1)


def _turned_by(states: Float64[np.ndarray, "B 7"], goals: Float64[np.ndarray, "B 7"]) -> Float64[np.ndarray, " B"]:
    """rad between the angles of blocks, at most π."""
    return np.abs(np.mod(states[:, 4] - goals[:, 4] + np.pi, 2 * np.pi) - np.pi)


def _draw_state(generator: np.random.Generator) -> Float64[np.ndarray, " 7"]:
    """As gym-pusht's `reset` draws them, but never the agent upon the block."""
    while True:
        agent, block = generator.uniform(50, 450, size=2), generator.uniform(100, 400, size=2)
        angle = generator.uniform(-np.pi, np.pi)
        where, lies = (float(agent[0]), float(agent[1])), (float(block[0]), float(block[1]))
        if not inside(where, lies, math.cos(angle), math.sin(angle)):
            return np.array([*agent, *block, angle, 0.0, 0.0])
