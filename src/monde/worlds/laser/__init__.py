"""A robot on two wheels with a laser scanner and odometry: in random rooms, in a yard, on a real campus."""

from monde.worlds.laser.config import AROUND, CAMPUS, ROOMS, SICK, YARD, LaserConfig, Odometry, Scanner
from monde.worlds.laser.world import LaserWorld

__all__ = ["AROUND", "CAMPUS", "ROOMS", "SICK", "YARD", "LaserConfig", "LaserWorld", "Odometry", "Scanner"]
