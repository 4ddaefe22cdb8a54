"""The cube world: a UR5e arm with a gripper takes a cube to where a picture shows it.

OGBench's cube-single (arXiv 2410.20092, section 4.2): its physics, its end-effector actions, its oracle, its camera,
its test of success (the cube within 4 cm; the arm does not count).

**Goals.** A trajectory of the oracle is made, everything drawn as OGBench draws it when it collects data. The start is
its state at some control step, the goal its state `goal_steps` later; only such that the cube lies at least
`moved_metres` from where it lay (in hand, often). OGBench's own five tasks take some 100 steps, as "cube_single@100".
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from monde.errors import WorldError
from monde.protocols import Policy
from monde.types import ActionSpec
from monde.worlds.cube.arm import CUBE, TOLD, Arm
from monde.worlds.cube.config import CubeConfig
from monde.worlds.cube.oracle import Handler, Handlers
from monde.worlds.cube.view import View
from monde.worlds.simulated import GOAL_DRAWS, PicturedWorld

_STARTS = 100
"""Control steps of a trajectory at which an episode may start."""


class Cube(PicturedWorld):
    """An arm and a cube, the goal `goal_steps` ahead on a trajectory of the oracle.

    Sensors: `top` RGB [3, side, side] (OGBench's `front_pixels`, the arm itself not shown); `state` [12]: the
    effector's place in m and yaw as cos and sin, the gripper's opening and contact (0 to 1), the cube's place and yaw.
    Actions: how far the effector goes in x, y, z (5 cm) and yaw (0.3 rad), and the gripper. Distances are those of the
    cube, in m.
    """

    def __init__(self, config: CubeConfig | None = None, *, batch: int, name: str = "cube_single") -> None:
        self.config = config or CubeConfig()
        self._arm = Arm()
        super().__init__(
            name=name,
            batch=batch,
            side_pixels=self.config.side_pixels,
            actions=ActionSpec(
                low=(-1.0,) * 5,
                high=(1.0,) * 5,
                dt_seconds=self._arm.dt_seconds,
                names=("x", "y", "z", "yaw", "gripper"),
            ),
            state_names=TOLD,
            state_unit="m, m, m, 1, 1, 1, 1, m, m, m, 1, 1",
        )
        self._full = [self._arm.full() for _ in range(batch)]
        self._view: View | None = None

    def scripted(self) -> Policy:
        """OGBench's oracle with noise; see `oracle.Handler`."""
        return Handlers()

    def close(self) -> None:
        """Forget the episode and free the renderer."""
        super().close()
        if self._view is not None:
            self._view.close()
            self._view = None

    def _begin(
        self, row: int, generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
        ahead = self.config.goal_steps
        for _ in range(GOAL_DRAWS):
            states, full = self._trajectory(generator, _STARTS + ahead)
            moved = self._apart(states[:-ahead], states[ahead:])
            fit = np.flatnonzero(moved >= self.config.moved_metres)
            if len(fit):
                chosen = int(generator.choice(fit))
                self._full[row] = full[chosen]
                return states[chosen], states[chosen + ahead]
        raise WorldError(f"{self.name} finds no goal that displaces the cube", got=self.config)

    def _trajectory(
        self, generator: np.random.Generator, steps: int
    ) -> tuple[Float64[np.ndarray, "T n"], Float64[np.ndarray, "T width"]]:
        arm = self._arm
        arm.begin(generator)
        handler = Handler(generator)
        states, full = [arm.state()], [arm.full()]
        for _ in range(steps):
            arm.step(handler.act(states[-1][: len(TOLD)]))
            states.append(arm.state())
            full.append(arm.full())
        return np.stack(states), np.stack(full)

    def _advance(self, row: int, control: Float64[np.ndarray, " 5"]) -> Float64[np.ndarray, " n"]:
        self._arm.put(self._full[row])
        self._arm.step(control)
        self._full[row] = self._arm.full()
        return self._arm.state()

    def _told(self, states: Float64[np.ndarray, "B n"]) -> Float32[np.ndarray, "B 12"]:
        return states[:, : len(TOLD)].astype(np.float32)

    def _reached(self, states: Float64[np.ndarray, "B n"], goals: Float64[np.ndarray, "B n"]) -> Bool[np.ndarray, " B"]:
        return self._apart(states, goals) <= self.config.success_metres

    def _apart(
        self, states: Float64[np.ndarray, "B n"], goals: Float64[np.ndarray, "B n"]
    ) -> Float64[np.ndarray, " B"]:
        return np.sqrt(((states[:, CUBE] - goals[:, CUBE]) ** 2).sum(axis=1))

    def _paint(self, states: Float64[np.ndarray, "B n"]) -> UInt8[np.ndarray, "B 3 h w"]:
        if self._view is None:
            self._view = View(self._arm.model, self.config)
        return self._view.show(states)
