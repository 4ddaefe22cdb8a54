"""One real environment, stepped for many rows: each row's whole state is put into it, stepped, and taken out again."""

import numpy as np
from jaxtyping import Float64

from monde.worlds.checks import RowError
from monde.worlds.mazes.engine import Env, mujoco
from monde.worlds.mazes.layout import Layout


class Simulator:
    """Rows of one MuJoCo model. A row's state is all that a step depends on (`mjSTATE_INTEGRATION`): time, positions,
    velocities, the solver's warm start, controls. So a row moves exactly as it would in an environment of its own.

    Args:
        env: The environment; its own `step` is called.
        name: For messages.
    """

    def __init__(self, env: Env, name: str) -> None:
        self._env, self._name = env, name
        self._mujoco = mujoco()
        self._kind = self._mujoco.mjtState.mjSTATE_INTEGRATION
        self._width = int(self._mujoco.mj_stateSize(env.model, self._kind))

    @property
    def dt_seconds(self) -> float:
        """Duration of a control step in simulated time."""
        return float(self._env.dt)

    def layout(self) -> Layout:
        """The walls, from the simulator's own geometry: its boxes named block_…"""
        model, kind = self._env.model, self._mujoco.mjtObj.mjOBJ_GEOM
        names = [self._mujoco.mj_id2name(model, kind, index) or "" for index in range(model.ngeom)]
        blocks = [index for index, name in enumerate(names) if name.startswith("block_")]
        return Layout.of_boxes(np.array(model.geom_pos[blocks, :2]), float(model.geom_size[blocks[0], 0]))

    def start(
        self, qpos: Float64[np.ndarray, "B nq"], qvel: Float64[np.ndarray, "B nv"]
    ) -> Float64[np.ndarray, "B width"]:
        """States of rows that begin at these positions and velocities, at time 0."""
        states = np.empty((len(qpos), self._width))
        for row, (position, velocity) in enumerate(zip(qpos, qvel, strict=True)):
            self._mujoco.mj_resetData(self._env.model, self._env.data)
            self._env.set_state(position, velocity)
            self._mujoco.mj_getState(self._env.model, self._env.data, states[row], self._kind)
        return states

    def step(
        self, states: Float64[np.ndarray, "B width"], controls: Float64[np.ndarray, "B dim"]
    ) -> Float64[np.ndarray, "B width"]:
        """States one control step later.

        Raises:
            RowError: The environment raised, or its simulation became unstable.
        """
        after = np.empty_like(states)
        model, data = self._env.model, self._env.data
        for row, state in enumerate(states):
            self._mujoco.mj_setState(model, data, state, self._kind)
            try:
                self._env.step(controls[row])
            except Exception as error:
                raise RowError(
                    f"{self._name} raised in row {row}", got=f"{type(error).__name__}: {error}", row=row
                ) from error
            self._mujoco.mj_getState(model, data, after[row], self._kind)
        # MuJoCo resets what it finds unstable, its clock too.
        bad = ~(np.isfinite(after).all(axis=1) & (after[:, 0] > states[:, 0]))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise RowError(
                f"{self._name} became unstable in row {row}",
                got=f"positions {self.qpos(states)[row]}, control {controls[row]}",
                remedy="the fault is in the simulation; this seed reproduces it",
                row=row,
            )
        return after

    def qpos(self, states: Float64[np.ndarray, "B width"]) -> Float64[np.ndarray, "B nq"]:
        """Positions; x and y come first."""
        return states[:, 1 : 1 + self._env.model.nq]

    def qvel(self, states: Float64[np.ndarray, "B width"]) -> Float64[np.ndarray, "B nv"]:
        """Velocities."""
        begin = 1 + self._env.model.nq
        return states[:, begin : begin + self._env.model.nv]
