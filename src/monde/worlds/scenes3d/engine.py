"""MuJoCo, imported when first needed, with a software renderer that needs no screen."""

import contextlib
import ctypes.util
import importlib.util
import os
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from monde.errors import UsageError

BACKENDS = {"egl": "EGL", "osmesa": "OSMesa"}
"""By the name that MuJoCo gives them: the library of each, in the order tried."""

APT = "on Debian or Ubuntu: sudo apt-get install -y libegl1 libgl1 libgl1-mesa-dri (or libosmesa6)"

_FAILURES = (ImportError, RuntimeError, AttributeError, OSError)
"""PyOpenGL raises AttributeError where a library lacks what it looks up."""


@cache
def load() -> ModuleType:
    """The module `mujoco`.

    Raises:
        UsageError: It is not installed, or cannot be imported with the renderer that was chosen.
    """
    if importlib.util.find_spec("mujoco") is None:
        raise UsageError("scenes in 3-D need mujoco", remedy='pip install "monde[physics]"')
    chosen = backend()
    try:
        # Without any renderer physics can still be simulated.
        with _environment(chosen or "disabled"):
            return importlib.import_module("mujoco")
    except _FAILURES as error:
        raise UsageError("mujoco cannot be imported", got=f"{chosen}: {error}", remedy=APT) from error


def backend() -> str | None:
    """The renderer that will be used: MUJOCO_GL if it is set, else the first whose library is there, else none."""
    chosen = os.environ.get("MUJOCO_GL", "").strip().lower()
    if chosen:
        return chosen
    return next((name for name, library in BACKENDS.items() if ctypes.util.find_library(library)), None)


@contextlib.contextmanager
def rendering() -> Iterator[None]:
    """While a renderer is made: names it to MuJoCo, which reads it from the environment, and leaves that as it was.

    Raises:
        UsageError: There is none, or it does not work.
    """
    chosen = backend()
    if chosen not in BACKENDS:
        got = f"MUJOCO_GL={os.environ['MUJOCO_GL']}" if chosen else "neither libEGL nor libOSMesa"
        raise UsageError("no renderer for 3-D scenes", got=got, expected="egl or osmesa", remedy=APT)
    try:
        with _environment(chosen):
            yield
    except _FAILURES as error:
        raise UsageError("the renderer for 3-D scenes does not start", got=f"{chosen}: {error}", remedy=APT) from error


@contextlib.contextmanager
def _environment(chosen: str) -> Iterator[None]:
    kept = {name: os.environ.get(name) for name in ("MUJOCO_GL", "PYOPENGL_PLATFORM")}
    os.environ["MUJOCO_GL"] = chosen
    # It was chosen when MuJoCo was first imported, perhaps by another package and without this name. `Renderer` looks
    # the class up in the one module, everybody else in the other.
    contexts, package = sys.modules.get("mujoco.gl_context"), sys.modules.get("mujoco")
    if contexts is not None and package is not None and chosen in BACKENDS:
        if not getattr(contexts.GLContext, "__module__", "").endswith(f".{chosen}"):
            importlib.reload(contexts)
        vars(package)["GLContext"] = contexts.GLContext
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
