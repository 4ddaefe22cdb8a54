"""Small embedded environments, and an adapter for any Gymnasium id with pixels.

All implement `monde.protocols.World`; `check_env` tells whether one of your own does.
"""

from monde.worlds.checks import RowError, check_env
from monde.worlds.drawing import Look
from monde.worlds.point_mass import PointMass, PointMassConfig
from monde.worlds.registry import ScriptedWorld, make, make_shifted, names
from monde.worlds.shifts import SHIFTS, ActionShift, PixelShift, Shift
from monde.worlds.two_room import TwoRoom, TwoRoomConfig

__all__ = [
    "SHIFTS",
    "ActionShift",
    "Look",
    "PixelShift",
    "PointMass",
    "PointMassConfig",
    "RowError",
    "ScriptedWorld",
    "Shift",
    "TwoRoom",
    "TwoRoomConfig",
    "check_env",
    "make",
    "make_shifted",
    "names",
]
