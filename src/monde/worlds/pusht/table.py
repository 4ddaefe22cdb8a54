"""One table of Push-T: gym-pusht's own simulator, entered below its Gymnasium interface."""

import importlib.util
import os
import warnings
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from monde.errors import UsageError

SUBSTEPS = 10
"""Steps of 0.01 s in a control step (gym-pusht's 10 Hz)."""

STATE = ("agent_x", "agent_y", "block_x", "block_y", "block_angle", "agent_speed_x", "agent_speed_y")
"""What a state [7] of a table is: px, rad and px/s. The block is where the middle of its bar's outer edge is."""

AGENT_RADIUS = 15.0
BOXES = ((-60.0, 0.0, 60.0, 30.0), (-15.0, 30.0, 15.0, 120.0))
"""The block's bar and stem (x0, y0, x1, y1), in its own coordinates."""

CENTRE = (0.0, 45.0)
"""The block's centre of mass, in its own coordinates."""

_EDGE = 5.0 + 2.0 + AGENT_RADIUS
"""Nearest that the agent's target comes to the table's edge: it is driven, no wall would stop it."""


@runtime_checkable
class Body(Protocol):
    """What is asked of pymunk's bodies."""

    position: tuple[float, float]
    velocity: tuple[float, float]
    angle: float
    angular_velocity: float


@runtime_checkable
class Space(Protocol):
    """What is asked of pymunk's spaces."""

    def step(self, dt: float) -> None: ...


@runtime_checkable
class PushTSimulator(Protocol):
    """What is asked of gym-pusht's `PushTEnv`."""

    agent: Body
    block: Body
    space: Space
    k_p: float
    k_v: float
    dt: float

    def _setup(self) -> None: ...


def make_simulator() -> PushTSimulator:
    """A fresh one.

    Raises:
        UsageError: gym-pusht or what it needs is not installed.
    """
    if importlib.util.find_spec("gym_pusht") is None:
        raise UsageError(
            "pusht needs gym-pusht", remedy='pip install "monde[tasks]" && pip install --no-deps gym-pusht'
        )
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            from gym_pusht.envs.pusht import PushTEnv
    except (ImportError, AttributeError) as error:
        raise UsageError("gym-pusht cannot be imported", got=error, remedy='pip install "monde[tasks]"') from error
    env = PushTEnv(obs_type="state")
    env._setup()  # before this it has neither bodies nor a space
    simulator: PushTSimulator = env
    return simulator


class Table:
    """A table whose states can be read and set.

    Driving is `PushTEnv.step` without what is of no use here (its reward, the counting of contacts), which takes most
    of its time: the same positions to the last bit (tested).
    """

    def __init__(self) -> None:
        self._env = make_simulator()

    def place(self, state: Float64[np.ndarray, " 7"]) -> None:
        """Set everything up anew, in a state.

        gym-pusht's own `_set_state` sets the block's angle last, about its centre of mass: the block ends up elsewhere.
        """
        env = self._env
        env._setup()
        agent_x, agent_y, x, y, angle, speed_x, speed_y = state.tolist()
        env.agent.position = agent_x, agent_y
        env.agent.velocity = speed_x, speed_y
        env.block.angle = angle
        env.block.position = x, y

    def drive(self, x: float, y: float) -> None:
        """One control step: the agent is drawn to a target as by a spring and a damper."""
        env, dt = self._env, self._env.dt
        agent, k_p, k_v = env.agent, env.k_p, env.k_v
        x, y = min(max(x, _EDGE), 512 - _EDGE), min(max(y, _EDGE), 512 - _EDGE)
        for _ in range(SUBSTEPS):
            (px, py), (vx, vy) = agent.position, agent.velocity
            agent.velocity = vx + (k_p * (x - px) - k_v * vx) * dt, vy + (k_p * (y - py) - k_v * vy) * dt
            env.space.step(dt)

    def state(self) -> Float64[np.ndarray, " 7"]:
        """Where everything is."""
        env = self._env
        return np.array([*env.agent.position, *env.block.position, env.block.angle, *env.agent.velocity])
