"""Small Gymnasium environments of known behaviour, faults included; "gym:worlds.faulty:ID" registers them."""

import os
import signal

import gymnasium
import numpy as np
from gymnasium import spaces


class Counter(gymnasium.Env):
    """Counts its steps; the picture is grey of that level. Options make it end, raise, die, or succeed."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012
    action_space = spaces.Box(-1, 1, (2,), np.float32)
    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)

    def __init__(self, render_mode=None, *, fault="", at=5, length=1000, action_space=None, goal=False) -> None:
        self.render_mode = render_mode
        self._fault, self._at, self._length, self._goal = fault, at, length, goal
        if action_space is not None:
            self.action_space = action_space
        if goal:
            box = self.observation_space
            self.observation_space = spaces.Dict(observation=box, achieved_goal=box, desired_goal=box)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._level = float(self.np_random.uniform(0, 100))
        # A fault happens in some episodes only, known by the seed.
        self._faulty = bool(self._fault) and seed % 8 == 3
        self._count = 0
        return self._seen(), {}

    def step(self, action):
        self.last_action = action
        self._count += 1
        if self._faulty and self._count == self._at:
            if self._fault == "raise":
                raise RuntimeError("the gearbox is gone")
            if self._fault == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if self._fault == "nan":
                self._level = float("nan")
        done = self._count >= self._length
        return self._seen(), 0.0, done, False, {"is_success": done}

    def render(self):
        level = 0 if np.isnan(self._level) else int(self._level)
        return np.full((32, 48, 3), level + self._count % 100, dtype=np.uint8)

    def _seen(self):
        state = np.array([self._level, self._count], dtype=np.float32)
        if not self._goal:
            return state
        return {"observation": state, "achieved_goal": state, "desired_goal": state + np.float32([3, 4])}


class Pictureless(Counter):
    metadata = {"render_modes": ["human"], "render_fps": 20}  # noqa: RUF012


def _register(name, entry=Counter, **options) -> None:
    gymnasium.register(f"{name}-v0", entry_point=entry, kwargs=options)


_register("Counter")
_register("CounterShort", length=7)
_register("CounterGoal", goal=True)
_register("CounterRaises", fault="raise")
_register("CounterDies", fault="die")
_register("CounterNaN", fault="nan")
_register("CounterUnbounded", action_space=spaces.Box(-np.inf, np.inf, (2,), np.float32))
_register("CounterTuple", action_space=spaces.Tuple([spaces.Discrete(2)]))
_register("CounterFromTwo", action_space=spaces.Discrete(3, start=2))
_register("Pictureless", Pictureless)
