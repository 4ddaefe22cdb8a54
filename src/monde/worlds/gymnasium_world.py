"""`GymnasiumWorld`: any Gymnasium environment that renders pixels, as a batch of rows in this process."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8
from PIL import Image

from monde.errors import ContractError, UsageError, WorldError
from monde.limits import MAX_FRAME_SIDE_PIXELS
from monde.protocols import Observation, Transition
from monde.types import ActionSpec, Sensor
from monde.worlds.checks import RowError, check_controls, check_seeds
from monde.worlds.gymnasium_spaces import (
    GymEnv,
    action_spec,
    dt_seconds,
    has_goal,
    make_env,
    mode_names,
    native_control,
    state_size,
)


class GymnasiumWorld:
    """A batch of environments of one Gymnasium id. Implements `monde.protocols.World`.

    Sensors: `camera`, RGB [3, side, side]: what `render()` gives, scaled to a square with antialiasing (a picture that
    is not square is squeezed, nothing is cut off); and `state`, float32 [n], where the observation is a 1-D box, or a
    dictionary with one called "observation". One control step lasts 1 / `render_fps` of the environment's metadata,
    else 1/30 s. A row that has ended repeats its last observation. There is no goal picture: a Gymnasium environment
    cannot show its goal as its sensors would see it. Success is `is_success` or `success` of the step's info, where
    it is given.

    Args:
        gym_id: The id, "CartPole-v1"; or "module:ID", see `imports`.
        batch: B.
        side_pixels: Side of the picture.
        imports: Whether the module of "module:ID" may be imported. Only for an id that the user typed.

    Raises:
        UsageError: Gymnasium is not installed, the id does not exist, or names a module without `imports`.
        WorldError: The environment cannot be made; it has no pixels, unbounded actions, or an unsupported action space.
        ContractError: A batch or side out of limits.
    """

    def __init__(self, gym_id: str, *, batch: int, side_pixels: int = 64, imports: bool = False) -> None:
        if batch < 1:
            raise ContractError(f"gym:{gym_id} needs at least one row", got=batch, expected="batch ≥ 1")
        if not 1 <= side_pixels <= MAX_FRAME_SIDE_PIXELS:
            raise ContractError(
                "side_pixels is out of limits", got=side_pixels, expected=f"1 to {MAX_FRAME_SIDE_PIXELS}"
            )
        self._name = f"gym:{gym_id}"
        self._envs: list[GymEnv] = []
        try:
            for _ in range(batch):
                self._envs.append(make_env(gym_id, imports))
            env = self._envs[0]
            dt = dt_seconds(env)
            self._actions = action_spec(self._name, env.action_space, dt)
            self._state_size = state_size(env.observation_space)
            if "rgb_array" not in mode_names(env.metadata.get("render_modes")):
                raise WorldError(
                    f"{self._name} has no pixels",
                    got=f"render modes {mode_names(env.metadata.get('render_modes'))}",
                    expected="an environment that renders to 'rgb_array'",
                )
        except (UsageError, WorldError, ContractError):
            self.close()
            raise
        camera = Sensor(name="camera", kind="rgb", shape=(3, side_pixels, side_pixels), rate_hz=1 / dt)
        state = Sensor(name="state", kind="state", shape=(max(self._state_size, 1),), rate_hz=1 / dt)
        self._sensors = (camera, state) if self._state_size else (camera,)
        self._values = {
            sensor.name: np.zeros((batch, *sensor.shape), dtype=np.uint8 if sensor.kind == "rgb" else np.float32)
            for sensor in self._sensors
        }
        self._times = np.zeros(batch)
        self._ended = np.zeros(batch, dtype=np.bool_)
        self._success = np.zeros(batch, dtype=np.bool_)
        self._distance = np.zeros(batch) if has_goal(env.observation_space) else None
        self._seeds: tuple[int, ...] = ()
        self._steps = 0

    @property
    def name(self) -> str:
        """ "gym:" and the id."""
        return self._name

    @property
    def batch(self) -> int:
        """B."""
        return len(self._envs)

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """`camera`, and `state` where the environment's observation is one."""
        return self._sensors

    @property
    def actions(self) -> ActionSpec:
        """The environment's box, flattened, or its choices (one-hot)."""
        return self._actions

    def reset(self, seeds: Sequence[int]) -> Observation:
        """Start one episode per row, each from its seed.

        Raises:
            WorldError: Not one seed per row; or an environment raised (a `RowError`, naming row and seed).
        """
        self._seeds = check_seeds(self._name, self.batch, seeds)
        self._steps = 0
        self._times = np.zeros(self.batch)
        self._ended = np.zeros(self.batch, dtype=np.bool_)
        self._success = np.zeros(self.batch, dtype=np.bool_)
        self._values = {name: array.copy() for name, array in self._values.items()}
        for row, (env, seed) in enumerate(zip(self._envs, self._seeds, strict=True)):
            try:
                seen, info = env.reset(seed=seed)
                frame = env.render()
            except Exception as error:
                raise self._failure(row, error) from error
            self._take(row, seen, frame, info)
        return self._observe()

    def step(self, controls: Float[np.ndarray, "..."]) -> Transition:
        """One control step of every row that has not ended.

        Raises:
            WorldError: Wrong width, not finite, out of bounds, not one-hot; no reset before; or an environment raised
                (a `RowError`, naming row, seed and step).
        """
        if not self._seeds:
            raise WorldError(f"{self._name} has no episode yet", remedy="call reset with one seed per row first")
        checked = check_controls(self._name, self._actions, self.batch, controls)
        self._steps += 1
        self._values = {name: array.copy() for name, array in self._values.items()}
        self._times = np.where(self._ended, self._times, self._steps * self._actions.dt_seconds)
        ended = self._ended.copy()
        for row in np.flatnonzero(~self._ended):
            env = self._envs[row]
            try:
                seen, _, terminated, truncated, info = env.step(native_control(env.action_space, checked[row]))
                frame = env.render()
            except Exception as error:
                raise self._failure(int(row), error) from error
            self._take(int(row), seen, frame, info)
            ended[row] = bool(terminated) or bool(truncated)
        self._ended = ended
        return Transition(self._observe(), ended.copy())

    def goal(self) -> None:
        """None: see the class."""

    def success(self) -> Bool[np.ndarray, " B"]:
        """What the environments said of success at their last step; false where they say nothing of it."""
        return self._success.copy()

    def goal_distance(self) -> Float64[np.ndarray, " B"] | None:
        """Euclidean distance of achieved to desired goal, in the environment's units, or none if it gives none."""
        return None if self._distance is None else self._distance.copy()

    def close(self) -> None:
        """Close all environments."""
        for env in self._envs:
            env.close()

    def _observe(self) -> Observation:
        return Observation(self._values, self._times)

    def _take(self, row: int, seen: object, frame: object, info: Mapping[str, object]) -> None:
        """Keep what row `row` showed. `_values` was copied before: observations handed out do not change."""
        camera = self._values["camera"]
        camera[row] = self._picture(row, frame, camera.shape[-1])
        if self._state_size:
            state = np.asarray(seen["observation"] if isinstance(seen, dict) else seen, dtype=np.float32)
            if state.shape != (self._state_size,) or not np.isfinite(state).all():
                self._refuse(row, "its state", f"{list(state.shape)}: {state}", f"{self._state_size} finite numbers")
            self._values["state"][row] = state
        self._success[row] = bool(info.get("is_success", info.get("success", False)))
        if self._distance is not None and isinstance(seen, dict):
            gap = np.asarray(seen["achieved_goal"], np.float64) - np.asarray(seen["desired_goal"], np.float64)
            self._distance[row] = np.sqrt((gap**2).sum())

    def _picture(self, row: int, frame: object, side: int) -> UInt8[np.ndarray, "3 h w"]:
        if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            got = f"{frame.dtype}{list(frame.shape)}" if isinstance(frame, np.ndarray) else type(frame).__name__
            self._refuse(row, "its picture", got, "uint8 [h, w, 3]")
        picture = Image.fromarray(frame)
        if picture.size != (side, side):
            picture = picture.resize((side, side), Image.Resampling.BILINEAR)
        return np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1))

    def _refuse(self, row: int, what: str, got: str, expected: str) -> NoReturn:
        raise RowError(
            f"{self._name}: {what} cannot be used, in {self._where(row)}",
            got=got,
            expected=expected,
            row=row,
            step=self._steps,
        )

    def _failure(self, row: int, error: Exception) -> RowError:
        return RowError(
            f"{self._name} raised in {self._where(row)}",
            got=f"{type(error).__name__}: {error}",
            remedy="the fault is in the environment; this seed reproduces it",
            row=row,
            step=self._steps,
        )

    def _where(self, row: int) -> str:
        return f"row {row} (seed {self._seeds[row]}) at step {self._steps}"
