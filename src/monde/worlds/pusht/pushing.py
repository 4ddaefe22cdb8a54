"""The scripted policy of Push-T, which seeks contact: most of what a random agent does leaves the block where it is."""

import math

import numpy as np
from jaxtyping import Float, Float64

from monde.protocols import Observation
from monde.types import ActionSpec
from monde.worlds.pusht.config import TABLE_PIXELS
from monde.worlds.pusht.table import AGENT_RADIUS, BOXES, CENTRE

Point = tuple[float, float]

_SIDES: tuple[tuple[Point, Point, Point], ...] = (
    ((-60, 0), (60, 0), (0, -1)),
    ((60, 0), (60, 30), (1, 0)),
    ((60, 30), (15, 30), (0, 1)),
    ((15, 30), (15, 120), (1, 0)),
    ((15, 120), (-15, 120), (0, 1)),
    ((-15, 120), (-15, 30), (-1, 0)),
    ((-15, 30), (-60, 30), (0, 1)),
    ((-60, 30), (-60, 0), (-1, 0)),
)
"""The sides of the block: both ends, and the direction that points away from it, in the block's own coordinates."""

_LENGTHS = np.array([math.dist(a, b) for a, b, _ in _SIDES])
_CLEAR = 14.0
"""px between the agent and the side where a push begins."""
_ROUND = 105.0
"""Radius, px about the block's centre, of the way round it."""
_MARGIN = 90.0
"""Pushes are chosen that leave the block's centre so far from the table's edge, where one is found."""
_WANDER = 0.15
"""Share of the undertakings that are random moves, held."""
_NOISE = 0.12
"""Spread of the noise on all actions."""
_PATIENCE = 25
"""Steps after which an approach is given up."""


class Pusher:
    """Acts on one table.

    It chooses a point of a side of the T, uniform over its outline, goes round the T to before that point, pushes
    through it (5 to 15 steps, a slant of about 20°, a pace of its own), draws back, and begins anew. In 15 of 100
    undertakings it holds a random action for 4 to 12 steps instead. All actions carry noise.

    Args:
        generator: All its randomness.
        reach: px that an action of 1 sets the target ahead.
    """

    def __init__(self, generator: np.random.Generator, reach: float) -> None:
        self._random, self._reach = generator, reach
        self._phase, self._left = "done", 0
        self._at: Point = (0.0, 0.0)
        self._push: Point = (0.0, 0.0)
        self._pace, self._length = 1.0, 0

    def act(self, agent: Point, block: Point, cos: float, sin: float) -> Point:
        """The next action, given where the agent and the block are."""
        if self._left <= 0:
            self._next(block, cos, sin)
        self._left -= 1
        if self._phase == "push" and self._at_edge(_seen(CENTRE, block, cos, sin)):
            self._left = 0
        if self._phase == "approach":
            x, y = self._approach(agent, block, cos, sin)
        else:
            x, y = self._push
        noise = self._random.normal(0, _NOISE, size=2).tolist()
        return min(max(x + noise[0], -1.0), 1.0), min(max(y + noise[1], -1.0), 1.0)

    def _next(self, block: Point, cos: float, sin: float) -> None:
        random = self._random
        if self._phase == "approach":
            # It was given up; what would have been pushed is pushed all the same.
            self._begin_push(cos, sin)
        elif self._phase == "push":
            self._phase, self._left = "back", int(random.integers(1, 4))
            self._push = (-self._push[0], -self._push[1])
        elif random.uniform() < _WANDER:
            self._phase, self._left = "wander", int(random.integers(4, 13))
            x, y = random.uniform(-1, 1, size=2).tolist()
            self._push = (x, y)
        else:
            self._phase, self._left = "approach", _PATIENCE
            self._choose(block, cos, sin)

    def _choose(self, block: Point, cos: float, sin: float) -> None:
        random = self._random
        self._pace, self._length = random.uniform(0.25, 0.8), int(random.integers(5, 16))
        for _ in range(8):
            a, b, out = _SIDES[int(random.choice(len(_SIDES), p=_LENGTHS / _LENGTHS.sum()))]
            share, slant = random.uniform(), random.normal(0, 0.35)
            self._at = (
                a[0] + share * (b[0] - a[0]) + out[0] * (AGENT_RADIUS + _CLEAR),
                a[1] + share * (b[1] - a[1]) + out[1] * (AGENT_RADIUS + _CLEAR),
            )
            c, s = math.cos(slant), math.sin(slant)
            self._push = (-(c * out[0] - s * out[1]), -(s * out[0] + c * out[1]))
            way = _turned(self._push, cos, sin)
            centre = _seen(CENTRE, block, cos, sin)
            if all(_MARGIN < c + 60 * w < TABLE_PIXELS - _MARGIN for c, w in zip(centre, way, strict=True)):
                return

    def _approach(self, agent: Point, block: Point, cos: float, sin: float) -> Point:
        goal = _seen(self._at, block, cos, sin)
        if math.dist(agent, goal) < 0.25 * self._reach:
            self._begin_push(cos, sin)
            return self._push
        centre = _seen(CENTRE, block, cos, sin)
        here, there = (math.atan2(p[1] - centre[1], p[0] - centre[0]) for p in (agent, goal))
        turn = math.remainder(there - here, 2 * math.pi)
        if abs(turn) > 0.6:
            angle = here + math.copysign(0.5, turn)
            goal = (centre[0] + _ROUND * math.cos(angle), centre[1] + _ROUND * math.sin(angle))
        x, y = (goal[0] - agent[0]) / self._reach, (goal[1] - agent[1]) / self._reach
        longest = max(1.0, math.hypot(x, y))
        return x / longest, y / longest

    def _at_edge(self, centre: Point) -> bool:
        """Whether the block is pushed on towards an edge that it has come near to: a wall would squeeze it."""
        low, high = _MARGIN - 15, TABLE_PIXELS - _MARGIN + 15
        return any((c < low and way < 0) or (c > high and way > 0) for c, way in zip(centre, self._push, strict=True))

    def _begin_push(self, cos: float, sin: float) -> None:
        x, y = _turned(self._push, cos, sin)
        self._phase, self._left = "push", self._length
        self._push = (self._pace * x, self._pace * y)


