"""`MazeWorld`: a body in a maze, in the real simulator, seen from above."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Float64, Shaped

from monde.errors import ContractError, unknown_name
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.protocols import Observation, Policy, Transition
from monde.worlds.camera_world import CameraWorld
from monde.worlds.checks import RowError, check_controls, check_seeds
from monde.worlds.drawing import PLAIN, Look
from monde.worlds.mazes.ant import Ant
from monde.worlds.mazes.bodies import Ball, Body
from monde.worlds.mazes.catalogue import MAZES
from monde.worlds.mazes.engine import ogbench_maze, umaze
from monde.worlds.mazes.gait import Walker
from monde.worlds.mazes.policies import Navigator
from monde.worlds.mazes.simulator import Simulator
from monde.worlds.mazes.starts import Starts
from monde.worlds.mazes.view import View
from monde.worlds.mazes.ways import Ways


@dataclass(frozen=True, kw_only=True)
class MazeConfig:
    """Which maze, how far its goals are, how it looks.

    Args:
        maze: A name of `MAZES`.
        distance_steps: Goals about this many control steps from the start on the shortest way at full speed (± 20%),
            or none: anywhere.
        tasks: Start and goal of OGBench's five evaluation tasks (maze.py, `set_tasks`), with its noise, instead.
        look: How it is drawn.
        side_pixels: Side of the picture.

    Raises:
        ContractError: An unknown maze, or numbers out of limits.
    """

    maze: str
    distance_steps: int | None = None
    tasks: bool = False
    look: Look = field(default=PLAIN)
    side_pixels: int = 64

    def __post_init__(self) -> None:
        if self.maze not in MAZES:
            raise unknown_name("maze", self.maze, list(MAZES), ContractError)
        if self.tasks and self.distance_steps is not None:
            raise ContractError(
                "the distances of evaluation tasks are given", got=self, expected="distance_steps or tasks, not both"
            )
        if not 16 <= self.side_pixels <= MAX_FRAME_SIDE_PIXELS:
            expected = f"16 to {MAX_FRAME_SIDE_PIXELS}"
            raise ContractError("side_pixels is out of limits", got=self.side_pixels, expected=expected)


class MazeWorld(CameraWorld):
    """Rows of one body in one maze. Implements `monde.protocols.World`.

    Physics is the real environment's, its own `step` in MuJoCo (see `Simulator`); goals and starts are drawn here, from
    each row's seed alone. The picture `top` is not MuJoCo's: it is a flat view of the whole maze from above, drawn from
    the simulator's walls and the body's simulated place, the same size for every maze. `state` is the environment's
    observation. Episodes do not end at the goal; success is asked for. Where a body keeps its velocity, `before` shows
    the picture of some control steps ago: what is encoded frame by frame can tell how fast it goes only from two.

    Raises:
        UsageError: What simulates it is not installed.
        WorldError: It cannot be made.
        ContractError: A batch below 1, or goals farther away than the maze is long, or too near to leave any way.
    """

    def __init__(self, config: MazeConfig, *, batch: int, name: str | None = None) -> None:
        self.config, self.kind = config, MAZES[config.maze]
        name = name or config.maze
        tasks: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
        if self.kind.body == "ball":
            env = umaze()
        else:
            env, tasks = ogbench_maze(self.kind.body, self.kind.maze)
        self._simulator = Simulator(env, name)
        self.layout = self._simulator.layout()
        self.ways = Ways(self.layout, self.kind.radius, self.kind.reach)
        self._body = self._make_body()
        super().__init__(
            name=name,
            batch=batch,
            side_pixels=config.side_pixels,
            actions=self._body.actions,
            state_names=self._body.state_names,
            state_unit=self.kind.unit,
            lag_steps=self.kind.lag_steps,
        )
        self._starts = Starts(
            self.layout,
            self.ways,
            self.kind,
            distance_steps=config.distance_steps,
            tasks=tasks if config.tasks else None,
        )
        self._view = View(self.layout, config.look, config.side_pixels)
        self._background = self._view.background()
        self._states = self._goals = np.zeros((batch, 0))
        self._fields: Float64[np.ndarray, "B n"] | None = None
        self._seeds: tuple[int, ...] = ()

    def reset(self, seeds: Sequence[int]) -> Observation:
        """Start one episode per row, everything drawn from that row's seed alone.

        Raises:
            WorldError: Not one seed per row, a negative one, or no start and goal as far apart as asked for.
        """
        self._seeds = check_seeds(self._name, self._batch, seeds)
        starts, goals = [], []
        for generator in map(np.random.default_rng, self._seeds):
            start, goal = self._starts.draw(generator)
            starts.append(self._body.stand(start, generator))
            goals.append(self._body.stand(goal, generator))
        self._states, self._goals = self._put(starts), self._put(goals)
        self._fields, self._steps = None, 0
        return self._see()

    def step(self, controls: Float[np.ndarray, "..."]) -> Transition:
        """One control step of every row; these worlds never end an episode.

        Raises:
            WorldError: Wrong width, not finite, out of bounds, no reset before; or the simulation failed (a
                `RowError`, naming row, seed and step).
        """
        steps = self._begun()
        checked = check_controls(self._name, self.actions, self._batch, controls)
        try:
            self._states = self._simulator.step(self._states, checked)
        except RowError as error:
            where = f"{error.what} (seed {self._seeds[error.row]}) at step {steps + 1}"
            raise RowError(where, got=error.got, remedy=error.remedy, row=error.row, step=steps + 1) from error
        self._steps = steps + 1
        return Transition(self._see(), np.zeros(self._batch, dtype=np.bool_))

    def goal(self) -> Observation:
        """What the sensors would show with the body standing at each row's goal, at the present time."""
        self._begun()
        return Observation(self._still(self._sensed(self._goals)), self._times())

    def success(self) -> Bool[np.ndarray, " B"]:
        """Whether the straight-line distance to the goal is within the environment's own tolerance now."""
        self._begun()
        gap = self.places() - self._body.place(self._goals)
        return np.sqrt(gap[:, 0] ** 2 + gap[:, 1] ** 2) <= self.kind.success

    def goal_distance(self) -> Float64[np.ndarray, " B"]:
        """Length [B] of the shortest way to the goal in the maze's unit, measured by max(Δx, Δy), as the body moves."""
        return self.steps_to_goal() * self.kind.reach

    def steps_to_goal(self) -> Float64[np.ndarray, " B"]:
        """Control steps [B] that the shortest way to the goal takes at full speed."""
        self._begun()
        goals = self._body.place(self._goals)
        if self._fields is None:
            self._fields = np.stack([self.ways.field(goal) for goal in goals])
        return self.ways.steps(self.places(), goals, self._fields)

    def places(self) -> Float64[np.ndarray, "B 2"]:
        """Where each row's body is now."""
        return self._body.place(self._states)

    def scripted(self) -> Policy:
        """A policy that knows the walls; see `Navigator`, for the ant `Walker`."""
        return (Walker if self.kind.body == "ant" else Navigator)(self.layout, self.kind)

    def _make_body(self) -> Body:
        if self.kind.body == "ant":
            return Ant(self._simulator)
        return Ball(self._simulator, radius=self.kind.radius, velocity=self.kind.body == "ball")

    def _put(
        self, standing: list[tuple[Float64[np.ndarray, " nq"], Float64[np.ndarray, " nv"]]]
    ) -> Float64[np.ndarray, "B width"]:
        qpos, qvel = zip(*standing, strict=True)
        return self._simulator.start(np.stack(qpos), np.stack(qvel))

    def _see(self) -> Observation:
        return Observation(self._now(self._sensed(self._states)), self._times())

    def _sensed(self, states: Float64[np.ndarray, "B width"]) -> dict[str, Shaped[np.ndarray, "B ..."]]:
        top = self.config.look.light(self._body.paint(self._background, self._view, states))
        return {"top": top, "state": self._body.state(states).astype(np.float32)}
