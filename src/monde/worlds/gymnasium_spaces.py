"""What `GymnasiumWorld` asks of Gymnasium: making an environment, and reading its spaces."""

import warnings
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from monde.errors import UsageError, WorldError
from monde.limits import MAX_ACTION_WIDTH
from monde.types import ActionSpec

DEFAULT_DT_SECONDS = 1 / 30
"""Duration of a control step of an environment whose metadata gives no `render_fps`."""


@runtime_checkable
class GymEnv(Protocol):
    """What is asked of a Gymnasium environment."""

    metadata: dict[str, object]
    action_space: object
    observation_space: object

    def reset(self, *, seed: int | None = None) -> tuple[object, dict[str, object]]: ...

    def step(self, action: object) -> tuple[object, object, bool, bool, dict[str, object]]: ...

    def render(self) -> object: ...

    def close(self) -> None: ...


def make_env(gym_id: str, imports: bool) -> GymEnv:
    """One environment that renders to arrays. Raises as `GymnasiumWorld` says."""
    try:
        import gymnasium
    except ImportError as error:
        raise UsageError("Gymnasium is not installed", got=error, remedy='pip install "monde[gym]"') from error
    module, colon, _ = gym_id.partition(":")
    if colon and not imports:
        raise UsageError(
            f"gym:{gym_id} names a module to import, which is done only for a name that was typed",
            got="a name that may have been read from a file",
            remedy=f"import {module!r} yourself first, and leave it out of the name",
        )
    try:
        with warnings.catch_warnings():
            # Said again, and as an error, by the check of render modes.
            warnings.filterwarnings("ignore", message=".*render_mode=.*")
            env: object = gymnasium.make(gym_id, render_mode="rgb_array", disable_env_checker=True)
    except (gymnasium.error.UnregisteredEnv, ModuleNotFoundError) as error:
        raise UsageError(
            f"there is no Gymnasium environment {gym_id!r}",
            got=error,
            expected="a registered id, such as CartPole-v1 or Pendulum-v1",
            remedy='list them with: python -c "import gymnasium; gymnasium.pprint_registry()"',
        ) from error
    except Exception as error:
        # A constructor may raise anything: a missing simulator, a malformed id, no display.
        raise WorldError(f"gym:{gym_id} could not be made", got=f"{type(error).__name__}: {error}") from error
    if not isinstance(env, GymEnv):
        raise WorldError(f"gym:{gym_id} is not an environment", got=type(env).__name__)
    return env


def mode_names(modes: object) -> list[str]:
    """The entries of a metadata list, as text."""
    return [str(mode) for mode in modes] if isinstance(modes, list | tuple) else []


def dt_seconds(env: GymEnv) -> float:
    """Duration of a control step: 1 / `render_fps` where the metadata gives one."""
    fps = env.metadata.get("render_fps")
    return 1 / fps if isinstance(fps, int | float) and 0 < fps < float("inf") else DEFAULT_DT_SECONDS


def action_spec(name: str, space: object, dt_seconds: float) -> ActionSpec:
    """What monde may do in an action space; WorldError where it is unbounded or neither Box nor Discrete."""
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        if not 2 <= space.n <= MAX_ACTION_WIDTH:
            raise WorldError(
                f"{name} has an unusable number of actions", got=space.n, expected=f"2 to {MAX_ACTION_WIDTH}"
            )
        return ActionSpec(choices=int(space.n), dt_seconds=dt_seconds)
    if not isinstance(space, spaces.Box):
        raise WorldError(
            f"{name} has actions of an unsupported kind",
            got=space,
            expected="Box or Discrete",
            remedy="register the environment with a wrapper that flattens its actions",
        )
    low, high = space.low.astype(np.float64).ravel(), space.high.astype(np.float64).ravel()
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise WorldError(
            f"{name} has unbounded actions",
            got=space,
            expected="finite bounds: actions are drawn, planned and checked within them",
            remedy="register the environment with gymnasium.wrappers.RescaleAction or another wrapper that bounds them",
        )
    return ActionSpec(low=tuple(low.tolist()), high=tuple(high.tolist()), dt_seconds=dt_seconds)


def native_control(space: object, control: Float64[np.ndarray, " dim"]) -> object:
    """A checked control step as the environment wants it."""
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        return int(control.argmax()) + int(space.start)
    if isinstance(space, spaces.Box):
        whole = np.issubdtype(space.dtype, np.integer)
        return (np.rint(control) if whole else control).reshape(space.shape).astype(space.dtype)
    return control


def state_size(space: object) -> int:
    """Numbers in the `state` sensor; 0 where there is none."""
    from gymnasium import spaces

    inner = space.spaces.get("observation") if isinstance(space, spaces.Dict) else space
    return int(inner.shape[0]) if isinstance(inner, spaces.Box) and len(inner.shape) == 1 else 0


def has_goal(space: object) -> bool:
    from gymnasium import spaces

    return isinstance(space, spaces.Dict) and {"achieved_goal", "desired_goal"} <= set(space.spaces)
