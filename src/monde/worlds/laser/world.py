"""`LaserWorld`: a robot on two wheels with a laser scanner and odometry, in rooms, on a campus or in a yard."""

from collections.abc import Sequence
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Float64

from monde.errors import ContractError, WorldError
from monde.protocols import Observation, Policy, Transition
from monde.spatial import se2_compose, se2_inverse, wrap
from monde.types import ActionSpec, Mount, Sensor
from monde.worlds.checks import check_controls, check_seeds
from monde.worlds.laser.campus import campus_file, load_campus
from monde.worlds.laser.config import LaserConfig
from monde.worlds.laser.dead_reckoning import DeadReckoning
from monde.worlds.laser.places import CampusStarts, Task, draw_task
from monde.worlds.laser.rooms import draw_rooms
from monde.worlds.laser.solids import Scene, Solids, Surroundings
from monde.worlds.laser.yard import draw_yard

_SUBSTEPS = 10
"""Pieces of a control step; the robot stops before the first that would bring it into something."""
_DRAWS = 100

STATE = ("x", "y", "yaw", "clearance", "collided")


class LaserWorld:
    """Rows of robots. Implements `monde.protocols.World`.

    A robot is a disc that drives ahead and turns (a unicycle). It stops where it would run into something, and may go
    on turning. Sensors: `scan`, ranges [beams]; `odometry`, (x, y, yaw) by dead reckoning from the start, which
    drifts; `state`, the truth for judging only: pose in the frame of the start, distance to the nearest solid less the
    radius, and whether it ran into something in this control step. Actions: speed ahead (m/s) and yaw rate (rad/s).
    The goal is a place: `goal` shows the scan there and its pose as odometry without errors would tell it, as when one
    says "4 m ahead and 2 m to the left".

    Raises:
        ContractError: A batch below 1.
        UsageError: The campus is asked for and its map is not here.
    """

    def __init__(self, config: LaserConfig | None = None, *, batch: int, name: str = "laser_rooms") -> None:
        self.config = config or LaserConfig()
        if batch < 1:
            raise ContractError(f"{name} needs at least one row", got=batch, expected="batch ≥ 1")
        c = self.config
        self._name, self._batch, rate = name, batch, 1 / c.dt_seconds
        self._actions = ActionSpec(
            low=(0.0, -c.fastest_turn_radps),
            high=(c.fastest_mps, c.fastest_turn_radps),
            dt_seconds=c.dt_seconds,
            names=("speed", "yaw_rate"),
        )
        mount = Mount(parent="base", translation=(c.scanner.ahead_m, 0.0, 0.0))
        beams, geometry = (c.scanner.beams,), c.scanner.geometry
        self._sensors = (
            Sensor(name="scan", kind="scan", shape=beams, unit="m", rate_hz=rate, geometry=geometry, mount=mount),
            Sensor(name="odometry", kind="pose", shape=(3,), unit="m, m, rad", rate_hz=rate),
            Sensor(name="state", kind="state", shape=(5,), unit="m, m, rad, m, 1", rate_hz=rate, names=STATE),
        )
        self._angles = geometry.start_rad + geometry.step_rad * np.arange(c.scanner.beams)
        self._campus = load_campus(campus_file()) if c.place == "campus" else None
        self._starts = None if self._campus is None else CampusStarts(self._campus, c.part, c.radius_m)
        self._around: Surroundings | None = self._campus
        self._tasks: list[Task] = []
        self._generators: list[np.random.Generator] = []
        self._pose = np.zeros((batch, 3))
        self._dead_reckoning = DeadReckoning(c.odometry, [])
        self._collided = np.zeros(batch, dtype=np.bool_)
        self._steps: int | None = None

    @property
    def name(self) -> str:
        """The name that `monde.worlds.make` knows it by."""
        return self._name

    @property
    def batch(self) -> int:
        """B."""
        return self._batch

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """`scan`, `odometry` and `state`."""
        return self._sensors

    @property
    def actions(self) -> ActionSpec:
        """Speed ahead and yaw rate."""
        return self._actions

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Start, goal and ways of each row, for policies that know the walls and for looking."""
        return tuple(self._tasks)

    @property
    def around(self) -> Surroundings:
        """What stands around the robots."""
        if self._around is None:
            raise WorldError(f"{self._name} has no episode yet", remedy="call reset with one seed per row first")
        return self._around

    @property
    def poses(self) -> Float64[np.ndarray, "B 3"]:
        """Where each robot truly is, in its scene's frame."""
        return self._pose.copy()

    def reset(self, seeds: Sequence[int]) -> Observation:
        """Start one episode per row, everything drawn from that row's seed alone.

        Raises:
            WorldError: Not one seed per row, a negative one, or no start and goal as far apart as asked for.
        """
        self._generators = [np.random.default_rng(seed) for seed in check_seeds(self._name, self._batch, seeds)]
        self._tasks, scenes = [], []
        for generator in self._generators:
            task, scene = self._draw(generator)
            self._tasks.append(task)
            scenes.append(scene)
        drawn = [scene for scene in scenes if scene is not None]
        if drawn:
            self._around = Solids(drawn)
        self._pose = np.stack([task.start for task in self._tasks])
        self._dead_reckoning = DeadReckoning(self.config.odometry, self._generators)
        self._collided = np.zeros(self._batch, dtype=np.bool_)
        self._steps = 0
        return self._observe()

    @final
    def step(self, controls: Float[np.ndarray, "..."]) -> Transition:
        """One control step of every row; these worlds never end an episode.

        Raises:
            WorldError: Wrong width, not finite, out of bounds, or no reset before.
        """
        steps = self._begun()
        speed, rate = check_controls(self._name, self._actions, self._batch, controls).T
        before = self._pose
        self._pose, self._collided = self._drive(speed, rate)
        self._dead_reckoning.move(se2_compose(se2_inverse(before), self._pose), speed * (~self._collided))
        self._steps = steps + 1
        return Transition(self._observe(), np.zeros(self._batch, dtype=np.bool_))

    def goal(self) -> Observation:
        """The scan at each row's goal, and the goal's pose in the frame of the start."""
        self._begun()
        goals = np.stack([task.goal for task in self._tasks])
        relative = se2_compose(se2_inverse(np.stack([task.start for task in self._tasks])), goals)
        clear = self.around.clearance(goals[:, None, :2])[:, 0] - self.config.radius_m
        state = np.concatenate([relative, clear[:, None], np.zeros((self._batch, 1))], axis=1)
        values = {"scan": self._cast(goals), "odometry": relative, "state": state}
        return Observation({name: array.astype(np.float32) for name, array in values.items()}, self._times())

    def success(self) -> Bool[np.ndarray, " B"]:
        """Whether the straight-line distance to the goal is within `success_m` now."""
        self._begun()
        gap = self._pose[:, :2] - np.stack([task.goal[:2] for task in self._tasks])
        return np.sqrt((gap**2).sum(1)) <= self.config.success_m

    def goal_distance(self) -> Float64[np.ndarray, " B"]:
        """Length [B] of the shortest way to the goal, in metres, on a grid (see `Ground`)."""
        self._begun()
        found = []
        for task, pose in zip(self._tasks, self._pose, strict=True):
            length = task.ground.length(task.field, pose[:2])
            found.append(length if np.isfinite(length) else float(np.hypot(*(pose[:2] - task.goal[:2]))))
        return np.array(found)

    def scripted(self) -> Policy:
        """A policy that knows the walls; see `Explorer`."""
        from monde.worlds.laser.explorer import Explorer

        return Explorer(self)

    def close(self) -> None:
        """Forget the episode."""
        self._steps = None

    def _draw(self, generator: np.random.Generator) -> tuple[Task, Scene | None]:
        c = self.config
        if self._starts is not None:
            return self._starts.draw(c.goal_m, generator), None
        for _ in range(_DRAWS):
            scene, edge = (draw_rooms if c.place == "rooms" else draw_yard)(generator)
            task = draw_task(scene, edge, c.radius_m, c.goal_m, generator)
            if task is not None:
                return task, scene
        raise WorldError(f"{self._name} found no scene with room for a way", got=c.goal_m, expected="shorter ways")

    def _drive(
        self, speed: Float64[np.ndarray, " B"], rate: Float64[np.ndarray, " B"]
    ) -> tuple[Float64[np.ndarray, "B 3"], Bool[np.ndarray, " B"]]:
        """Poses after a control step, and which robots ran into something."""
        place, yaw = self._pose[:, :2], self._pose[:, 2]
        stopped = np.zeros(self._batch, dtype=np.bool_)
        piece = self.config.dt_seconds / _SUBSTEPS
        for _ in range(_SUBSTEPS):
            way = yaw + rate * piece / 2
            ahead = place + (speed * piece)[:, None] * np.stack([np.cos(way), np.sin(way)], -1)
            blocked = (self.around.clearance(ahead[:, None])[:, 0] < self.config.radius_m) & (speed > 0)
            stopped |= blocked
            place = np.where(stopped[:, None], place, ahead)
            yaw = yaw + rate * piece
        turned = wrap(yaw)
        return np.concatenate([place, turned[:, None]], axis=1), stopped

    def _observe(self) -> Observation:
        starts = np.stack([task.start for task in self._tasks])
        true = se2_compose(se2_inverse(starts), self._pose)
        clear = self.around.clearance(self._pose[:, None, :2])[:, 0] - self.config.radius_m
        state = np.concatenate([true, clear[:, None], self._collided[:, None]], axis=1)
        values = {"scan": self._noisy(self._cast(self._pose)), "odometry": self._dead_reckoning.told, "state": state}
        return Observation({name: array.astype(np.float32) for name, array in values.items()}, self._times())

    def _cast(self, poses: Float64[np.ndarray, "B 3"]) -> Float64[np.ndarray, "B R"]:
        scanner = self.config.scanner
        yaw = poses[:, 2:]
        places = poses[:, :2] + scanner.ahead_m * np.concatenate([np.cos(yaw), np.sin(yaw)], axis=1)
        return self.around.cast(places, yaw + self._angles, scanner.geometry.most_m)

    def _noisy(self, ranges: Float64[np.ndarray, "B R"]) -> Float64[np.ndarray, "B R"]:
        scanner, most = self.config.scanner, self.config.scanner.geometry.most_m
        noise = np.stack([generator.normal(size=ranges.shape[1]) for generator in self._generators])
        lost = np.stack([generator.uniform(size=ranges.shape[1]) for generator in self._generators]) < scanner.lost
        seen = (ranges + scanner.noise_m * noise).clip(scanner.geometry.least_m, most)
        return np.where((ranges >= min(most, scanner.faint_m)) | lost, most, seen)

    def _begun(self) -> int:
        if self._steps is None:
            raise WorldError(f"{self._name} has no episode yet", remedy="call reset with one seed per row first")
        return self._steps

    def _times(self) -> Float64[np.ndarray, " B"]:
        return np.full(self._batch, (self._steps or 0) * self.config.dt_seconds)
