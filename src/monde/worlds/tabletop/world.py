"""The table-top world: a fingertip and an object on a tray, seen by an RGB-D camera.

What differs from episode to episode (`scene.py`) is what makes places hard to tell from colours alone. Where the camera
stands is told by the sensor `rig`: the frame that camera and depth camera are mounted to.
"""

import numpy as np
from jaxtyping import Bool, Float64, Shaped, UInt8

from monde.errors import WorldError
from monde.protocols import Policy
from monde.types import ActionSpec, Mount, Sensor
from monde.worlds.simulated import GOAL_DRAWS, SimulatedWorld
from monde.worlds.tabletop.config import DT_SECONDS, REACH_METRES, TabletopConfig
from monde.worlds.tabletop.pushing import Pusher, Pushers
from monde.worlds.tabletop.scene import Scene, draw_scene, intrinsics
from monde.worlds.tabletop.sensing import cloud, measured
from monde.worlds.tabletop.table import OBJECT, TIP, Table
from monde.worlds.tabletop.view import View

TABLE, RIG = "table", "rig"
"""Frames: the table's, in which all places are told, and the camera's, which the sensor `rig` tells."""

_STARTS = 40
"""Control steps of a trajectory at which an episode may start."""

_ASIDE_METRES = 0.07
"""An episode begins with the tip so far from the object's middle, seen from above."""


class Tabletop(SimulatedWorld):
    """A fingertip steered over a tray, with an object to reach or to push.

    Sensors: `camera` RGB and `depth` (m along the optical axis, 0 where nothing was measured), [side, side], mounted to
    the frame `rig`; `points` [P, 3] m in the frame `table`, padded with zeros; `gripper` [3] m, the tip's place;
    `rig` [7], the camera's pose in the frame `table`. For judging only: `object` [3] m, the middle of the object, and
    `gap` [3] m, from the tip to the middle of its top. Actions: how far the tip goes along x, y and z.

    Args:
        config: Sizes and rules.
        batch: B.
        name: The name that `monde.worlds.make` knows it by.

    Raises:
        UsageError: MuJoCo is not installed.
        ContractError: A batch or a side out of limits.
    """

    def __init__(self, config: TabletopConfig | None = None, *, batch: int, name: str = "tabletop_push") -> None:
        self.config = config or TabletopConfig()
        super().__init__(
            name=name,
            batch=batch,
            side_pixels=self.config.side_pixels,
            actions=ActionSpec(low=(-1.0,) * 3, high=(1.0,) * 3, dt_seconds=DT_SECONDS, names=("x", "y", "z")),
            sensors=_sensors(self.config),
        )
        self._camera = intrinsics(self.config.side_pixels)
        self._tables = [Table(self.config.side_pixels) for _ in range(batch)]
        self._scenes: list[Scene] = []
        self._view: View | None = None

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """What each row's episode takes place in; for judging, never for planning."""
        self._begun()
        return tuple(self._scenes)

    def segmentation(self) -> UInt8[np.ndarray, "B h w"]:
        """What each pixel of `camera` shows now: one of `SEGMENTS`."""
        self._begun()
        return np.stack([self._shown.segments(table, state) for table, state in zip(self._tables, self._state)])

    def scripted(self) -> Policy:
        """A policy that reaches, touches and pushes, with noise; see `pushing.Pusher`."""
        return Pushers()

    def close(self) -> None:
        """Forget the episode and free the renderer."""
        super().close()
        if self._view is not None:
            self._view.close()
            self._view = None

    @property
    def _shown(self) -> View:
        if self._view is None:
            self._view = View(self._tables[0], self.config.side_pixels)
        return self._view

    def _begin(
        self, row: int, generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
        table, scene = self._tables[row], draw_scene(generator)
        table.dress(scene)
        self._scenes[row:] = [scene]
        for _ in range(GOAL_DRAWS):
            found = (self._reach if self.config.task == "reach" else self._push)(table, scene, generator)
            if found is not None:
                return found
        raise WorldError(f"{self.name} finds no goal", got=self.config, remedy="make moved_metres smaller")

    def _advance(self, row: int, control: Float64[np.ndarray, " dim"]) -> Float64[np.ndarray, " n"]:
        self._tables[row].step(control)
        return self._tables[row].state()

    def _sensed(self, states: Float64[np.ndarray, "B n"]) -> dict[str, Shaped[np.ndarray, "B ..."]]:
        shots = [self._shown.shoot(table, state) for table, state in zip(self._tables, states)]
        depth = [measured(metres, self.config) for _, metres in shots]
        rigs = [np.array(scene.rig) for scene in self._scenes]
        points = np.zeros((len(states), self.config.points, 3), dtype=np.float32)
        for row, (metres, rig) in enumerate(zip(depth, rigs)):
            found = cloud(metres, self._camera, rig, self.config.points)
            points[row, : len(found)] = found
        return {
            "camera": np.stack([rgb for rgb, _ in shots]),
            "depth": np.stack(depth)[:, None],
            "points": points,
            "object": states[:, OBJECT].astype(np.float32),
            "gap": self._gap(states).astype(np.float32),
            "gripper": states[:, TIP].astype(np.float32),
            RIG: np.stack(rigs).astype(np.float32),
        }

    def _gap(self, states: Float64[np.ndarray, "B n"]) -> Float64[np.ndarray, "B 3"]:
        tops = states[:, OBJECT].copy()
        tops[:, 2] += [scene.half[2] for scene in self._scenes]
        return tops - states[:, TIP]

    def _reached(self, states: Float64[np.ndarray, "B n"], goals: Float64[np.ndarray, "B n"]) -> Bool[np.ndarray, " B"]:
        return self._apart(states, goals) <= self.config.success_metres

    def _apart(
        self, states: Float64[np.ndarray, "B n"], goals: Float64[np.ndarray, "B n"]
    ) -> Float64[np.ndarray, " B"]:
        gap = self._gap(states) if self.config.task == "reach" else states[:, OBJECT] - goals[:, OBJECT]
        return np.sqrt((gap**2).sum(axis=1))

    def _reach(
        self, table: Table, scene: Scene, generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]] | None:
        """The tip anywhere beside the object; the goal shows it upon the object."""
        start = _draw_state(scene, generator)
        goal = start.copy()
        goal[TIP] = start[OBJECT] + (0.0, 0.0, scene.half[2])
        table.place(start)
        return (start, goal) if np.linalg.norm(goal[TIP] - start[TIP]) >= self.config.moved_metres else None

    def _push(
        self, table: Table, scene: Scene, generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]] | None:
        """Two states of a trajectory of the scripted policy, of which the later has the object elsewhere."""
        ahead = self.config.goal_steps
        table.place(_draw_state(scene, generator))
        pusher, states, speeds = Pusher(generator), [table.state()], [table.speed()]
        for _ in range(_STARTS + ahead):
            gap = states[-1][OBJECT] + (0.0, 0.0, scene.half[2]) - states[-1][TIP]
            table.step(pusher.act(states[-1][TIP], gap))
            states.append(table.state())
            speeds.append(table.speed())
        track = np.stack(states)
        moved = np.sqrt(((track[:-ahead, OBJECT] - track[ahead:, OBJECT]) ** 2).sum(axis=1))
        lies = np.abs(track[ahead:, OBJECT][:, 2] - scene.rests_at) < 0.005
        fit = np.flatnonzero((moved >= self.config.moved_metres) & lies)
        if not len(fit):
            return None
        chosen = int(generator.choice(fit))
        table.place(states[chosen], speeds[chosen])
        return states[chosen], states[chosen + ahead]


