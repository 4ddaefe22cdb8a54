"""Mazes of OGBench and gymnasium-robotics: the real physics, drawn from above. `pip install "monde[tasks]"`."""

from monde.worlds.mazes.catalogue import MAZES, TASKS_SUFFIX, MazeKind
from monde.worlds.mazes.layout import Layout
from monde.worlds.mazes.policies import Navigator
from monde.worlds.mazes.ways import Corridors, Ways
from monde.worlds.mazes.world import MazeConfig, MazeWorld

__all__ = ["MAZES", "TASKS_SUFFIX", "Corridors", "Layout", "MazeConfig", "MazeKind", "MazeWorld", "Navigator", "Ways"]
