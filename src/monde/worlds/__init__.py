"""Small embedded environments, and an adapter for any Gymnasium id with pixels.

All implement `monde.protocols.World`; `check_env` tells whether one of your own does.
"""

from monde.worlds.checks import RowError, check_env
from monde.worlds.drawing import PLAIN, Look
from monde.worlds.mazes import MAZES, MazeConfig, MazeWorld
from monde.worlds.point_mass import PointMass, PointMassConfig
from monde.worlds.registry import ScriptedWorld, far_names, make, names, split_distance
from monde.worlds.two_room import TwoRoom, TwoRoomConfig

__all__ = [
    "MAZES",
    "PLAIN",
    "Look",
    "MazeConfig",
    "MazeWorld",
    "PointMass",
    "PointMassConfig",
    "RowError",
    "ScriptedWorld",
    "TwoRoom",
    "TwoRoomConfig",
    "check_env",
    "far_names",
    "make",
    "names",
    "split_distance",
]
