"""The scripted policies that mazes are recorded with."""

import numpy as np
from jaxtyping import Float64

from monde.protocols import Observation
from monde.types import ActionSpec
from monde.worlds.mazes.catalogue import MazeKind
from monde.worlds.mazes.layout import Layout
from monde.worlds.mazes.ways import Corridors


class Navigator:
    """Goes to one random place after another, as OGBench's "navigate" data do (Park et al., 2025, arXiv 2410.20092).

    A place is drawn uniformly over free space on arrival and at the start of an episode, and approached from cell to
    cell on a shortest way, off the middle of the corridor by an amount drawn with the place, with noise on the actions.
    Unlike OGBench's, not every walk knows the way: a quarter go straight for their place as if there were no walls,
    another quarter hold one random action after another. Both are given up after a while. A recording that only shows
    ways that lead somewhere does not tell what walls do.

    The ball of the U maze is pushed, not placed: its action is proportional to the velocity that is lacking.

    Args:
        layout: The walls.
        kind: The maze.
    """

    _NOISE = 0.25
    """Spread of the noise on actions: without it every visit of a place would look alike."""
    _SHARES = (0.5, 0.75)
    """Below the first: along the way; below the second: straight on; above: at random."""
    _PATIENCE_STEPS = 40
    _HOLD_STEPS = 8
    _OFF_MIDDLE = 0.8
    """Of the room that the body has beside the middle of a corridor."""

    def __init__(self, layout: Layout, kind: MazeKind) -> None:
        self._layout, self._kind = layout, kind
        self._corridors = Corridors(layout)
        self._target = self._aside = self._held = np.full((0, 2), np.nan)
        self._share: Float64[np.ndarray, " B"] = np.zeros(0)
        self._walked = np.zeros(0, dtype=np.int64)

    def __call__(
        self, observation: Observation, actions: ActionSpec, generator: np.random.Generator
    ) -> Float64[np.ndarray, "B 2"]:
        """Control steps [B, 2]."""
        state = observation.values["state"].astype(np.float64)
        self._choose(state[:, :2], observation.times_seconds == 0, generator)
        way = self._waypoint(state[:, :2]) - state[:, :2]
        push = self._push(way, state)
        random = (self._share >= self._SHARES[1])[:, None]
        noise = generator.normal(0, self._NOISE, size=push.shape)
        return np.clip(np.where(random, self._held, push + noise), actions.low, actions.high)

    def _choose(self, places: Float64[np.ndarray, "B 2"], begun: np.ndarray, generator: np.random.Generator) -> None:
        B = len(places)
        room = self._layout.cell / 2 - self._kind.radius
        # All rows draw at every step: what one gets does not depend on when the others need something new.
        cells = self._layout.cells[generator.integers(len(self._layout.cells), size=B)]
        fresh = self._layout.centre(cells) + generator.uniform(-room, room, size=(B, 2))
        aside = generator.uniform(-room, room, size=(B, 2)) * self._OFF_MIDDLE
        share, held = generator.uniform(size=B), generator.uniform(-1, 1, size=(B, 2))
        redraw = generator.uniform(size=B) < 2 / (self._HOLD_STEPS + 1)
        if len(self._target) != B:
            begun = np.ones(B, dtype=np.bool_)
            self._target, self._aside, self._held, self._share = fresh, aside, held, share
            self._walked = np.zeros(B, dtype=np.int64)
        arrived = (np.abs(places - self._target) < self._kind.success / 2).all(axis=1)
        patience = self._PATIENCE_STEPS * 0.2 / self._kind.reach * self._layout.cell / 4
        impatient = (self._share >= self._SHARES[0]) & (self._walked >= patience)
        new = begun | arrived | impatient
        self._target = np.where(new[:, None], fresh, self._target)
        self._aside = np.where(new[:, None], aside, self._aside)
        self._share = np.where(new, share, self._share)
        self._held = np.where((new | redraw)[:, None], held, self._held)
        self._walked = np.where(new, 1, self._walked + 1)

    def _waypoint(self, places: Float64[np.ndarray, "B 2"]) -> Float64[np.ndarray, "B 2"]:
        middle, there = self._corridors.next_cell(places, self._target)
        direct = there | (self._share >= self._SHARES[0])
        return np.where(direct[:, None], self._target, middle + self._aside)

    def _push(self, way: Float64[np.ndarray, "B 2"], state: Float64[np.ndarray, "B n"]) -> Float64[np.ndarray, "B 2"]:
        reach = self._kind.reach
        if state.shape[1] == 2:
            return way / np.maximum(np.abs(way).max(axis=1, keepdims=True), reach)
        # Velocity wanted: full speed far away, less within the way it takes to brake.
        top = reach / 0.01
        wanted = way * np.minimum(top / np.maximum(np.abs(way).max(axis=1, keepdims=True), 1e-9), 6.0)
        return (wanted - state[:, 2:]) * 0.5
