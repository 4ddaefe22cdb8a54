"""Policies that act without planning: what recordings are made with."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from monde.errors import UsageError, unknown_name
from monde.protocols import Observation, Policy, World
from monde.types import ActionSpec
from monde.worlds import ScriptedWorld

HOLD_STEPS = 8
"""Longest time, in control steps, that the random policy keeps one draw."""

POLICIES = ("random", "uniform", "scripted")


class RandomPolicy:
    """Uniform over the box (or the choices), each draw held for 1 to `hold` control steps, per row.

    Holding matters for coverage: fresh draws at every step cancel out, and a disc moved so stays around its start. On
    TwoRoom (100 steps) a `hold` of 8 brings four times as many episodes through the door as a `hold` of 1. A row's draw
    is thrown away when its episode starts.

    Args:
        hold: Longest hold, at least 1 (1: a fresh draw at each step).

    Raises:
        UsageError: A hold below 1.
    """

    def __init__(self, hold: int = HOLD_STEPS) -> None:
        if hold < 1:
            raise UsageError("RandomPolicy cannot hold a draw for less than a step", got=hold, expected="hold ≥ 1")
        self._hold = hold
        self._left: np.ndarray = np.zeros(0, dtype=np.int64)
        self._held: np.ndarray = np.zeros((0, 0), dtype=np.float32)

    def __call__(
        self, observation: Observation, actions: ActionSpec, generator: np.random.Generator
    ) -> Float32[np.ndarray, "B dim"]:
        """Control steps [B, dim]."""
        B = observation.batch
        # All rows draw every time: what one row gets does not depend on when the others need something new.
        fresh = _draw(actions, B, generator)
        holds = generator.integers(1, self._hold + 1, size=B)
        if self._held.shape != fresh.shape:
            self._left, self._held = np.zeros(B, dtype=np.int64), np.zeros_like(fresh)
        new = (self._left == 0) | (observation.times_seconds == 0)
        self._held = np.where(new[:, None], fresh, self._held)
        self._left = np.where(new, holds, self._left) - 1
        return self._held.copy()


class UserPolicy:
    """A user's function, with its output checked.

    Args:
        name: "module:function", for messages.
        function: Called as `Policy.__call__`.
    """

    def __init__(self, name: str, function: Callable[..., object]) -> None:
        self._name = name
        self._function = function

    def __call__(
        self, observation: Observation, actions: ActionSpec, generator: np.random.Generator
    ) -> Float32[np.ndarray, "B dim"]:
        """Control steps [B, dim].

        Raises:
            UsageError: The function raises, or returns something other than numbers [B, dim].
        """
        expected = f"an array of real numbers [B, dim] = [{observation.batch}, {actions.dim}]"
        try:
            result = self._function(observation, actions, generator)
        except Exception as error:
            raise UsageError(f"policy {self._name!r} raised", got=f"{type(error).__name__}: {error}") from error
        if not isinstance(result, np.ndarray) or result.dtype.kind not in "fiub":
            got = f"{result.dtype} array" if isinstance(result, np.ndarray) else type(result).__name__
            raise UsageError(f"policy {self._name!r} does not return actions", got=got, expected=expected)
        if result.shape != (observation.batch, actions.dim):
            raise UsageError(
                f"policy {self._name!r} returns actions of the wrong shape",
                got=list(result.shape),
                expected=expected,
                remedy="return one row per environment; discrete actions are one-hot",
            )
        return result.astype(np.float32)


def make_policy(name: str, world: World | None = None) -> Policy:
    """The policy called `name`, fresh: it remembers nothing of episodes acted in before.

    Args:
        name: "random" (`RandomPolicy`), "uniform" (a fresh draw at each step), "scripted" (the world's own), or
            "module:function" of the user's. The module is imported, from the current folder too: pass only what the
            user typed, never a name read from a file. The function is called as `monde.protocols.Policy` says.
        world: Where it will act; needed by "scripted".

    Raises:
        UsageError: An unknown name, a world without a scripted policy, or a module or function that does not exist.
    """
    if name == "random":
        return RandomPolicy()
    if name == "uniform":
        return RandomPolicy(hold=1)
    if name == "scripted":
        candidate: object = world
        if isinstance(candidate, ScriptedWorld):
            return candidate.scripted()
        raise UsageError(
            f"{'no world' if world is None else world.name} has no scripted policy",
            expected="a world with a method `scripted`, such as tworoom or pointmass",
            remedy="use 'random', 'uniform', or your own 'module:function'",
        )
    if ":" in name:
        return UserPolicy(name, _load(name))
    raise unknown_name("policy", name, [*POLICIES, "module:function"])


def _draw(actions: ActionSpec, batch: int, generator: np.random.Generator) -> Float32[np.ndarray, "B dim"]:
    if actions.discrete:
        return np.eye(actions.choices, dtype=np.float32)[generator.integers(actions.choices, size=batch)]
    return generator.uniform(actions.low, actions.high, size=(batch, actions.dim)).astype(np.float32)


def _load(name: str) -> Callable[..., object]:
    module_name, _, function_name = name.partition(":")
    try:
        with _current_folder_importable():
            module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and not f"{module_name}.".startswith(f"{error.name}."):
            # The module is there; what it imports is not.
            raise UsageError(
                f"policy {name!r} cannot be imported", got=error, remedy=f"install {error.name}"
            ) from error
        raise UsageError(
            f"policy {name!r}: there is no module {module_name!r}",
            expected="module:function",
            remedy=f"put {module_name.split('.')[0]}.py into the folder you are in, or on PYTHONPATH",
        ) from error
    except (ImportError, SyntaxError, ValueError, TypeError) as error:
        raise UsageError(f"policy {name!r} cannot be imported", got=f"{type(error).__name__}: {error}") from error
    function = getattr(module, function_name, None)
    if not callable(function):
        known = sorted(key for key, value in vars(module).items() if callable(value) and not key.startswith("_"))
        got = "nothing of this name" if function is None else type(function).__name__
        wanted = f"one of {', '.join(known)}" if known else "a function (observation, actions, generator) -> actions"
        raise UsageError(
            f"policy {name!r}: no function {function_name!r} in {module_name!r}",
            got=got,
            expected=wanted,
        )
    loaded: Callable[..., object] = function
    return loaded


@contextmanager
def _current_folder_importable() -> Iterator[None]:
    """Console scripts, unlike `python -m`, do not find modules of the folder that they are called from."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
