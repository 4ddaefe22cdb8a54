"""OGBench's cube-single environment, entered below its Gymnasium interface; rows share its one MuJoCo model."""

import importlib
import importlib.util
import math
import warnings
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from monde.errors import UsageError, WorldError
from monde.worlds.scenes3d.engine import load, rendering

if TYPE_CHECKING:
    import mujoco

TOLD = (
    *("effector_x", "effector_y", "effector_z", "effector_cos", "effector_sin", "opening", "contact"),
    *("cube_x", "cube_y", "cube_z", "cube_cos", "cube_sin"),
)
"""What is told of a state; what follows in it are all joint positions."""

CUBE = slice(7, 10)
"""Where the cube's position is in it."""


@runtime_checkable
class CubeEnv(Protocol):
    """What is asked of OGBench's `CubeEnv`."""

    np_random: np.random.Generator

    def reset(self, *, seed: int) -> object: ...

    def initialize_episode(self) -> None: ...

    def set_control(self, action: Float64[np.ndarray, " 5"], /) -> None: ...

    def compute_ob_info(self) -> dict[str, np.ndarray]: ...

    def control_timestep(self) -> float: ...

    def physics_timestep(self) -> float: ...


class Arm:
    """The environment, put into one row's state after the other.

    A row's state in full is all that a step depends on (`mjSTATE_INTEGRATION`); what follows from it is computed when
    it is put in, so that a row moves the same whatever was put in before. A step is `CubeEnv.step` without its
    observation and reward: the same control, and the same 25 steps of 2 ms.

    Raises:
        UsageError: OGBench or MuJoCo is not installed, or there is no renderer.
        WorldError: The environment cannot be made.
    """

    def __init__(self) -> None:
        self._mujoco = load()
        if importlib.util.find_spec("ogbench") is None:
            raise UsageError("cube_single needs ogbench", remedy='pip install "monde[tasks]"')
        with rendering():  # dm_control, which it imports, looks for a renderer too
            module = importlib.import_module("ogbench.manipspace.envs.cube_env")
        try:
            self._env: CubeEnv = module.CubeEnv(
                "single", mode="data_collection", terminate_at_goal=False, visualize_info=False
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._env.reset(seed=0)
        except Exception as error:
            # A constructor may raise anything.
            raise WorldError("OGBench's cube could not be made", got=f"{type(error).__name__}: {error}") from error
        self.model: mujoco.MjModel = module_model(self._env)
        self._data: mujoco.MjData = module_data(self._env)
        self._kind = self._mujoco.mjtState.mjSTATE_INTEGRATION
        self._width = int(self._mujoco.mj_stateSize(self.model, self._kind))
        self._substeps = round(self._env.control_timestep() / self._env.physics_timestep())

    @property
    def dt_seconds(self) -> float:
        """Duration of a control step."""
        return self._env.control_timestep()

    def begin(self, generator: np.random.Generator) -> None:
        """Arm and cube somewhere, as OGBench draws them when it collects data."""
        self._mujoco.mj_resetData(self.model, self._data)
        self._env.np_random = generator
        self._env.initialize_episode()
        self._mujoco.mj_forward(self.model, self._data)

    def put(self, full: Float64[np.ndarray, " width"]) -> None:
        """Go on from a state in full."""
        self._mujoco.mj_setState(self.model, self._data, full, self._kind)
        self._mujoco.mj_forward(self.model, self._data)

    def full(self) -> Float64[np.ndarray, " width"]:
        """The state in full."""
        state = np.empty(self._width)
        self._mujoco.mj_getState(self.model, self._data, state, self._kind)
        return state

    def step(self, action: Float64[np.ndarray, " 5"]) -> None:
        """One control step: action in [-1, 1]."""
        self._env.set_control(action)
        self._mujoco.mj_step(self.model, self._data, nstep=self._substeps)
        self._mujoco.mj_rnePostConstraint(self.model, self._data)

    def state(self) -> Float64[np.ndarray, " n"]:
        """What is told (see `TOLD`), and all joint positions."""
        self._env.__dict__.update(_prev_qpos=self._data.qpos, _prev_qvel=self._data.qvel)
        seen = self._env.compute_ob_info()
        yaw, cube = float(seen["proprio/effector_yaw"][0]), float(seen["privileged/block_0_yaw"][0])
        return np.concatenate(
            [
                seen["proprio/effector_pos"],
                [math.cos(yaw), math.sin(yaw)],
                seen["proprio/gripper_opening"],
                seen["proprio/gripper_contact"],
                seen["privileged/block_0_pos"],
                [math.cos(cube), math.sin(cube)],
                self._data.qpos,
            ]
        )


def module_model(env: object) -> "mujoco.MjModel":
    """The environment's MuJoCo model."""
    model: mujoco.MjModel = getattr(env, "model")  # noqa: B009 - OGBench has no types
    return model


def module_data(env: object) -> "mujoco.MjData":
    """The environment's MuJoCo data."""
    data: mujoco.MjData = getattr(env, "data")  # noqa: B009
    return data
