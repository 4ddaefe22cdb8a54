"""Push-T: a disc that pushes a T-shaped block about a table."""

from monde.worlds.pusht.config import PushTConfig
from monde.worlds.pusht.world import PushT

__all__ = ["PushT", "PushTConfig"]
