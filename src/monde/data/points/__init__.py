"""Recorded 3-D points (motion capture): read, and cut into stretches without a gap."""

from monde.data.points.qualisys import read_qualisys
from monde.data.points.tracks import PointTracks, Stretch

__all__ = ["PointTracks", "Stretch", "read_qualisys"]