class Pushers:
    """A `Pusher` for each row of a batch. Each draws from a generator of its own, seeded when its episode starts.

    Args:
        reach: px that an action of 1 sets the target ahead.
    """

    def __init__(self, reach: float) -> None:
        self._reach = reach
        self._rows: list[Pusher] = []

    def __call__(
        self, observation: Observation, actions: ActionSpec, generator: np.random.Generator
    ) -> Float[np.ndarray, "B 2"]:
        """Control steps [B, 2] from the sensor `state`."""
        B = observation.batch
        seeds = generator.integers(2**62, size=B).tolist()
        if len(self._rows) != B:
            self._rows = [self._fresh(seed) for seed in seeds]
        for row in np.flatnonzero(observation.times_seconds == 0).tolist():
            self._rows[row] = self._fresh(seeds[row])
        state: Float64[np.ndarray, "B 6"] = observation.values["state"].astype(np.float64)
        acted = [
            pusher.act((ax, ay), (x, y), cos, sin)
            for pusher, (ax, ay, x, y, cos, sin) in zip(self._rows, state.tolist(), strict=True)
        ]
        return np.array(acted, dtype=np.float32)

    def _fresh(self, seed: int) -> Pusher:
        return Pusher(np.random.default_rng(seed), self._reach)


def _turned(way: Point, cos: float, sin: float) -> Point:
    return cos * way[0] - sin * way[1], sin * way[0] + cos * way[1]


def _seen(own: Point, block: Point, cos: float, sin: float) -> Point:
    """Where a point of the block's own coordinates lies on the table."""
    x, y = _turned(own, cos, sin)
    return block[0] + x, block[1] + y


def inside(agent: Point, block: Point, cos: float, sin: float) -> bool:
    """Whether the agent's disc overlaps the block."""
    x, y = _turned((agent[0] - block[0], agent[1] - block[1]), cos, -sin)
    return any(
        math.hypot(max(x0 - x, x - x1, 0.0), max(y0 - y, y - y1, 0.0)) < AGENT_RADIUS for x0, y0, x1, y1 in BOXES
    )