def _draw_state(scene: Scene, random: np.random.Generator) -> Float64[np.ndarray, " 10"]:
    """The object somewhere, upright; the tip beside it, no lower than its middle."""
    x, y = random.uniform(-0.10, 0.10, size=2)
    turn = random.uniform(-np.pi, np.pi) / 2
    while True:
        tip = random.uniform(-REACH_METRES, REACH_METRES, size=2)
        if np.hypot(tip[0] - x, tip[1] - y) >= _ASIDE_METRES:
            break
    height = scene.rests_at + random.uniform(0.0, 0.10)
    return np.array([*tip, height, x, y, scene.rests_at, np.cos(turn), 0.0, 0.0, np.sin(turn)])


def _sensors(config: TabletopConfig) -> tuple[Sensor, ...]:
    rate, side, camera = 1 / DT_SECONDS, config.side_pixels, intrinsics(config.side_pixels)
    rig, place = Mount(parent=RIG), ("x", "y", "z")
    return (
        Sensor(name="camera", kind="rgb", shape=(3, side, side), rate_hz=rate, geometry=camera, mount=rig),
        Sensor(name="depth", kind="depth", shape=(1, side, side), unit="m", rate_hz=rate, geometry=camera, mount=rig),
        Sensor(
            name="points", kind="points", shape=(config.points, 3), unit="m", rate_hz=rate, mount=Mount(parent=TABLE)
        ),
        Sensor(name="object", kind="state", shape=(3,), unit="m", rate_hz=rate, names=place),
        Sensor(name="gap", kind="state", shape=(3,), unit="m", rate_hz=rate, names=place),
        Sensor(name="gripper", kind="state", shape=(3,), unit="m", rate_hz=rate, names=place),
        Sensor(
            name=RIG,
            kind="pose",
            shape=(7,),
            unit="m, m, m, 1, 1, 1, 1",
            rate_hz=rate,
            names=(*place, "qx", "qy", "qz", "qw"),
            mount=Mount(parent=TABLE),
        ),
    )
