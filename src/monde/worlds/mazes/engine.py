"""The real environments: OGBench's mazes and gymnasium-robotics' U maze, imported when first needed."""

import importlib
import importlib.util
import io
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from types import ModuleType
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from monde.errors import UsageError, WorldError
from monde.worlds.scenes3d import engine

PACKAGES = {"ogbench": "ogbench", "gymnasium_robotics": "gymnasium-robotics", "mujoco": "mujoco"}
"""By module: what pip calls it."""

_LOCK = threading.Lock()


@runtime_checkable
class Model(Protocol):
    """What is asked of MuJoCo's model."""

    nq: int
    nv: int
    ngeom: int
    geom_pos: Float64[np.ndarray, "ngeom 3"]
    geom_size: Float64[np.ndarray, "ngeom 3"]


@runtime_checkable
class Data(Protocol):
    """What is asked of MuJoCo's data."""

    qpos: Float64[np.ndarray, " nq"]
    qvel: Float64[np.ndarray, " nv"]
    geom_xpos: Float64[np.ndarray, "ngeom 3"]
    geom_xmat: Float64[np.ndarray, "ngeom 9"]


@runtime_checkable
class Env(Protocol):
    """What is asked of the environment around them."""

    model: Model
    data: Data
    dt: float

    def reset(self, *, seed: int) -> object: ...

    def step(self, action: Float64[np.ndarray, " dim"], /) -> object: ...

    def set_state(self, qpos: Float64[np.ndarray, " nq"], qvel: Float64[np.ndarray, " nv"], /) -> None: ...


def mujoco() -> ModuleType:
    """MuJoCo itself.

    Raises:
        UsageError: It is not installed.
    """
    _need("mujoco")
    return engine.load()


def ogbench_maze(body: str, maze: str) -> tuple[Env, tuple[tuple[tuple[int, int], tuple[int, int]], ...]]:
    """OGBench's maze of this name with "point" or "ant" in it, and its evaluation tasks.

    Returns:
        The environment, and start and goal of each task as cells (column, row), row 0 at the lowest y.

    Raises:
        UsageError: OGBench is not installed.
        WorldError: It cannot be made.
    """
    module = _module("ogbench", "ogbench.locomaze.maze")
    with _scratch(), _told(f"OGBench's {body} in {maze}"):
        env = module.make_maze_env(body, "maze", maze_type=maze)
        env.reset(seed=0)
    cells = [(task["init_ij"], task["goal_ij"]) for task in env.task_infos]
    return env, tuple(((start[1], start[0]), (goal[1], goal[0])) for start, goal in cells)


def umaze() -> Env:
    """The environment of the ball inside gymnasium-robotics' PointMaze_UMaze-v3.

    Raises:
        UsageError: gymnasium-robotics is not installed.
        WorldError: It cannot be made.
    """
    # On import it tells on stderr what changed in robot hands, which are not used here.
    with redirect_stderr(io.StringIO()):
        module = _module("gymnasium_robotics", "gymnasium_robotics.envs.maze.point_maze")
    with _scratch(), _told("PointMaze_UMaze-v3"):
        maze = module.PointMazeEnv(maze_map=module.U_MAZE)
        maze.reset(seed=0)
    ball: Env = maze.point_env
    return ball


def _module(package: str, name: str) -> ModuleType:
    mujoco()
    _need(package)
    return importlib.import_module(name)


def _need(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise UsageError(f"this world needs {PACKAGES[package]}", remedy='pip install "monde[tasks]"')


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # A constructor may raise anything.
        raise WorldError(f"{what} could not be made", got=f"{type(error).__name__}: {error}") from error


@contextmanager
def _scratch() -> Iterator[None]:
    """Both packages write the maze's XML to the temporary folder and leave it there: it is given one that goes away."""
    with _LOCK, tempfile.TemporaryDirectory() as folder:
        kept, tempfile.tempdir = tempfile.tempdir, folder
        try:
            yield
        finally:
            tempfile.tempdir = kept
