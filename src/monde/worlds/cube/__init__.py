"""A robot arm that moves a cube: OGBench's cube-single."""

from monde.worlds.cube.config import CubeConfig
from monde.worlds.cube.world import Cube

__all__ = ["Cube", "CubeConfig"]
