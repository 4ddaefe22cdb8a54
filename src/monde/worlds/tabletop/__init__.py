"""The table-top: a fingertip over a tray, an object to reach or to push, an RGB-D camera. Needs the extra `physics`."""

from monde.worlds.tabletop.config import TabletopConfig
from monde.worlds.tabletop.scene import Scene
from monde.worlds.tabletop.view import SEGMENTS
from monde.worlds.tabletop.world import RIG, TABLE, Tabletop

__all__ = ["RIG", "SEGMENTS", "TABLE", "Scene", "Tabletop", "TabletopConfig"]
